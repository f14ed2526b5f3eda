package wasihttp

import (
	"net/http"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/wasi"
)

func TestFieldsKeepTheirRules(t *testing.T) {
	w := newWorld(t, wasi.Config{})
	f := w.call(h + "[constructor]fields").(canon.Handle)
	set := func(name string, values ...string) any {
		list := []any{}
		for _, v := range values {
			list = append(list, []byte(v))
		}
		return w.call(h+"[method]fields.set", f, name, list)
	}
	for _, c := range []struct{ name, value, want string }{
		{"X-A", "1", ""}, {"x-a", "two words\tand a tab", ""}, {"x-a", "caf\xc3\xa9", ""}, {"x-a", "", ""},
		{"", "v", "invalid-syntax"}, {"a b", "v", "invalid-syntax"}, {"a:b", "v", "invalid-syntax"}, {"a\r\nb", "v", "invalid-syntax"}, {"é", "v", "invalid-syntax"},
		{"x-a", "v\r\nInjected: yes", "invalid-syntax"}, {"x-a", "v\n", "invalid-syntax"}, {"x-a", "v\x00", "invalid-syntax"}, {"x-a", "v\x7f", "invalid-syntax"},
		{"Host", "evil", "forbidden"}, {"transfer-encoding", "chunked", "forbidden"}, {"Connection", "close", "forbidden"}, {"UPGRADE", "x", "forbidden"},
	} {
		for name, got := range map[string]any{
			"set": set(c.name, c.value), "append": w.call(h+"[method]fields.append", f, c.name, []byte(c.value)),
			"from-list": w.call(h+"[static]fields.from-list", []any{[]any{c.name, []byte(c.value)}}),
		} {
			if c.want == "" && !got.(canon.Result).IsErr {
				continue
			}
			if c.want == "" || failure(t, got) != c.want {
				t.Errorf("%s %q %q: %v, want %s", name, c.name, c.value, got, c.want)
			}
		}
	}
	set("x-b", "1", "2")
	if got := w.call(h+"[method]fields.get", f, "X-B").([]any); len(got) != 2 || string(got[1].([]byte)) != "2" {
		t.Errorf("get: %v", got)
	}
	if w.call(h+"[method]fields.has", f, "X-b") != true || w.call(h+"[method]fields.has", f, "no such\n") != false {
		t.Error("has")
	}
	copied := w.call(h+"[method]fields.clone", f).(canon.Handle)
	if got := w.call(h+"[method]fields.delete", f, "x-B"); got != any(canon.OK(nil)) || w.call(h+"[method]fields.has", f, "x-b") != false {
		t.Errorf("delete: %v", got)
	}
	if w.call(h+"[method]fields.has", copied, "x-b") != true {
		t.Error("a copy lost what was deleted")
	}
	if got := w.call(h+"[method]fields.entries", copied).([]any); len(got) < 3 {
		t.Errorf("entries: %v", got)
	}
}

func TestFieldsOfRequestsAndAnswersCannotBeChanged(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: answering(200, "")})
	resp := w.answer(ok[canon.Handle](t, w.send(w.request("http://host/"))))
	for name, f := range map[string]canon.Handle{
		"request": w.call(h+"[method]outgoing-request.headers", w.request("http://host/", "x-a", "b")).(canon.Handle),
		"answer":  w.call(h+"[method]incoming-response.headers", resp).(canon.Handle),
	} {
		for fn, args := range map[string][]any{"set": {f, "x-a", []any{[]byte("c")}}, "append": {f, "x-a", []byte("c")}, "delete": {f, "x-a"}} {
			if got := failure(t, w.call(h+"[method]fields."+fn, args...)); got != "immutable" {
				t.Errorf("%s of a %s: %s", fn, name, got)
			}
		}
		mine := w.call(h+"[method]fields.clone", f).(canon.Handle)
		if r := w.call(h+"[method]fields.delete", mine, "x-a"); r != any(canon.OK(nil)) || len(w.call(h+"[method]fields.get", f, "x-a").([]any)) != 1 {
			t.Errorf("a copy of a %s: %v", name, r)
		}
	}
}

