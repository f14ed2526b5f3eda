package host

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
)

func ofTenant(name greentic.TenantID) greentic.TenantCtx {
	return greentic.TenantCtx{Env: "local", Tenant: name, User: "u1"}
}

// TestAComponentCannotNameAnotherTenant: every function that takes a tenant context refuses one
// that is not the running tenant's, and does nothing.
func TestAComponentCannotNameAnotherTenant(t *testing.T) {
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer server.Close()
	grant, _ := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	state := notebook{"k": `"mine"`}
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{State: true, Hosts: []HostGrant{grant}}, State: state})
	request := wasm.Record{{Name: "method", Value: "GET"}, {Name: "url", Value: server.URL}, {Name: "headers", Value: []any{}}, {Name: "body", Value: none}}
	span := wasm.Record{{Name: "provider", Value: "p"}}

	for name, who := range map[string]wasm.Option{
		"another tenant":        someTenant(map[string]any{"env": "local", "tenant": "b", "tenant-id": "a"}),
		"another tenant-id":     someTenant(map[string]any{"env": "local", "tenant": "a", "tenant-id": "b"}),
		"another environment":   someTenant(map[string]any{"env": "prod", "tenant": "a"}),
		"another user":          someTenant(map[string]any{"tenant": "a", "user-id": wasm.Some("u2")}),
		"a team it is not in":   someTenant(map[string]any{"tenant": "a", "team": wasm.Some("ops")}),
		"somebody impersonated": someTenant(map[string]any{"tenant": "a", "impersonation": wasm.Some(wasm.Record{{Name: "actor-id", Value: "root"}})}),
	} {
		for function, call := range map[string]func() (any, error){
			"read":     func() (any, error) { return s.call(t, stateRead, "k", who) },
			"write":    func() (any, error) { return s.call(t, stateWrite, "k", []byte("1"), who) },
			"delete":   func() (any, error) { return s.call(t, stateDelete, "k", who) },
			"send 1.0": func() (any, error) { return s.call(t, httpSend(interfaces.HTTP10, false), request, who) },
			"send 1.1": func() (any, error) { return s.call(t, httpSend(interfaces.HTTP11, true), request, none, who) },
			"log":      func() (any, error) { return s.call(t, telemetryLog, span, []any{}, who) },
		} {
			result, err := call()
			if code, _ := errorOf(t, result); err != nil || code != "denied" {
				t.Errorf("%s, %s: %v %v", name, function, result, err)
			}
		}
	}
	if hits != 0 || state["k"] != `"mine"` {
		t.Errorf("%d requests were sent, state %v", hits, state)
	}
	same := someTenant(map[string]any{"env": "local", "tenant": "a", "tenant-id": "a", "user": wasm.Some("u1"), "team": none, "impersonation": none})
	if result, err := s.call(t, stateRead, "k", same); err != nil || string(result.(wasm.Result).Value.([]byte)) != `"mine"` {
		t.Errorf("the own tenant: %v %v", result, err)
	}
	if strings.Contains(s.log.String(), "component log") {
		t.Error("a refused line was logged")
	}
}

func TestStateIsKeptAsJSON(t *testing.T) {
	state := notebook{}
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{State: true}, State: state})
	for in, want := range map[string]string{`{"a":1}`: `{"a":1}`, "plain": `"plain"`, "a\xffb<": "\"a\uFFFDb<\"", "": `""`, "\"\xff\"": "\"\\\"\uFFFD\\\"\""} {
		if _, err := s.call(t, stateWrite, "k", []byte(in), none); err != nil {
			t.Fatal(err)
		}
		result, err := s.call(t, stateRead, "k", none)
		if got := string(result.(wasm.Result).Value.([]byte)); err != nil || got != want {
			t.Errorf("%q is read as %s, %v; want %s", in, got, err, want)
		}
	}
	for range 2 {
		if result, err := s.call(t, stateDelete, "k", none); err != nil || result.(wasm.Result).IsErr {
			t.Errorf("delete: %v %v", result, err)
		}
	}
	if code, _ := errorOf(t, must(s.call(t, stateRead, "k", none))); code != "not_found" {
		t.Errorf("after delete: %s", code)
	}
}

