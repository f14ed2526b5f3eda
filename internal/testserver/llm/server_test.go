package llm_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"greentic.dev/internal/testserver/llm"
)

func post(t *testing.T, s *llm.Server, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp, string(text)
}

// What the real servers refuse is refused here, so that a client that passes here passes there.
func TestRequestsTheRealServersRefuseAreRefused(t *testing.T) {
	s := llm.Start(t)
	openai := []string{"Authorization", "Bearer " + llm.Key}
	anthropic := []string{"X-Api-Key", llm.Key, "Anthropic-Version", "2023-06-01"}
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		says             string
	}{
		{"no key", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, nil, 401, "invalid_api_key"},
		{"no such path", "/chat/completions", `{}`, openai, 404, "Invalid URL"},
		{"no JSON", "/v1/chat/completions", `{`, openai, 400, "could not parse"},
		{"no model", "/v1/chat/completions", `{"messages":[]}`, openai, 400, "model"},
		{"no messages", "/v1/chat/completions", `{"model":"m","messages":[]}`, openai, 400, "too short"},
		{"a role of its own", "/v1/chat/completions", `{"model":"m","messages":[{"role":"bot","content":"hi"}]}`, openai, 400, "Supported values"},
		{"a result without a call", "/v1/chat/completions", `{"model":"m","messages":[{"role":"tool","tool_call_id":"1","content":"hi"}]}`, openai, 400, "preceeding"},
		{"a call without a result", "/v1/chat/completions", `{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"hi"}]}`, openai, 400, "must be followed"},
		{"a schema that is no object", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"array"}}}}`, openai, 400, "response_format"},
		{"no version", "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}`, anthropic[:2], 400, "anthropic-version"},
		{"no limit", "/v1/messages", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, anthropic, 400, "max_tokens"},
		{"a system message", "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"system","content":"hi"}]}`, anthropic, 400, "should be"},
		{"two in a row", "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hi"},{"role":"user","content":"hi"}]}`, anthropic, 400, "alternate"},
		{"an empty text", "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`, anthropic, 400, "non-empty"},
		{"a foreign result", "/v1/messages", `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"1"}]}]}`, anthropic, 400, "tool_use_id"},
	} {
		resp, body := post(t, s, c.path, c.body, c.header...)
		if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.name, resp.StatusCode, body)
		}
	}
	if n := len(s.Asked()); n != 0 {
		t.Errorf("%d refused requests count as asked", n)
	}
}

func TestAScriptIsAnsweredInOrderThenItEchoes(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Text: "one"}, llm.Reply{Status: 429, RetryAfter: "7"})
	ask := func() (*http.Response, string) {
		return post(t, s, "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, "Authorization", "Bearer "+llm.Key)
	}
	if _, body := ask(); !strings.Contains(body, `"content":"one"`) {
		t.Error(body)
	}
	if resp, body := ask(); resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" || !strings.Contains(body, "rate_limit_exceeded") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if _, body := ask(); !strings.Contains(body, "You said: hi") {
		t.Error(body)
	}
	if n := len(s.Asked()); n != 3 {
		t.Errorf("%d requests", n)
	}
}

func TestAStreamThatIsCutOffHasNoEnd(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Text: "a b c d"}, llm.Reply{Text: "a b c d", CutAfter: 3})
	for _, whole := range []bool{true, false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/messages", strings.NewReader(`{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/json"}, "X-Api-Key": {llm.Key}, "Anthropic-Version": {"2023-06-01"}}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if bytes.Contains(body, []byte("event: message_stop\n")) != whole || (err == nil) != whole {
			t.Errorf("whole %v: %v %s", whole, err, body)
		}
	}
}