func TestARequestIsCheckedBeforeItIsSent(t *testing.T) {
	sent := 0
	w := newWorld(t, wasi.Config{HTTP: transport(func(r *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})})
	for _, c := range []struct {
		set  string
		to   any
		want bool
	}{
		{"method", canon.Variant{Case: "other", Value: "BREW"}, true}, {"method", canon.Variant{Case: "other", Value: "GET / HTTP/1.1\r\nX: y"}, false},
		{"method", canon.Variant{Case: "other", Value: ""}, false}, {"path-with-query", canon.Some("/a?b=%20"), true}, {"path-with-query", canon.Some(""), true},
		{"path-with-query", canon.Some("/a b"), false}, {"path-with-query", canon.Some("/a\r\nHost: x"), false}, {"path-with-query", canon.Some("@evil/"), false},
		{"path-with-query", canon.Some("/a#b"), false}, {"path-with-query", canon.Some(strings.Repeat("/", maxURI+1)), false}, {"path-with-query", canon.Option{}, true},
		{"authority", canon.Some("host:80"), true}, {"authority", canon.Some("[::1]:80"), true}, {"authority", canon.Some("user:secret@host"), false},
		{"authority", canon.Some("host/path"), false}, {"authority", canon.Some("ho st"), false}, {"authority", canon.Some(""), false}, {"authority", canon.Some("a\r\nb"), false},
		{"scheme", canon.Some(enum("HTTP")), true}, {"scheme", canon.Some(canon.Variant{Case: "other", Value: "gopher"}), true},
		{"scheme", canon.Some(canon.Variant{Case: "other", Value: "1x"}), false}, {"scheme", canon.Option{}, true},
	} {
		r := w.request("http://host/")
		if got := w.call(h+"[method]outgoing-request.set-"+c.set, r, c.to).(canon.Result); got.IsErr == c.want {
			t.Errorf("%s %v: %v", c.set, c.to, got)
		}
		if got := w.call(h+"[method]outgoing-request."+c.set, r); c.want != (got == c.to) {
			t.Errorf("%s is %v after %v", c.set, got, c.to)
		}
		if err := w.drop(r); err != nil {
			t.Error(err)
		}
	}
	for name, c := range map[string]struct {
		set    string
		to     any
		header []string
		want   string
	}{
		"no authority":       {"authority", canon.Option{}, nil, "HTTP-request-URI-invalid"},
		"another scheme":     {"scheme", canon.Some(canon.Variant{Case: "other", Value: "gopher"}), nil, "HTTP-protocol-error"},
		"a bad escape":       {"path-with-query", canon.Some("/%zz"), nil, "HTTP-request-URI-invalid"},
		"a tunnel":           {"method", enum("connect"), nil, "HTTP-request-method-invalid"},
		"a huge header":      {"method", enum("get"), []string{"x-a", strings.Repeat("x", maxSection)}, "HTTP-request-header-section-size"},
		"a bad length":       {"method", enum("get"), []string{"content-length", "ten"}, "HTTP-protocol-error"},
		"two lengths":        {"method", enum("get"), []string{"content-length", "1", "content-length", "2"}, "HTTP-protocol-error"},
		"a body never given": {"method", enum("put"), []string{"content-length", "1"}, "HTTP-request-body-size"},
	} {
		r := w.request("http://host/", c.header...)
		w.call(h+"[method]outgoing-request.set-"+c.set, r, c.to)
		if got := failure(t, w.send(r)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if sent != 0 || w.session().held != 0 {
		t.Errorf("%d sent, %d bytes held", sent, w.session().held)
	}
}

func TestWithoutATransportEveryRequestIsDenied(t *testing.T) {
	w := newWorld(t, wasi.Config{})
	if got := failure(t, w.send(w.request("http://host/"))); got != "HTTP-request-denied" {
		t.Errorf("%s", got)
	}
}

func TestABirthIsSpoiltByARequest(t *testing.T) {
	b := wasi.Birth(wasi.Config{HTTP: answering(200, "")})
	w := newWorld(t, wasi.Config{})
	w.state = b.System().(*wasi.State)
	if got := failure(t, w.send(w.request("http://host/"))); got != "HTTP-request-denied" || b.Spoilt(w.state) == "" {
		t.Errorf("%s, spoilt %q", got, b.Spoilt(w.state))
	}
}

func TestNothingOfHTTPIsFixed(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: answering(200, "")})
	for _, i := range Interfaces() {
		for resource := range i.Resources {
			if rep := w.specimen(resource).Rep; rep != nil && wasi.Fixed(rep) {
				t.Errorf("%s can be part of an image", resource)
			}
		}
	}
	if wasi.Fixed(wasi.Event{}) {
		t.Error("an event can be part of an image")
	}
}

