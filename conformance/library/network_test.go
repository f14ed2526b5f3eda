package library

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"greentic.dev/internal/testserver/llm"
	"greentic.dev/wasm"
)

// model is the component llm with a server it may reach, and a configuration for each protocol.
func model(t *testing.T) (*subject, *llm.Server, map[string]object) {
	t.Helper()
	server := llm.Start(t)
	s := load(t, "llm", wasm.Limits{})
	s.allow(server.URL)
	s.put("OPENAI_API_KEY", llm.Key)
	s.put("ANTHROPIC_API_KEY", llm.Key)
	return s, server, map[string]object{
		"openai":    {"protocol": "openai", "base_url": server.URL + "/v1", "model": "m"},
		"anthropic": {"protocol": "anthropic", "base_url": server.URL, "model": "m"},
	}
}

func with(config object, more object) object {
	all := object{}
	for _, m := range []object{config, more} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func TestModelsAnswerThroughTheHost(t *testing.T) {
	s, server, configs := model(t)
	for protocol, config := range configs {
		for _, stream := range []bool{false, true} {
			server.Next(llm.Reply{Text: "Good day to you"})
			out := s.output("chat", object{"prompt": "hi", "config": with(config, object{"stream": stream, "system": "Be kind."})})
			usage, _ := out["usage"].(object)
			if out["text"] != "Good day to you" || out["status"] != "ok" || usage["output_tokens"] != uint64(4) && usage["output_tokens"] != int64(4) {
				t.Errorf("%s, streamed %v: %v", protocol, stream, out)
			}
		}
	}
	for _, asked := range server.Asked() {
		if asked.Header.Get("Idempotency-Key") == "" {
			t.Error("a request that costs money carries no idempotency key")
		}
	}
}

func TestAStructuredAnswerIsRepairedThroughTheHost(t *testing.T) {
	s, server, configs := model(t)
	schema := object{"type": "object", "required": []any{"city"}, "properties": object{"city": object{"type": "string", "minLength": 1}}}
	for protocol, config := range configs {
		for _, text := range []string{`{"city":""}`, `{"city":"Bern"}`} {
			reply := llm.Reply{Text: text}
			if protocol == "anthropic" {
				reply = llm.Reply{Calls: []llm.Call{{ID: "c", Name: "answer", Arguments: text}}}
			}
			server.Next(reply)
		}
		out := s.output("extract", object{"prompt": "where?", "schema": schema, "config": config})
		if !reflect.DeepEqual(out["value"], object{"city": "Bern"}) {
			t.Errorf("%s: %v", protocol, out)
		}
	}
}

func TestFailuresOfModelsReachTheFlow(t *testing.T) {
	s, server, configs := model(t)
	for _, c := range []struct {
		reply   llm.Reply
		code    string
		retry   bool
		backoff time.Duration
	}{
		{llm.Reply{Status: 401}, "unauthenticated", false, 0},
		{llm.Reply{Status: 429, RetryAfter: "7"}, "rate_limited", true, 7 * time.Second},
		{llm.Reply{Status: 429, Code: "insufficient_quota"}, "quota_exhausted", false, 0},
		{llm.Reply{Status: 503}, "unavailable", true, 0},
		{llm.Reply{Raw: `{"choices":`}, "malformed_answer", true, 0},
		{llm.Reply{Text: "one two three four", EndAfter: 3}, "truncated", true, 0},
		{llm.Reply{Text: "one two three four", CutAfter: 3}, "unreachable", true, 0},
		{llm.Reply{Finish: "content_filter"}, "content_filter", false, 0},
	} {
		for protocol, config := range configs {
			server.Next(c.reply)
			got, err := s.call("chat", object{"prompt": "hi", "config": with(config, object{"stream": c.reply.EndAfter+c.reply.CutAfter > 0})})
			if err != nil || got.Fail == nil || got.Fail.Code != c.code || got.Fail.Retryable != c.retry || got.Backoff != c.backoff {
				t.Errorf("%s, %+v: %v %+v %s", protocol, c.reply, err, got.Fail, got.Backoff)
			} else if strings.Contains(got.Fail.Message, llm.Key) {
				t.Errorf("the key is told: %s", got.Fail.Message)
			}
		}
	}
}

func TestAModelThatIsNotGrantedIsNotReached(t *testing.T) {
	s, server, configs := model(t)
	s.grants.Hosts = nil
	if got, err := s.call("chat", object{"prompt": "hi", "config": configs["openai"]}); err != nil || got.Fail == nil || got.Fail.Code != "http_denied" || got.Fail.Retryable {
		t.Errorf("%v %+v", err, got.Fail)
	}
	if len(server.Asked()) != 0 {
		t.Error("it was asked")
	}
}

func TestTheRouterAsksAModelThroughTheHost(t *testing.T) {
	server := llm.Start(t)
	s := load(t, "router", wasm.Limits{})
	s.allow(server.URL)
	s.put("OPENAI_API_KEY", llm.Key)
	server.Next(llm.Reply{Text: `{"intent":"billing","confidence":0.8}`})
	in := object{"text": "my money", "rules": []any{object{"intent": "billing", "keywords": []any{"refund"}}}, "config": object{"llm": object{"base_url": server.URL + "/v1", "model": "m"}}}
	if out := s.output("route", in); out["status"] != "billing" || out["by"] != "llm" {
		t.Errorf("%v", out)
	}
}

func TestARequestIsSentThroughTheHost(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/busy":
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/moved":
			http.Redirect(w, r, "/users", http.StatusFound)
		default:
			io.WriteString(w, `{"auth":"`+r.Header.Get("Authorization")+`","method":"`+r.Method+`","query":"`+r.URL.RawQuery+`","sent":`+string(append(body, []byte("null")[min(len(body), 4):]...))+`}`)
		}
	}))
	defer server.Close()
	s := load(t, "http", wasm.Limits{})
	s.allow(server.URL)
	s.put("HTTP_TOKEN", "s3cret")
	config := object{"base_url": server.URL, "auth": object{"type": "bearer"}}

	out := s.output("request", object{"url": "/users", "query": object{"a": "1"}, "body": object{"n": 1}, "map": object{"n": "/body/sent/n", "m": "/body/method"}, "config": config})
	if body := out["body"].(object); out["ok"] != true || body["auth"] != "Bearer s3cret" || body["query"] != "a=1" {
		t.Errorf("%v", out)
	}
	if result := out["result"].(object); result["m"] != "POST" || result["n"] == nil {
		t.Errorf("%v", result)
	}
	if out = s.output("request", object{"url": "/moved", "redirects": "keep", "config": config}); out["status"] != uint64(302) && out["status"] != int64(302) {
		t.Errorf("%v", out)
	}
	got, err := s.call("request", object{"url": "/busy", "config": with(config, object{"errors": "fail"})})
	if err != nil || got.Fail == nil || got.Fail.Code != "http_503" || !got.Fail.Retryable || got.Backoff != 3*time.Second {
		t.Errorf("%v %+v %s", err, got.Fail, got.Backoff)
	}
	got, err = s.call("request", object{"url": "http://127.0.0.1:1/", "config": object{}})
	if err != nil || got.Fail == nil || got.Fail.Code != "http_denied" {
		t.Errorf("%v %+v", err, got.Fail)
	}
}

func TestAServerThatDoesNotAnswerInTimeIsAFailureNotTheEndOfTheStep(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then a server does not see that its client is gone
		<-r.Context().Done()
	}))
	defer server.Close()
	s := load(t, "http", wasm.Limits{})
	s.allow(server.URL)
	got, err := s.call("request", object{"url": server.URL, "timeout_ms": 100})
	if err != nil || got.Fail == nil || got.Fail.Code != "http_unavailable" || !got.Fail.Retryable {
		t.Errorf("%v %+v", err, got.Fail)
	}
	s = load(t, "llm", wasm.Limits{})
	s.allow(server.URL)
	s.put("OPENAI_API_KEY", llm.Key)
	got, err = s.call("chat", object{"prompt": "hi", "config": object{"base_url": server.URL, "model": "m", "timeout_ms": 100}})
	if err != nil || got.Fail == nil || got.Fail.Code != "unreachable" || !got.Fail.Retryable {
		t.Errorf("%v %+v", err, got.Fail)
	}
}
