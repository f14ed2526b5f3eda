package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/sdk/go/greentic"
)

type object = map[string]any

func call(t *testing.T, ctx *greentic.Context, op string, in object) object {
	t.Helper()
	out, err := component.Call(ctx, op, in)
	if err != nil {
		t.Fatalf("%s %v: %v", op, in, err)
	}
	return out.(object)
}

func code(err error) string {
	var e *greentic.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// order is a form with every rule: a choice, numbers, an optional text, and what depends on answers.
var order = []any{
	object{"id": "size", "label": "Which size?", "kind": "choice", "choices": []any{object{"value": "s", "label": "Small"}, object{"value": "l", "label": "Large"}}, "required": true},
	object{"id": "count", "label": "How many?", "kind": "integer", "min": 1, "max": 10, "required": true},
	object{"id": "gift", "label": "Is it a gift?", "kind": "bool"},
	object{"id": "card", "label": "What shall the card say?", "required": true, "skip_if": object{"condition": object{"field": "gift", "not_equals": true}}},
	object{"id": "note", "label": "Anything else?"},
}

func TestOneQuestionAfterTheOther(t *testing.T) {
	ctx := greentic.Mock{}.Context()
	config := object{"questions": order}
	for i, turn := range []struct {
		reply         any
		status, asked string
		says          string
	}{
		{"hi there", "ask", "size", "Which size?\n1. Small\n2. Large"},
		{"huge", "again", "size", "please choose one of: Small, Large\nWhich size?"},
		{"LARGE", "ask", "count", "How many?"},
		{"a few", "again", "count", "this is no number"},
		{"2.5", "again", "count", "this is no whole number"},
		{"11", "again", "count", "at most 10 please"},
		{" 2 ", "ask", "gift", "Is it a gift?"},
		{"maybe", "again", "gift", "please say yes or no"},
		{"Ja", "ask", "card", "What shall the card say?"},
		{"", "again", "card", "please answer this"},
		{"For you", "ask", "note", "Anything else?"},
		{"", "done", "", ""},
	} {
		out := call(t, ctx, "ask", object{"reply": turn.reply, "config": config})
		asked, _ := out["asked"].(string)
		text, _ := out["text"].(string)
		if out["status"] != turn.status || asked != turn.asked || !strings.Contains(text, turn.says) {
			t.Fatalf("turn %d, %v: %v", i, turn.reply, out)
		}
		if turn.status == "done" {
			want := object{"size": "l", "count": int64(2), "gift": true, "card": "For you", "note": nil}
			if !reflect.DeepEqual(out["answers"], want) {
				t.Errorf("%v", out["answers"])
			}
		}
	}
	if out := call(t, ctx, "ask", object{"reply": "hi", "config": config}); out["status"] != "ask" || out["answered"] != int64(0) {
		t.Errorf("a form that is done begins anew: %v", out)
	}
}

func TestFormsOfOneConversationDoNotMix(t *testing.T) {
	ctx := greentic.Mock{}.Context()
	config := object{"questions": order}
	call(t, ctx, "ask", object{"config": config, "name": "a"})
	call(t, ctx, "ask", object{"config": config, "name": "a", "reply": "1"})
	if out := call(t, ctx, "ask", object{"config": config, "name": "b", "reply": "1"}); out["asked"] != "size" || out["answered"] != int64(0) {
		t.Errorf("%v", out)
	}
}

func TestNextIsTheSameWithoutAMemory(t *testing.T) {
	out := call(t, nil, "next", object{"questions": order})
	out = call(t, nil, "next", object{"questions": order, "answers": out["answers"], "asked": out["asked"], "reply": "2"})
	if !reflect.DeepEqual(out["answers"], object{"size": "l"}) || out["asked"] != "count" || out["answered"] != int64(1) || out["total"] != int64(4) {
		t.Errorf("%v", out)
	}
	q := out["question"].(object)
	if q["kind"] != "integer" || q["label"] != "How many?" {
		t.Errorf("%v", q)
	}
}

func TestAnswersToSkippedQuestionsAreDropped(t *testing.T) {
	answers := object{"size": "s", "count": 1, "gift": "no", "card": "left from before", "note": "x"}
	want := object{"size": "s", "count": int64(1), "gift": false, "note": "x"}
	if out := call(t, nil, "check", object{"questions": order, "answers": answers}); out["ok"] != true || !reflect.DeepEqual(out["answers"], want) {
		t.Errorf("%v", out)
	}
	if out := call(t, nil, "next", object{"questions": order, "answers": object{"size": "s", "count": 1, "gift": false, "card": "old", "note": nil}}); out["status"] != "done" || out["answers"].(object)["card"] != nil {
		t.Errorf("%v", out)
	}
}

func TestCheckNamesEveryWrongAnswer(t *testing.T) {
	out := call(t, nil, "check", object{"questions": order, "answers": object{"size": "xl", "gift": true}})
	errors := out["errors"].(object)
	if out["status"] != "error" || out["ok"] != false || len(errors) != 3 || errors["card"] != "please answer this" || errors["count"] != "please answer this" || !strings.Contains(errors["size"].(string), "Small, Large") {
		t.Errorf("%v", out)
	}
	if text := out["text"].(string); !strings.Contains(text, "How many?: please answer this\n") {
		t.Errorf("%q", text)
	}
}

func TestAnswersAreTyped(t *testing.T) {
	for _, c := range []struct {
		question object
		reply    any
		want     any // nil: it is refused
	}{
		{object{"kind": "number"}, "3,5", 3.5},
		{object{"kind": "number"}, "1 000", int64(1000)},
		{object{"kind": "number"}, 2.5, 2.5},
		{object{"kind": "number"}, "NaN", nil},
		{object{"kind": "number"}, "1,000.5", nil},
		{object{"kind": "number"}, "0x10", nil},
		{object{"kind": "number"}, "1e999", nil},
		{object{"kind": "number", "min": 0.5}, "0.4", nil},
		{object{"kind": "integer"}, "9007199254740993", nil},
		{object{"kind": "bool"}, true, true},
		{object{"kind": "bool"}, "off", false},
		{object{"kind": object{"type": "choice", "options": []any{object{"value": "a", "label": object{"key": "k", "fallback": "Ay"}}}}}, "ay", "a"},
		{object{"choices": []any{"x", 5}}, 5, "5"},
		{object{"choices": []any{"x", "y"}}, "3", nil},
		{object{"kind": "choices", "choices": []any{"x", "y", "z"}}, "z, 1, z", []any{"z", "x"}},
		{object{"kind": "choices", "choices": []any{"x", "y", "z"}, "max": 1}, []any{"x", "y"}, nil},
		{object{"kind": "date"}, "2026-02-29", nil},
		{object{"kind": "date"}, "2028-02-29", "2028-02-29"},
		{object{"format": "email"}, "ada@example.com", "ada@example.com"},
		{object{"format": "email"}, "Ada <ada@example.com>", nil},
		{object{"format": "email"}, "ada@localhost", nil},
		{object{"format": "url"}, "https://example.com/x", "https://example.com/x"},
		{object{"format": "url"}, "javascript:alert(1)", nil},
		{object{"pattern": "[A-Z]{2}\\d+"}, "AB12", "AB12"},
		{object{"pattern": "[A-Z]{2}\\d+"}, "xAB12", nil},
		{object{"min": 3}, "äöü", "äöü"},
		{object{"max": 2}, "äöü", nil},
		{object{"kind": "json"}, `{"a": [1]}`, object{"a": []any{int64(1)}}},
		{object{"kind": "json"}, `{"a"`, nil},
		{object{"default": "none"}, "  ", "none"},
		{object{"kind": "integer", "default": 7}, nil, int64(7)},
	} {
		c.question["id"] = "q"
		out := call(t, nil, "check", object{"questions": []any{c.question}, "answers": object{"q": c.reply}})
		got := out["answers"].(object)["q"]
		if out["ok"] != (c.want != nil) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v %#v: %v", c.question, c.reply, out)
		}
	}
}

