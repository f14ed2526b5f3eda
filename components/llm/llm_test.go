package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/components/internal/direct"
	"greentic.dev/internal/testserver/llm"
	"greentic.dev/sdk/go/greentic"
)

// through calls the component with a server behind it.
func through(t *testing.T, s *llm.Server, op string, in map[string]any, config map[string]any) (map[string]any, error) {
	t.Helper()
	all := map[string]any{"base_url": s.URL + "/v1", "model": "m"}
	for k, v := range config {
		all[k] = v
	}
	in["config"] = all
	mock := greentic.Mock{HTTP: direct.Do(t), Secrets: map[string]string{"OPENAI_API_KEY": llm.Key, "ANTHROPIC_API_KEY": llm.Key}}
	out, err := component.Call(mock.Context(), op, in)
	m, _ := out.(map[string]any)
	return m, err
}

func code(err error) string {
	var e *greentic.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestAChatGoesOnWithItsMessages(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Text: "Hi Ada"}, llm.Reply{Text: "You are Ada"})
	first, err := through(t, s, "chat", map[string]any{"prompt": "I am Ada"}, map[string]any{"system": "Be short."})
	if err != nil || first["status"] != "ok" || first["text"] != "Hi Ada" || first["model"] != "m" {
		t.Fatalf("%v %v", err, first)
	}
	second, err := through(t, s, "chat", map[string]any{"messages": first["messages"], "prompt": "Who am I?"}, map[string]any{"system": "Be short."})
	if err != nil || second["text"] != "You are Ada" || len(second["messages"].([]any)) != 4 {
		t.Fatalf("%v %v", err, second)
	}
	sent, err := greentic.EncodeJSON(s.Asked()[1].Body["messages"])
	want := `[{"content":"Be short.","role":"system"},{"content":"I am Ada","role":"user"},{"content":"Hi Ada","role":"assistant"},{"content":"Who am I?","role":"user"}]`
	if err != nil || string(sent) != want {
		t.Errorf("%s", sent)
	}
	if u := second["usage"].(map[string]any); u["requests"] != int64(1) || u["total_tokens"] == int64(0) {
		t.Errorf("%v", u)
	}
}

func TestInputGoesBeforeConfiguration(t *testing.T) {
	s := llm.Start(t)
	config := map[string]any{"system": "config", "temperature": 0.1, "max_tokens": 10, "stream": true, "fallback": []any{map[string]any{"model": "other"}}}
	if _, err := through(t, s, "chat", map[string]any{"prompt": "hi", "system": "input", "model": "mine", "temperature": 0.9, "max_tokens": 20}, config); err != nil {
		t.Fatal(err)
	}
	body := s.Asked()[0].Body
	if body["model"] != "mine" || body["temperature"] != 0.9 || body["max_tokens"] != 20.0 || body["stream"] != true || body["messages"].([]any)[0].(map[string]any)["content"] != "input" {
		t.Errorf("%v", body)
	}
	if _, err := through(t, s, "chat", map[string]any{"prompt": "hi"}, config); err != nil {
		t.Fatal(err)
	}
	if body := s.Asked()[1].Body; body["model"] != "m" || body["temperature"] != 0.1 || body["max_tokens"] != 10.0 {
		t.Errorf("%v", body)
	}
}

func TestExtractGivesAValueThatFits(t *testing.T) {
	s := llm.Start(t)
	schema := map[string]any{"type": "object", "required": []any{"city"}, "properties": map[string]any{"city": map[string]any{"type": "string", "minLength": 1}}}
	s.Next(llm.Reply{Text: `{"city":""}`}, llm.Reply{Text: `{"city":"Bern"}`})
	out, err := through(t, s, "extract", map[string]any{"prompt": "weather in Bern?", "schema": schema}, nil)
	if err != nil || !reflect.DeepEqual(out["value"], map[string]any{"city": "Bern"}) || out["repairs"] != int64(1) || out["status"] != "ok" {
		t.Errorf("%v %v", err, out)
	}
	if _, err := through(t, s, "extract", map[string]any{"prompt": "x", "schema": map[string]any{"type": "objekt"}}, nil); code(err) != "invalid_schema" {
		t.Error(err)
	}
	s.Next(llm.Reply{Text: `no`})
	if _, err := through(t, s, "extract", map[string]any{"prompt": "x", "schema": schema}, map[string]any{"repairs": 0}); code(err) != "schema_mismatch" {
		t.Error(err)
	}
}