func TestHostileFloodsOfHeadersEnd(t *testing.T) {
	flood := func(name string, step func(w *world, i int) error) {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, wasi.Config{HTTP: answering(200, "")})
			for i := range 20_000 {
				if err := step(w, i); err != nil {
					if !fault.Is(err, fault.Exhausted) {
						t.Errorf("after %d: %v", i, err)
					}
					if n := w.session().held; n > maxHeld+maxSection {
						t.Errorf("%d bytes held", n)
					}
					return
				}
			}
			t.Error("it did not end")
		})
	}
	try := func(w *world, name string, args ...any) error {
		_, err := w.try(h+name, args...)
		return err
	}
	var one canon.Handle
	flood("values", func(w *world, i int) error {
		if i == 0 {
			one = w.fields()
		}
		return try(w, "[method]fields.append", one, "x", []byte("y"))
	})
	flood("clones", func(w *world, i int) error {
		if i == 0 {
			one = w.fields("x", strings.Repeat("y", 60_000))
		}
		return try(w, "[method]fields.clone", one)
	})
	flood("fields", func(w *world, _ int) error {
		_, err := w.try(h+"[static]fields.from-list", []any{[]any{"x", make([]byte, 1000)}})
		if err == nil {
			err = try(w, "[static]fields.from-list", []any{[]any{"x", []byte(strings.Repeat("y", 1000))}})
		}
		return err
	})
	flood("targets", func(w *world, _ int) error {
		r, err := w.try(h+"[constructor]outgoing-request", own(&fields{session: w.session()}))
		if err == nil {
			_, err = w.try(h+"[method]outgoing-request.set-path-with-query", r, canon.Some("/"+strings.Repeat("x", 8000)))
		}
		return err
	})
}

func TestHostileAnswersAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   string
	}{
		"a giant header": {http.Header{"X": {strings.Repeat("y", maxSection)}}, "HTTP-response-header-section-size"},
		"many headers":   {http.Header{"X": make([]string, maxFields+1)}, "HTTP-response-header-section-size"},
	} {
		w := newWorld(t, wasi.Config{HTTP: transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: c.header, Body: http.NoBody}, nil
		})})
		if got := failure(t, w.result(ok[canon.Handle](t, w.send(w.request("http://host/"))))); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestEveryFunctionSurvivesMissingAndForeignArguments(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: answering(200, "")})
	for name := range w.funcs {
		if !strings.HasPrefix(name, "http/") || strings.Contains(name, "constructor]fields") || strings.Contains(name, "constructor]request-options") {
			continue
		}
		for _, args := range [][]any{nil, {own("foreign"), own("foreign"), own("foreign")}, {1, 2, 3}} {
			_, err := w.try(name, args...)
			if k := fault.KindOf(err); err == nil || k != fault.Invalid && k != fault.Denied {
				t.Errorf("%s %v: %v", name, args, err)
			}
		}
	}
}
