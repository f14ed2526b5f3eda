package form_test

import (
	"reflect"
	"strings"
	"testing"

	"greentic.dev/model/flow/form"
)

func TestAnAnswerGetsTheTypeOfItsQuestion(t *testing.T) {
	for _, c := range []struct {
		kind  string
		given any
		want  any
		wrong string
	}{
		{"string", "  keep me ", "  keep me ", ""}, {"string", 4.5, "4.5", ""}, {"string", []any{}, nil, "a text is needed"},
		{"bool", "Yes", true, ""}, {"boolean", "off", false, ""}, {"bool", true, true, ""}, {"bool", "maybe", nil, "answer yes or no"},
		{"int", "42", int64(42), ""}, {"int", 3.0, int64(3), ""}, {"int", "9223372036854775807", int64(9223372036854775807), ""}, {"int", "4.2", nil, "a whole number is needed"},
		{"number", "4.25", 4.25, ""}, {"number", int64(4), 4.0, ""}, {"number", "NaN", nil, "a number is needed"}, {"number", "1e999", nil, "a number is needed"},
		{"choice", "B", "b", ""}, {"choice", "2", "b", ""}, {"choice", "Third", int64(3), ""}, {"choice", "x", nil, "answer one of a, b, Third"},
		{"string", strings.Repeat("x", 70_000), nil, "it is longer than 65536 bytes"},
	} {
		f, wrong := form.Read(map[string]any{"fields": []any{map[string]any{"id": "q", "type": c.kind, "options": []any{"a", "b", map[string]any{"value": int64(3), "label": "Third"}}}}})
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		if v, problem := f.Fields[0].Accept(c.given); !reflect.DeepEqual(v, c.want) || problem != c.wrong {
			t.Errorf("%s %v: %v, %q", c.kind, c.given, v, problem)
		}
	}
}

func TestWhatIsWrongWithAFormIsToldWithItsPlace(t *testing.T) {
	field := func(pairs ...any) map[string]any {
		m := map[string]any{"id": "q"}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return map[string]any{"fields": []any{m}}
	}
	many := make([]any, form.MaxFields+1)
	for _, c := range []struct {
		payload any
		way     string
		message string
	}{
		{"text", "", "questions needs fields"},
		{map[string]any{"fields": many}, "fields", "at most 200 are allowed"},
		{field("id", ""), "fields.0", "needs an id"},
		{field("type", "date"), "fields.0.type", `unknown type "date"`},
		{field("type", "choice"), "fields.0.type", "a choice without options"},
		{field("type", "int", "default", "x"), "fields.0.default", "a whole number is needed"},
		{field("required", "yes"), "fields.0.required", "of the wrong sort"},
		{field("show_if", map[string]any{"id": "gone"}), "fields.0.show_if", "depends on gone"},
		{map[string]any{"fields": []any{map[string]any{"id": "q"}, map[string]any{"id": "q"}}}, "fields.1.id", "two questions are called q"},
	} {
		_, wrong := form.Read(c.payload)
		if len(wrong) == 0 || strings.Join(wrong[0].Way, ".") != c.way || !strings.Contains(wrong[0].Message, c.message) {
			t.Errorf("want %s at %s, got %+v", c.message, c.way, wrong)
		}
	}
}

func TestAQuestionIsShownForTheAnswerItDependsOn(t *testing.T) {
	f, _ := form.Read(map[string]any{"fields": []any{map[string]any{"id": "a", "type": "bool"}, map[string]any{"id": "b", "show_if": map[string]any{"id": "a", "equals": true}}, map[string]any{"id": "c", "show_if": false}}})
	if next := f.Next(map[string]any{"a": false}); next != nil {
		t.Errorf("asks %s", next.ID)
	}
	if next := f.Next(map[string]any{"a": true}); next == nil || next.ID != "b" {
		t.Errorf("asks %+v", next)
	}
	if got := f.Result(map[string]any{"a": false, "b": "left over", "c": "x"}); !reflect.DeepEqual(got, map[string]any{"a": false}) {
		t.Errorf("result %v", got)
	}
}