func must(v any, err error) any {
	if err != nil {
		return err
	}
	return v
}

// deaf is a State that always fails in one way.
type deaf struct{ err error }

func (d deaf) Read(context.Context, string) ([]byte, error) { return nil, d.err }
func (d deaf) Write(context.Context, string, []byte) error  { return d.err }
func (d deaf) Delete(context.Context, string) error         { return d.err }

func TestStateFailuresHaveTheCodesOfTheInterface(t *testing.T) {
	granted := Grants{State: true}
	for name, c := range map[string]struct {
		r    Request
		key  string
		code string
	}{
		"not granted": {Request{State: notebook{}}, "k", "denied"},
		"no state":    {Request{Grants: granted}, "k", "unavailable"},
		"empty key":   {Request{Grants: granted, State: notebook{}}, "", "invalid-input"},
		"huge key":    {Request{Grants: granted, State: notebook{}}, strings.Repeat("k", 513), "invalid-input"},
		"absent":      {Request{Grants: granted, State: notebook{}}, "k", "not_found"},
		"closed":      {Request{Grants: granted, State: deaf{fault.New(fault.Unavailable, "kv", "secret path")}}, "k", "unavailable"},
		"broken":      {Request{Grants: granted, State: deaf{fault.New(fault.Internal, "kv", "secret path")}}, "k", "internal"},
	} {
		s := newSetting(t, ofTenant("a"), c.r)
		code, message := errorOf(t, must(s.call(t, stateRead, c.key, none)))
		if code != c.code || strings.Contains(message, "secret path") {
			t.Errorf("%s: %s %s", name, code, message)
		}
		if len(s.inv.calls) != 1 || s.inv.calls[0].Outcome != c.code || s.inv.calls[0].Import != interfaces.State+"#read" {
			t.Errorf("%s: recorded %+v", name, s.inv.calls)
		}
	}
}

func TestSecretsAreGivenToWhomTheyAreGranted(t *testing.T) {
	a := ofTenant("a")
	for name, c := range map[string]struct {
		tenant greentic.TenantCtx
		grants []string
		key    string
		code   string
	}{
		"granted as written":            {a, []string{"API_TOKEN"}, "API_TOKEN", ""},
		"granted in another spelling":   {a, []string{"api-token"}, "API_TOKEN", ""},
		"not granted":                   {a, []string{"OTHER"}, "API_TOKEN", "denied"},
		"nothing granted":               {a, nil, "API_TOKEN", "denied"},
		"not granted and not there":     {a, nil, "NOWHERE", "denied"},
		"granted and not there":         {a, []string{"NOWHERE"}, "NOWHERE", "not-found"},
		"granted, of another tenant":    {ofTenant("b"), []string{"API_TOKEN"}, "API_TOKEN", "not-found"},
		"granted by mistake, no key":    {a, []string{"../x"}, "../x", "invalid-key"},
		"the empty key is not anything": {a, []string{""}, "", "invalid-key"},
	} {
		s := newSetting(t, c.tenant, Request{Grants: Grants{Secrets: c.grants}})
		s.put(t, a, "API_TOKEN", "token-of-a")
		result, err := s.call(t, secretGet(interfaces.Secrets10), c.key)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		code, _ := errorOf(t, result)
		if code != c.code {
			t.Errorf("%s: %q, want %q", name, code, c.code)
		}
		if code == "" && string(result.(wasm.Result).Value.(wasm.Option).Value.([]byte)) != "token-of-a" {
			t.Errorf("%s: %v", name, result)
		}
		if len(s.inv.calls) != 1 || s.inv.calls[0].Outcome != cmp.Or(c.code, "ok") {
			t.Errorf("%s: recorded %+v", name, s.inv.calls)
		}
	}
}

