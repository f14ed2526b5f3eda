package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/components/internal/direct"
	"greentic.dev/sdk/go/greentic"
)

// seen is what the server was asked.
type seen struct {
	method, uri, body string
	header            http.Header
}

// ask sends a request through the component to a server that answers as told.
func ask(t *testing.T, in map[string]any, secrets map[string]string, answer func(w http.ResponseWriter)) (map[string]any, *seen, error) {
	t.Helper()
	var got *seen
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = &seen{r.Method, r.URL.RequestURI(), string(body), r.Header}
		answer(w)
	}))
	defer s.Close()
	config, _ := in["config"].(map[string]any)
	if config == nil {
		config = map[string]any{}
		in["config"] = config
	}
	config["base_url"] = s.URL + "/v1"
	mock := greentic.Mock{Secrets: secrets, HTTP: direct.Do(t)}
	out, err := component.Call(mock.Context(), "request", in)
	m, _ := out.(map[string]any)
	return m, got, err
}

func json(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func code(err error) string {
	var e *greentic.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestARequestIsSentAsWritten(t *testing.T) {
	for _, c := range []struct {
		name              string
		in                map[string]any
		method, uri, body string
		kind              string
	}{
		{"nothing but a path", map[string]any{"url": "/users"}, "GET", "/v1/users", "", ""},
		{"a query", map[string]any{"url": "users?a=1", "query": map[string]any{"b": "x y", "n": 3, "t": true, "l": []any{"1", 2}, "no": nil}}, "GET", "/v1/users?a=1&b=x+y&l=1&l=2&n=3&t=true", "", ""},
		{"an object", map[string]any{"url": "/users", "body": map[string]any{"name": "Ada", "n": 1}}, "POST", "/v1/users", `{"n":1,"name":"Ada"}`, "application/json"},
		{"a text", map[string]any{"url": "/users", "method": "put", "body": "hello"}, "PUT", "/v1/users", "hello", "text/plain; charset=utf-8"},
		{"a form", map[string]any{"url": "/login", "form": map[string]any{"user": "a&b", "z": "1"}}, "POST", "/v1/login", "user=a%26b&z=1", "application/x-www-form-urlencoded"},
		{"a type of one's own", map[string]any{"url": "/x", "body": "<a/>", "headers": map[string]any{"content-type": "application/xml"}}, "POST", "/v1/x", "<a/>", "application/xml"},
	} {
		out, got, err := ask(t, c.in, nil, json(200, `{}`))
		if err != nil || out["ok"] != true {
			t.Errorf("%s: %v %v", c.name, err, out)
			continue
		}
		if got.method != c.method || got.uri != c.uri || got.body != c.body || got.header.Get("Content-Type") != c.kind {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestCredentialsComeFromTheSecrets(t *testing.T) {
	in := func(auth map[string]any) map[string]any {
		return map[string]any{"url": "/", "config": map[string]any{"auth": auth, "headers": map[string]any{"X-Team": "a"}}, "headers": map[string]any{"x-team": "b"}}
	}
	_, got, err := ask(t, in(map[string]any{"type": "bearer"}), map[string]string{"HTTP_TOKEN": "s3cret"}, json(200, `{}`))
	if err != nil || got.header.Get("Authorization") != "Bearer s3cret" || got.header.Get("X-Team") != "b" {
		t.Errorf("%v %+v", err, got)
	}
	_, got, err = ask(t, in(map[string]any{"type": "api_key"}), map[string]string{"HTTP_API_KEY": "k"}, json(200, `{}`))
	if err != nil || got.header.Get("X-Api-Key") != "k" {
		t.Errorf("%v %+v", err, got)
	}
	_, got, err = ask(t, in(map[string]any{"type": "basic", "user": "u"}), nil, json(200, `{}`))
	if code(err) != "secret_not_found" || got != nil {
		t.Errorf("%v %+v", err, got)
	}
}

func TestAStatusThatIsNotAcceptedIsDataOrAFailure(t *testing.T) {
	out, _, err := ask(t, map[string]any{"url": "/"}, nil, json(404, `{"why":"gone"}`))
	if err != nil || out["ok"] != false || out["status"] != int64(404) || out["error"] != "the server answered 404" || out["body"].(map[string]any)["why"] != "gone" {
		t.Errorf("%v %v", err, out)
	}
	out, _, err = ask(t, map[string]any{"url": "/", "accept": []any{"2xx", "404"}}, nil, json(404, `{}`))
	if err != nil || out["ok"] != true || out["error"] != nil {
		t.Errorf("%v %v", err, out)
	}
	fail := func() map[string]any { return map[string]any{"url": "/", "config": map[string]any{"errors": "fail"}} }
	_, _, err = ask(t, fail(), nil, func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(503)
	})
	var e *greentic.Error
	if !errors.As(err, &e) || e.Code != "http_503" || !e.Retryable || e.BackoffMS != 3000 {
		t.Errorf("%+v", err)
	}
	if _, _, err = ask(t, fail(), nil, json(404, `{}`)); !errors.As(err, &e) || e.Code != "http_404" || e.Retryable {
		t.Errorf("%+v", err)
	}
}

func TestBodiesAreReadByTheirType(t *testing.T) {
	for _, c := range []struct {
		kind, raw string
		want      any
		encoding  any
		ok        bool
	}{
		{"application/json", `{"a":[1,2.5,null]}`, map[string]any{"a": []any{int64(1), 2.5, nil}}, nil, true},
		{"application/problem+json", `"x"`, "x", nil, true},
		{"text/plain", `{"a":1}`, `{"a":1}`, nil, true},
		{"application/json", `{"a":`, `{"a":`, nil, false},
		{"image/png", "\x89PNG", "iVBORw==", "base64", true},
		{"application/json", "", nil, nil, true},
	} {
		out, _, err := ask(t, map[string]any{"url": "/"}, nil, func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", c.kind)
			io.WriteString(w, c.raw)
		})
		if err != nil || !reflect.DeepEqual(out["body"], c.want) || out["encoding"] != c.encoding || out["ok"] != c.ok {
			t.Errorf("%s %q: %v %v", c.kind, c.raw, err, out)
		}
	}
}

func TestAMappingPicksFromTheAnswer(t *testing.T) {
	in := map[string]any{"url": "/", "map": map[string]any{"first": "/body/items/0/name", "none": "/body/items/7", "deep": []any{"/status", "/headers/x-count", "/ok"},
		"literal": "text", "n": 1, "odd": "/body/a~1b/c~0d", "all": "/body/items"}}
	out, _, err := ask(t, in, nil, func(w http.ResponseWriter) {
		w.Header().Set("X-Count", "2")
		json(200, `{"items":[{"name":"Ada"}],"a/b":{"c~d":true}}`)(w)
	})
	want := map[string]any{"first": "Ada", "none": nil, "deep": []any{int64(200), "2", true}, "literal": "text", "n": int64(1), "odd": true, "all": []any{map[string]any{"name": "Ada"}}}
	if err != nil || !reflect.DeepEqual(out["result"], want) {
		t.Errorf("%v %v", err, out["result"])
	}
}

func TestBadRequestsAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		in         map[string]any
		code, says string
	}{
		{map[string]any{"url": "ftp://example.com"}, "invalid_url", "ftp://example.com"},
		{map[string]any{"url": "/", "method": "BREW"}, "invalid_method", "BREW"},
		{map[string]any{"url": "/", "method": "or"}, "invalid_method", "or"},
		{map[string]any{"url": "/", "headers": map[string]any{"X": "a\r\nY: b"}}, "invalid_header", "X"},
		{map[string]any{"url": "/", "body": "x", "form": map[string]any{}}, "invalid_input", "not both"},
		{map[string]any{"url": "/", "query": map[string]any{"q": map[string]any{}}}, "invalid_input", "$.query.q"},
		{map[string]any{"url": "/", "accept": []any{"fine"}}, "invalid_input", "fine"},
		{map[string]any{"url": "/", "timeout_ms": 1e9}, "invalid_input", "300000"},
		{map[string]any{"url": "/", "config": map[string]any{"errors": "ignore"}}, "invalid_config", "ignore"},
	} {
		if _, _, err := ask(t, c.in, nil, json(200, "{}")); code(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.in, err)
		}
	}
}
