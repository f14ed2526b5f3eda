package host

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/backing/egress"
)

func grantTo(t *testing.T, server *httptest.Server) HostGrant {
	t.Helper()
	grant, err := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return grant
}

func TestTheWeatherComponentSendsThroughWASI(t *testing.T) {
	path := public(t, "weatherapi_current.component.wasm")
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.URL.String() != "/current.json?q=London&key=the-key" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"location":{"name":"London"},"current":{"temp_c":17.5}}`)
	}))
	defer server.Close()
	const key = "auth.param.get_weather.key"
	s := newSetting(t, ofTenant("a"), Request{})
	s.put(t, ofTenant("a"), key, "the-key")
	c := load(t, s, path)
	request := Request{Operation: "call", Grants: Grants{Hosts: []HostGrant{grantTo(t, server)}, Secrets: []string{key}},
		Input: map[string]any{"tool": "get_weather", "arguments": map[string]any{"q": "London", "base_url": server.URL}}}
	got, err := c.Invoke(t.Context(), ofTenant("a"), request)
	if err != nil || !got.OK {
		t.Fatalf("%+v %v", got, err)
	}
	answer := got.Output.(map[string]any)["result"].(map[string]any)["structured_content"]
	if !reflect.DeepEqual(answer, map[string]any{"location": map[string]any{"name": "London"}, "current": map[string]any{"temp_c": 17.5}}) {
		t.Errorf("%v", answer)
	}
	last := got.Calls[len(got.Calls)-1]
	if last.Import != wasiHTTP || last.Subject != "GET "+strings.TrimPrefix(server.URL, "http://") || last.Outcome != "ok" || last.Effect {
		t.Errorf("%+v", last)
	}

	request.Grants.Hosts = nil
	got, err = c.Invoke(t.Context(), ofTenant("a"), request)
	last = got.Calls[len(got.Calls)-1]
	if err != nil || got.OK && got.Output.(map[string]any)["ok"] == true || last.Outcome != "HTTP-request-denied" {
		t.Errorf("without a grant: %+v %v", got, err)
	}
}

func TestARequestThroughWASIIsJudgedAndRecorded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/die" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.Copy(rw, r.Body)
	}))
	defer server.Close()
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{Hosts: []HostGrant{grantTo(t, server)}}})
	for _, c := range []struct {
		method, url, outcome string
		effect               bool
	}{
		{"GET", server.URL, "ok", false},
		{"POST", server.URL, "ok", true},
		{"POST", server.URL + "/die", "connection-terminated", true},
		{"POST", "http://127.0.0.1:1/", "HTTP-request-denied", false},
		{"TRACE", server.URL, "HTTP-protocol-error", false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.inv.transport().RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		got := s.inv.calls[len(s.inv.calls)-1]
		if (err == nil) != (c.outcome == "ok") || got.Outcome != c.outcome || got.Effect != c.effect || got.Subject != c.method+" "+req.URL.Host {
			t.Errorf("%s %s: %+v %v", c.method, c.url, got, err)
		}
	}
	if (&invocation{host: New(Deps{}, Options{})}).transport() != nil {
		t.Error("a host without a client sends requests")
	}
}
