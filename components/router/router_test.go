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

type object = map[string]any

var rules = []any{
	object{"intent": "order_status", "patterns": []any{`(?i)order\s+#?(?P<order>\d{4,})`}, "examples": []any{"where is my parcel", "has my order been shipped"}},
	object{"intent": "billing", "keywords": []any{"refund", "invoice*", "money back"}, "none": []any{"parking"}},
	object{"intent": "access", "all": []any{"password", "reset"}, "examples": []any{"I cannot log in to my account"}, "description": "passwords and accounts"},
}

func call(t *testing.T, in object) object {
	t.Helper()
	if in["rules"] == nil {
		in["rules"] = rules
	}
	out, err := component.Call(nil, "route", in)
	if err != nil {
		t.Fatalf("%v: %v", in, err)
	}
	return out.(object)
}

func TestRulesDecideInTheirOrder(t *testing.T) {
	for text, want := range map[string][3]string{
		"I want a REFUND!":               {"billing", "keyword", "refund"},
		"please give me my money back.":  {"billing", "keyword", "money back"},
		"two invoices are wrong":         {"billing", "keyword", "invoice*"},
		"refunds":                        {"none", "default", ""},
		"a refund for parking":           {"none", "default", ""},
		"what about order #12345?":       {"order_status", "pattern", `(?i)order\s+#?(?P<order>\d{4,})`},
		"refund order 12345":             {"order_status", "pattern", `(?i)order\s+#?(?P<order>\d{4,})`},
		"reset it, I forgot my password": {"access", "keyword", "password, reset"},
		"Where is my parcel?":            {"order_status", "example", "where is my parcel"},
		"where's the parcel of mine":     {"none", "default", ""},
		"I can't log in to my account":   {"access", "example", "I cannot log in to my account"},
		"was my order shipped":           {"order_status", "example", "has my order been shipped"},
		"how is the weather":             {"none", "default", ""},
		"":                               {"none", "default", ""},
	} {
		out := call(t, object{"text": text})
		matched, _ := out["matched"].(string)
		if got := [3]string{out["intent"].(string), out["by"].(string), matched}; got != want || out["status"] != out["intent"] {
			t.Errorf("%q: %v", text, out)
		}
	}
}

func TestNamedGroupsAreEntities(t *testing.T) {
	if out := call(t, object{"text": "Order 98765 please"}); !reflect.DeepEqual(out["entities"], object{"order": "98765"}) {
		t.Errorf("%v", out)
	}
}

func TestTheThresholdSaysHowLikeAnExampleATextMustBe(t *testing.T) {
	in := object{"text": "where is the parcel of mine", "config": object{"threshold": 0.3, "default": "other"}}
	if out := call(t, in); out["by"] != "example" || out["score"].(float64) >= 1 || out["score"].(float64) < 0.3 {
		t.Errorf("%v", out)
	}
	in["config"] = object{"threshold": 1, "default": "other"}
	if out := call(t, in); out["intent"] != "other" {
		t.Errorf("%v", out)
	}
}

// model calls the component with a model behind it.
func model(t *testing.T, s *llm.Server, text string) object {
	t.Helper()
	mock := greentic.Mock{HTTP: direct.Do(t), Secrets: map[string]string{"OPENAI_API_KEY": llm.Key}}
	out, err := component.Call(mock.Context(), "route", object{"text": text, "rules": rules, "config": object{"llm": object{"base_url": s.URL + "/v1", "model": "m"}, "hint": "A shop."}})
	if err != nil {
		t.Fatal(err)
	}
	return out.(object)
}

func TestAModelIsAskedOnlyWhenTheRulesDoNotSay(t *testing.T) {
	s := llm.Start(t)
	if out := model(t, s, "a refund, please"); out["by"] != "keyword" || len(s.Asked()) != 0 {
		t.Errorf("%v", out)
	}
	s.Next(llm.Reply{Text: `{"intent":"access","confidence":0.9}`})
	out := model(t, s, "the site does not know me any more")
	if out["intent"] != "access" || out["by"] != "llm" || out["score"] != 0.9 || out["model"] != "m" || out["usage"] == nil {
		t.Errorf("%v", out)
	}
	system := s.Asked()[0].Body["messages"].([]any)[0].(map[string]any)["content"].(string)
	for _, part := range []string{"A shop.", "- access: passwords and accounts", `such as: "where is my parcel"`, "- billing"} {
		if !strings.Contains(system, part) {
			t.Errorf("the model was not told %q: %s", part, system)
		}
	}
}

func TestAModelCannotInventAnIntent(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Text: `{"intent":"admin","confidence":1}`}, llm.Reply{Text: `{"intent":"billing","confidence":7}`})
	if out := model(t, s, "make me admin"); out["intent"] != "billing" || out["score"] != 1.0 || out["usage"].(object)["requests"] != int64(2) {
		t.Errorf("%v", out)
	}
	s.Next(llm.Reply{Text: `{"intent":"admin"}`}, llm.Reply{Text: `"admin"`})
	if out := model(t, s, "make me admin"); out["intent"] != "none" || out["by"] != "default" || out["error"] != "schema_mismatch" {
		t.Errorf("%v", out)
	}
}

func TestWithoutItsModelAMessageStillGoesSomewhere(t *testing.T) {
	s := llm.Start(t)
	s.Next(llm.Reply{Status: 429, RetryAfter: "5"})
	if out := model(t, s, "hello"); out["intent"] != "none" || out["by"] != "default" || out["error"] != "rate_limited" {
		t.Errorf("%v", out)
	}
}

func TestBrokenRulesAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		in         object
		code, says string
	}{
		{object{"text": "x"}, "no_rules", "rules"},
		{object{"text": "x", "rules": []any{object{"intent": "a"}}}, "invalid_rule", "rule 0, a"},
		{object{"text": "x", "rules": []any{object{"intent": "a", "patterns": []any{"("}}}}, "invalid_rule", "rule a: the pattern"},
		{object{"text": "x", "rules": []any{object{"intent": ""}}}, "invalid_input", "$.rules[0].intent"},
		{object{"rules": rules}, "invalid_input", "$.text"},
	} {
		_, err := component.Call(nil, "route", c.in)
		var e *greentic.Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.says) {
			t.Errorf("%v: %v", c.in, err)
		}
	}
}
