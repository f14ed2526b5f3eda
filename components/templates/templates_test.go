package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/sdk/go/greentic"
)

func call(t *testing.T, op string, in map[string]any) any {
	t.Helper()
	out, err := component.Call(nil, op, in)
	if err != nil {
		t.Fatalf("%s %v: %v", op, in, err)
	}
	return out
}

func code(err error) string {
	var e *greentic.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestTextsAreRenderedAsFlowsDo(t *testing.T) {
	data := map[string]any{"name": "Ada", "n": 3, "items": []any{map[string]any{"t": "a"}, map[string]any{"t": "b"}}, "ok": true}
	for template, want := range map[string]string{
		"Hello {{name}}, {{n}} items":    "Hello Ada, 3 items",
		"{{name}}":                       "Ada",
		"{{n}}":                          "3",
		"{{items}}":                      `[{"t":"a"},{"t":"b"}]`,
		"{{missing}}":                    "",
		"parameters.name":                "parameters.name",
		"{{#if ok}}yes{{else}}no{{/if}}": "yes",
		"{{#each items}}{{t}}{{#unless @last}}, {{/unless}}{{/each}}": "a, b",
		"{{i18n:greeting}} {{name}}":                                  "{{i18n:greeting}} Ada",
		"plain":                                                       "plain",
		"":                                                            "",
	} {
		if got := call(t, "text", map[string]any{"template": template, "data": data}); !reflect.DeepEqual(got, map[string]any{"text": want}) {
			t.Errorf("%q: %v", template, got)
		}
	}
}

func TestNamedTemplatesComeFromTheConfiguration(t *testing.T) {
	config := map[string]any{"templates": map[string]any{"hi": "Hi {{name}}", "bye": "Bye"}}
	got := call(t, "text", map[string]any{"name": "hi", "data": map[string]any{"name": "Ada"}, "config": config})
	if !reflect.DeepEqual(got, map[string]any{"text": "Hi Ada"}) {
		t.Error(got)
	}
	_, err := component.Call(nil, "text", map[string]any{"name": "hey", "config": config})
	if code(err) != "no_template" || !strings.Contains(err.Error(), "bye, hi") {
		t.Error(err)
	}
	if _, err := component.Call(nil, "text", map[string]any{"name": "hi", "template": "x", "config": config}); code(err) != greentic.CodeInvalidInput {
		t.Error(err)
	}
}

func TestValuesKeepTheirTypes(t *testing.T) {
	got := call(t, "value", map[string]any{"value": map[string]any{"n": "{{n}}", "list": []any{"{{n}} of {{n}}", true}, "all": "{{o}}"},
		"data": map[string]any{"n": 3, "o": map[string]any{"k": nil}}})
	want := map[string]any{"value": map[string]any{"n": int64(3), "list": []any{"3 of 3", true}, "all": map[string]any{"k": nil}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
}

func TestAPathThatLeadsNowhereIsAnErrorInAValueUnlessLoose(t *testing.T) {
	in := map[string]any{"value": map[string]any{"a": "{{nothing.here}}"}}
	if _, err := component.Call(nil, "value", in); code(err) != "template_invalid" || !strings.Contains(err.Error(), "nothing.here") {
		t.Error(err)
	}
	in["loose"] = true
	if got := call(t, "value", in); !reflect.DeepEqual(got, map[string]any{"value": map[string]any{"a": nil}}) {
		t.Error(got)
	}
}

func TestCheckSaysWhereATemplateIsWrong(t *testing.T) {
	got := call(t, "check", map[string]any{"template": "Hello\n  {{#if name}}you"}).(map[string]any)
	fault, _ := got["fault"].(map[string]any)
	if got["ok"] != false || fault["line"] != int64(2) || fault["col"] != int64(3) || fault["excerpt"] != "  {{#if name}}you" || fault["message"] == "" {
		t.Errorf("%v", got)
	}
	got = call(t, "check", map[string]any{"template": "{{a.b}} {{#each list}}{{x}}{{/each}}"}).(map[string]any)
	roots, _ := got["roots"].([]any)
	if got["ok"] != true || len(roots) < 2 || roots[0] != "a" || roots[1] != "list" {
		t.Errorf("%v", got)
	}
}

func TestFloodsEndInAnErrorThatNamesTheLimit(t *testing.T) {
	list := make([]any, 1000)
	in := map[string]any{"template": "{{#each l}}{{#each l}}{{#each l}}x{{/each}}{{/each}}{{/each}}", "data": map[string]any{"l": list}}
	if _, err := component.Call(nil, "text", in); code(err) != "template_limit" || !strings.Contains(err.Error(), "100000 steps") {
		t.Error(err)
	}
	in = map[string]any{"template": strings.Repeat("{{s}}", 3), "data": map[string]any{"s": strings.Repeat("x", 400_000)}}
	if _, err := component.Call(nil, "text", in); code(err) != "template_limit" || !strings.Contains(err.Error(), "1048576 bytes") {
		t.Error(err)
	}
}

func TestTemplatesIncludeOneAnother(t *testing.T) {
	in := map[string]any{"template": "{{> greeting}}{{> sign}}", "data": map[string]any{"name": "Ada"}, "partials": map[string]any{"sign": "\nYours, {{> shop}}"},
		"config": map[string]any{"templates": map[string]any{"greeting": "Dear {{name}},", "shop": "the shop"}}}
	if got := call(t, "text", in); !reflect.DeepEqual(got, map[string]any{"text": "Dear Ada,\nYours, the shop"}) {
		t.Error(got)
	}
	delete(in, "config")
	if _, err := component.Call(nil, "text", in); code(err) != "template_invalid" || !strings.Contains(err.Error(), "greeting") {
		t.Error(err)
	}
	in = map[string]any{"template": "{{> a}}", "partials": map[string]any{"a": "x{{> a}}"}}
	if _, err := component.Call(nil, "text", in); err == nil {
		t.Error("a template that includes itself has an end")
	}
}

func TestEscapedTagsStayAsTheyAre(t *testing.T) {
	if got := call(t, "text", map[string]any{"template": `\{{name}} is {{name}}`, "data": map[string]any{"name": "Ada"}}); !reflect.DeepEqual(got, map[string]any{"text": "{{name}} is Ada"}) {
		t.Error(got)
	}
}