func TestRulesDecideWhatIsAsked(t *testing.T) {
	cond := func(field, test string, v any) object { return object{"condition": object{"field": field, test: v}} }
	for _, c := range []struct {
		rule    object
		answers object
		asked   bool
	}{
		{object{"skip_if": cond("a", "equals", "x")}, object{"a": "X"}, false},
		{object{"skip_if": cond("a", "equals", "x")}, object{"a": "y"}, true},
		{object{"skip_if": cond("a", "equals", "x")}, object{}, true},
		{object{"skip_if": cond("a", "not_equals", "x")}, object{}, false},
		{object{"skip_if": cond("a", "equals", "3")}, object{"a": 3}, false},
		{object{"skip_if": cond("a", "is_empty", true)}, object{}, false},
		{object{"skip_if": cond("a", "is_empty", true)}, object{"a": "x"}, true},
		{object{"skip_if": cond("a", "is_not_empty", true)}, object{"a": "x"}, false},
		{object{"skip_if": object{"condition": object{"field": "a", "equals": "x", "is_empty": false, "is_not_empty": false}}}, object{"a": "x"}, false},
		{object{"skip_if": object{"and": []any{cond("a", "equals", "x"), cond("b", "equals", "y")}}}, object{"a": "x", "b": "y"}, false},
		{object{"skip_if": object{"and": []any{cond("a", "equals", "x"), cond("b", "equals", "y")}}}, object{"a": "x"}, true},
		{object{"skip_if": object{"or": []any{cond("a", "equals", "x"), cond("b", "equals", "y")}}}, object{"b": "y"}, false},
		{object{"skip_if": object{"not": cond("a", "equals", "x")}}, object{"a": "y"}, false},
		{object{"skip_if": object{"nonsense": true}}, object{}, true},
		{object{"show_if": object{"id": "a", "equals": "x"}}, object{"a": "x"}, true},
		{object{"show_if": object{"id": "a", "equals": "x"}}, object{}, false},
		{object{"show_if": false}, object{}, false},
	} {
		c.rule["id"] = "q"
		questions := []any{object{"id": "a"}, object{"id": "b"}, c.rule}
		answers := object{"a": nil, "b": nil}
		for k, v := range c.answers {
			answers[k] = v
		}
		out := call(t, nil, "next", object{"questions": questions, "answers": answers})
		if got := out["asked"] == "q"; got != c.asked {
			t.Errorf("%v after %v: %v", c.rule, c.answers, out)
		}
	}
}