func TestSecretsAreWrittenOnlyWithTheirOwnGrant(t *testing.T) {
	a := ofTenant("a")
	s := newSetting(t, a, Request{Pack: "p", Grants: Grants{Secrets: []string{"K"}}})
	if _, err := s.call(t, secretPut, "K", []byte("value")); !fault.Is(err, fault.Denied) {
		t.Errorf("a grant to read let it write: %v", err)
	}
	s.inv.request.Grants.WriteSecrets = []string{"K"}
	if _, err := s.call(t, secretPut, "K", []byte("value")); err != nil {
		t.Error(err)
	}
	if got, err := secrets.Find(t.Context(), s.store, a, "p", "k"); err != nil || string(got) != "value" {
		t.Errorf("%q %v", got, err)
	}
	if len(s.inv.calls) != 2 || s.inv.calls[0].Effect || !s.inv.calls[1].Effect {
		t.Errorf("recorded %+v", s.inv.calls)
	}
}

// TestSecretsNeverReachLogsErrorsOrRecords: what a guest was handed is taken out of everything
// the host writes down.
func TestSecretsNeverReachLogsErrorsOrRecords(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{Secrets: []string{"TOKEN"}, State: true}, State: notebook{}})
	s.put(t, ofTenant("a"), "TOKEN", "hunter2hunter2")
	if _, err := s.call(t, secretGet(interfaces.Secrets10), "TOKEN"); err != nil {
		t.Fatal(err)
	}
	fields := []any{[]any{"message", "using hunter2hunter2"}, []any{"url", "https://x/bothunter2hunter2/y"}, []any{"hunter2hunter2", "v"}}
	if _, err := s.call(t, telemetryLog, wasm.Record{{Name: "provider", Value: "hunter2hunter2"}}, fields, none); err != nil {
		t.Fatal(err)
	}
	out := &lines{inv: s.inv, ctx: t.Context()}
	_, _ = out.Write([]byte("panicked with hunter2"))
	_, _ = out.Write([]byte("hunter2\nand more"))
	out.flush()
	_, _ = s.call(t, stateRead, "hunter2hunter2", none)
	_, message := errorOf(t, must(s.call(t, httpSend(interfaces.HTTP10, false), wasm.Record{{Name: "method", Value: "GET"}, {Name: "url", Value: "https://hunter2hunter2.example/hunter2hunter2"}, {Name: "headers", Value: []any{}}, {Name: "body", Value: none}}, none)))
	err := s.inv.clean("op", &fault.Error{Kind: fault.Timeout, Code: "c", Msg: "said hunter2hunter2", Err: fault.New(fault.Invalid, "x", "hunter2hunter2")})
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("the kind was lost: %v", err)
	}
	for name, text := range map[string]string{"log": s.log.String(), "error": err.Error(), "message to the guest": message, "last line": out.last} {
		if strings.Contains(text, "hunter2hunter2") {
			t.Errorf("%s: %s", name, text)
		}
	}
	for _, c := range s.inv.calls {
		if strings.Contains(c.Subject, "hunter2hunter2") {
			t.Errorf("record: %+v", c)
		}
	}
	if !strings.Contains(s.log.String(), "panicked with [secret]") {
		t.Errorf("the guest's output is not in the log: %s", s.log.String())
	}
}

