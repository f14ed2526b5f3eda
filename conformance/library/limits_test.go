package library

import (
	"context"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// pages is a host.State in memory.
type pages map[string][]byte

func (p pages) Read(_ context.Context, key string) ([]byte, error) {
	v, ok := p[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "state "+key, "nothing is kept there")
	}
	return v, nil
}

func (p pages) Write(_ context.Context, key string, value []byte) error {
	p[key] = append([]byte(nil), value...)
	return nil
}

func (p pages) Delete(_ context.Context, key string) error {
	delete(p, key)
	return nil
}

func TestAFormIsRememberedByTheHost(t *testing.T) {
	s := load(t, "qa", wasm.Limits{})
	state := pages{}
	s.grants.State, s.state = true, state
	questions := []any{object{"id": "name", "required": true}, object{"id": "size", "choices": []any{"S", "L"}}}
	for _, turn := range [][2]string{{"hello", "ask name"}, {"", "again name"}, {"Ada", "ask size"}, {"2", "done "}} {
		out := s.output("ask", object{"reply": turn[0], "questions": questions})
		asked, _ := out["asked"].(string)
		if got := out["status"].(string) + " " + asked; got != turn[1] {
			t.Fatalf("%q: %v", turn[0], out)
		}
		if turn[1] == "done " && (out["answers"].(object)["size"] != "L" || len(state) != 0) {
			t.Errorf("%v %v", out, state)
		}
	}
	s.grants.State = false
	if got, err := s.call("ask", object{"questions": questions}); err != nil || got.Fail == nil || got.Fail.Code != "state_denied" {
		t.Errorf("%v %+v", err, got.Fail)
	}
}

// A filter that wants all memory ends its own call and nothing else.
func TestAFilterThatWantsAllMemoryEndsItsCall(t *testing.T) {
	s := load(t, "transform", wasm.Limits{Memory: 64 << 20, Wall: 20 * time.Second})
	for _, filter := range []string{
		`"x" * 1e9 | length`,
		`[range(1e6)] | [., ., ., .] | tojson * 100`,
		`reduce range(40) as $i ("x"; . + .) | length`,
		`[limit(1e7; repeat("xxxxxxxxxxxxxxxx"))] | length`,
		`setpath([50000000]; 1) | length`,
	} {
		got, err := s.call("map", object{"filter": filter})
		if err == nil && got.OK {
			t.Errorf("%s gives %v", filter, got.Output)
		}
		if err != nil && !fault.Is(err, fault.Exhausted) {
			t.Errorf("%s: %v", filter, err)
		}
	}
	if out := s.output("map", object{"filter": "1 + 1"}); out["value"] == nil {
		t.Errorf("afterwards: %v", out)
	}
}

func TestFloodsOfTemplatesEndInNamedErrors(t *testing.T) {
	s := load(t, "templates", wasm.Limits{})
	list := make([]any, 500)
	in := object{"template": strings.Repeat("{{#each l}}", 4) + "x" + strings.Repeat("{{/each}}", 4), "data": object{"l": list}}
	if got, err := s.call("text", in); err != nil || got.Fail == nil || got.Fail.Code != "template_limit" {
		t.Errorf("%v %+v", err, got.Fail)
	}
}

// An input of another form is refused before anything is done, with its place.
func TestInputsThatDoNotFitAreRefusedWithTheirPlace(t *testing.T) {
	for name, c := range map[string]struct {
		op   string
		in   object
		says string
	}{
		"adaptive-card": {"card", object{"mode": "paint"}, "$.mode"},
		"http":          {"request", object{"url": 5}, "$.url"},
		"llm":           {"chat", object{"messages": []any{object{"role": "bot"}}}, "$.messages[0].role"},
		"qa":            {"next", object{"questions": []any{object{"id": "a", "required": "yes"}}}, "$.questions[0].required"},
		"router":        {"route", object{"rules": []any{}}, "$.text"},
		"templates":     {"text", object{"data": []any{}}, "$.data"},
		"transform":     {"map", object{"filter": ".", "vars": "x"}, "$.vars"},
	} {
		got, err := load(t, name, wasm.Limits{}).call(c.op, c.in)
		if err != nil || got.Fail == nil || got.Fail.Code != "invalid_input" || !strings.Contains(got.Fail.Message, c.says) {
			t.Errorf("%s: %v %+v", name, err, got.Fail)
		}
	}
}