func TestTextsAreInTheUsersWords(t *testing.T) {
	config := object{"texts": object{"q.size": "Welche Grösse?"}, "messages": object{"number": "das ist keine Zahl"}}
	questions := []any{object{"id": "n", "kind": "number", "label": object{"key": "q.size", "fallback": "Which size?"}, "help": object{"key": "q.help"}}}
	out := call(t, nil, "next", object{"questions": questions, "config": config, "asked": "n", "reply": "x"})
	if out["error"] != "das ist keine Zahl" || out["question"].(object)["label"] != "Welche Grösse?" || out["question"].(object)["help"] != "{{i18n:q.help}}" {
		t.Errorf("%v", out)
	}
	questions[0].(object)["error"] = "A number, please!"
	if out = call(t, nil, "next", object{"questions": questions, "config": config, "asked": "n", "reply": "x"}); out["error"] != "A number, please!" {
		t.Errorf("%v", out)
	}
}

func TestAFormIsACard(t *testing.T) {
	questions := append([]any{object{"id": "mail", "format": "email", "required": true, "error": "Your address, please"}, object{"id": "day", "kind": "date"},
		object{"id": "tags", "kind": "choices", "choices": []any{"a", "b"}, "default": []any{"a", "b"}}}, order...)
	out := call(t, nil, "form", object{"questions": questions, "answers": object{"count": 2, "gift": false}, "config": object{"title": "Order", "submit": "Send"}})
	card := out["card"].(object)
	kinds := ""
	for _, item := range card["body"].([]any) {
		m := item.(object)
		id, _ := m["id"].(string)
		kinds += id + ":" + m["type"].(string) + " "
	}
	want := ":TextBlock mail:Input.Text day:Input.Date tags:Input.ChoiceSet size:Input.ChoiceSet count:Input.Number gift:Input.Toggle note:Input.Text "
	if card["type"] != "AdaptiveCard" || card["version"] != "1.3" || kinds != want {
		t.Errorf("%q %v", kinds, card)
	}
	body := card["body"].([]any)
	if mail := body[1].(object); mail["isRequired"] != true || mail["errorMessage"] != "Your address, please" || mail["style"] != "Email" {
		t.Errorf("%v", mail)
	}
	if tags, count := body[3].(object), body[5].(object); tags["value"] != "a,b" || tags["isMultiSelect"] != true || count["value"] != int64(2) || count["max"] != 10.0 {
		t.Errorf("%v %v", tags, count)
	}
}

func TestBrokenQuestionsAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		questions  []any
		code, says string
	}{
		{[]any{}, "no_questions", "questions"},
		{[]any{object{"id": "a"}, object{"id": "a"}}, "invalid_question", "question a: the id is there twice"},
		{[]any{object{"id": "a", "kind": "colour"}}, "invalid_question", "colour"},
		{[]any{object{"id": "a", "kind": "choice"}}, "invalid_question", "needs choices"},
		{[]any{object{"id": "a", "pattern": "("}}, "invalid_question", "pattern"},
		{[]any{object{"label": "x"}}, "invalid_input", "id"},
	} {
		if _, err := component.Call(nil, "next", object{"questions": c.questions}); code(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.questions, err)
		}
	}
}