func TestSentRequestsAndAnswersKeepTheirShape(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Echo", r.Header.Get("X-In")+string(body)+"\xff")
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		w.WriteHeader(201)
		_, _ = w.Write([]byte("done"))
	}))
	defer server.Close()
	grant, _ := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{Hosts: []HostGrant{grant}}})
	request := func(path string) wasm.Record {
		return wasm.Record{{Name: "method", Value: "post"}, {Name: "url", Value: server.URL + path}, {Name: "headers", Value: []any{[]any{"x-in", "1"}}}, {Name: "body", Value: wasm.Some([]byte("b"))}}
	}
	result, err := s.call(t, httpSend(interfaces.HTTP10, false), request("/"), none)
	if err != nil || result.(wasm.Result).IsErr {
		t.Fatal(result, err)
	}
	rec := result.(wasm.Result).Value.(wasm.Record)
	if rec.Get("status") != uint16(201) || string(rec.Get("body").(wasm.Option).Value.([]byte)) != "done" {
		t.Errorf("%v", rec)
	}
	found := false
	for _, h := range rec.Get("headers").([]any) {
		pair := h.([]any)
		found = found || pair[0] == "x-echo" && pair[1] == "1b\uFFFD"
	}
	if !found {
		t.Errorf("headers %v", rec.Get("headers"))
	}
	opts := wasm.Some(wasm.Record{{Name: "timeout-ms", Value: wasm.Some(uint32(5000))}, {Name: "allow-insecure", Value: wasm.Some(true)}, {Name: "follow-redirects", Value: wasm.Some(false)}})
	result, err = s.call(t, httpSend(interfaces.HTTP11, true), request("/away"), opts, none)
	if err != nil || result.(wasm.Result).Value.(wasm.Record).Get("status") != uint16(302) {
		t.Errorf("redirects were followed: %v %v", result, err)
	}
	opts = wasm.Some(wasm.Record{{Name: "timeout-ms", Value: wasm.Some(uint32(0))}})
	if code, _ := errorOf(t, must(s.call(t, httpSend(interfaces.HTTP11, true), request("/"), opts, none))); code != "unavailable" {
		t.Errorf("a deadline of nothing: %q", code)
	}
	if c := s.inv.calls[0]; c.Subject != "POST "+strings.TrimPrefix(server.URL, "http://") || !c.Effect || c.Outcome != "ok" {
		t.Errorf("recorded %+v", c)
	}
}

func TestHTTPIsDeniedByDefault(t *testing.T) {
	request := wasm.Record{{Name: "method", Value: "GET"}, {Name: "url", Value: "https://example.com/bot123"}, {Name: "headers", Value: []any{}}, {Name: "body", Value: none}}
	s := newSetting(t, ofTenant("a"), Request{})
	if code, message := errorOf(t, must(s.call(t, httpSend(interfaces.HTTP10, false), request, none))); code != "denied" || strings.Contains(message, "bot123") {
		t.Errorf("no grant: %s %s", code, message)
	}
	s.host.deps.HTTP = nil
	s.inv.request.Grants.Hosts = []HostGrant{{Host: "example.com"}}
	if code, _ := errorOf(t, must(s.call(t, httpSend(interfaces.HTTP10, false), request, none))); code != "denied" {
		t.Errorf("no client: %s", code)
	}
}

func TestLogLinesSayWhoseTheyAre(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{Pack: "p", Flow: "f", Node: "n"})
	span := wasm.Record{{Name: "tenant", Value: "b"}, {Name: "flow-id", Value: "other"}, {Name: "provider", Value: "telegram"}}
	fields := []any{[]any{"message", "hello"}, []any{"level", "warn"}, []any{"count", "3"}, []any{"long", strings.Repeat("x", 9000)}}
	if result, err := s.call(t, telemetryLog, span, fields, none); err != nil || result.(wasm.Result).IsErr {
		t.Fatal(result, err)
	}
	line := s.log.String()
	for _, want := range []string{`"level":"WARN"`, `"msg":"hello"`, `"tenant":"a"`, `"flow":"f"`, `"node":"n"`, `"provider":"telegram"`, `"fields":{"count":"3"`} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is not in %s", want, line)
		}
	}
	if len(line) > 4000 {
		t.Errorf("the line has %d bytes", len(line))
	}
}

func TestCancelledGuestsAreTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	if got, err := shouldCancel(ctx, nil, nil); got != false || err != nil {
		t.Error(got, err)
	}
	cancel()
	if got, err := shouldCancel(ctx, nil, nil); got != true || err != nil {
		t.Error(got, err)
	}
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{State: true}, State: deaf{context.Canceled}})
	if _, err := stateRead(ctx, &wasm.Call{Data: s.inv}, []any{"k", none}); !fault.Is(err, fault.Canceled) {
		t.Errorf("state after cancel: %v", err)
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{State: true}, State: notebook{}})
	for range maxCalls + 10 {
		_, _ = s.call(t, stateRead, "k", none)
	}
	if len(s.inv.calls) != maxCalls {
		t.Errorf("%d calls", len(s.inv.calls))
	}
}