func TestToolCallsAreForTheFlow(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Calls: []llm.Call{{ID: "c1", Name: "weather", Arguments: `{"city":"Bern"}`}}})
	tools := []any{map[string]any{"name": "weather", "schema": map[string]any{"type": "object"}}}
	out, err := through(t, s, "chat", map[string]any{"prompt": "weather?", "tools": tools}, nil)
	if err != nil || out["status"] != "tool_calls" || out["tool_calls"].([]any)[0].(map[string]any)["arguments"].(map[string]any)["city"] != "Bern" {
		t.Fatalf("%v %v", err, out)
	}
	messages := append(out["messages"].([]any), map[string]any{"role": "tool", "tool_call_id": "c1", "content": "sunny"})
	if out, err = through(t, s, "chat", map[string]any{"messages": messages, "tools": tools, "history": 1}, nil); err != nil || out["status"] != "ok" {
		t.Errorf("the call was parted from its result: %v %v", err, out)
	}
}

func TestAnotherServerStandsIn(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Status: 529}, llm.Reply{Text: "here"})
	out, err := through(t, s, "chat", map[string]any{"prompt": "hi"}, map[string]any{"fallback": []any{map[string]any{"protocol": "anthropic", "base_url": s.URL, "model": "second"}}})
	if err != nil || out["model"] != "second" || !reflect.DeepEqual(out["tried"], []any{map[string]any{"model": "m", "code": "unavailable"}}) {
		t.Errorf("%v %v", err, out)
	}
	if a := s.Asked(); len(a) != 2 || a[1].Protocol != "anthropic" {
		t.Errorf("%v", a)
	}
}

func TestBadCallsAreRefusedByName(t *testing.T) {
	s := llm.Start(t)
	for _, c := range []struct {
		in, config map[string]any
		code, says string
	}{
		{map[string]any{}, nil, "invalid_input", "prompt or messages"},
		{map[string]any{"prompt": "x", "temperature": 3}, nil, "invalid_input", "$.temperature"},
		{map[string]any{"messages": []any{map[string]any{"role": "bot", "content": "x"}}}, nil, "invalid_input", "bot"},
		{map[string]any{"prompt": "x"}, map[string]any{"protocol": "soap"}, "invalid_config", "soap"},
		{map[string]any{"prompt": "x"}, map[string]any{"model": ""}, "invalid_config", "model"},
		{map[string]any{"prompt": "x"}, map[string]any{"base_url": "example.com"}, "invalid_url", "example.com"},
	} {
		if _, err := through(t, s, "chat", c.in, c.config); code(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v %v: %v", c.in, c.config, err)
		}
	}
	if len(s.Asked()) != 0 {
		t.Error("the server was asked")
	}
}

func TestTheLogCountsTokensAndTellsNoText(t *testing.T) {
	s := llm.Start(t)
	var lines []map[string]string
	mock := greentic.Mock{HTTP: direct.Do(t), Secrets: map[string]string{"OPENAI_API_KEY": llm.Key}, Log: func(l map[string]string) { lines = append(lines, l) }}
	in := map[string]any{"prompt": "private words", "config": map[string]any{"base_url": s.URL + "/v1", "model": "m"}}
	if _, err := component.Call(mock.Context(), "chat", in); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || lines[0]["model"] != "m" || lines[0]["output_tokens"] == "" {
		t.Fatalf("%v", lines)
	}
	for _, v := range lines[0] {
		if strings.Contains(v, "private") || strings.Contains(v, llm.Key) {
			t.Errorf("%v", lines)
		}
	}
}
