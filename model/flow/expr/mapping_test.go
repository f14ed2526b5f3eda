package expr_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
)

func values() expr.Scope {
	return expr.Scope{
		"entry":      map[string]any{"n": int64(7), "list": []any{"a", "b"}, "k.v": "dotted", "html": "<b>&", "obj": map[string]any{"x": 1.5}, "empty": []any{}},
		"parameters": map[string]any{"currency": "EUR", "deep": map[string]any{"on": true}},
		"people":     []any{map[string]any{"name": "Ann"}, map[string]any{"name": "Bob"}},
	}
}

func TestMappingsInsertTypedValuesAndRenderTexts(t *testing.T) {
	for src, want := range map[string]string{
		`"{{entry.n}}"`: `7`, `"{{ entry.list }}"`: `["a","b"]`, `"{{{entry.obj}}}"`: `{"x":1.5}`, `"{{entry.list[1]}}"`: `"b"`,
		`"{{entry[\"k.v\"]}}"`: `"dotted"`, `"{{this.entry.n}}"`: `7`, `"{{entry.list.0}}"`: `"a"`, `"{{entry.gone}}"`: `null`,
		`"n={{entry.n}} x={{entry.obj.x}} {{entry.gone}}."`: `"n=7 x=1.5 ."`, `"{{entry.html}}!"`: `"<b>&!"`, `"{{{entry.html}}} {{entry.obj}}"`: `"<b>& {\"x\":1.5}"`,
		`"parameters.currency"`: `"EUR"`, `"parameters.deep.on"`: `true`, `"the parameters.currency"`: `"the parameters.currency"`,
		`"{{i18n:a.b}}"`: `"{{i18n:a.b}}"`, `"{{i18n:greet}} {{entry.n}}"`: `"{{i18n:greet}} 7"`,
		`"{{#if entry.n}}yes{{else}}no{{/if}}"`: `"yes"`, `"{{#if entry.empty}}yes{{else}}no{{/if}}"`: `"no"`, `"{{#unless entry.gone}}u{{/unless}}"`: `"u"`,
		`"{{#each people}}{{@index}}:{{name}}{{#unless @last}}, {{/unless}}{{/each}}"`: `"0:Ann, 1:Bob"`,
		`"{{#each entry.list}}{{this}}{{entry.n}} {{/each}}"`:                          `"a7 b7 "`, `"{{#each entry.obj}}{{@key}}={{this}}{{/each}}"`: `"x=1.5"`,
		`"{{#with entry.obj}}x{{x}}{{/with}}"`: `"x1.5"`, `"{{#people}}{{name}} {{/people}}"`: `"Ann Bob "`, `"{{#entry.obj}}{{x}}{{/entry.obj}}"`: `"1.5"`,
		`"{{#each entry.empty}}x{{else}}none{{/each}}"`: `"none"`, `"a{{! note }}b{{!-- }} --}}c"`: `"abc"`,
		`{"{{key}}":["{{entry.n}}",true,null]}`: `{"{{key}}":[7,true,null]}`,
	} {
		var v, wanted any
		if err := json.Unmarshal([]byte(src), &v); err != nil {
			t.Fatal(src, err)
		}
		m, err := expr.Compile(v)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		got, err := m.Render(values(), true)
		out, _ := json.Marshal(got)
		_ = json.Unmarshal([]byte(want), &wanted)
		var round any
		_ = json.Unmarshal(out, &round)
		if err != nil || !reflect.DeepEqual(round, wanted) {
			t.Errorf("%s = %s, %v; want %s", src, out, err, want)
		}
	}
}

func TestAMissingWholePathIsNamedUnlessLenient(t *testing.T) {
	m, err := expr.Compile(map[string]any{"a": "{{entry.gone.deep}}"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = m.Render(values(), false); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "entry.gone.deep") {
		t.Errorf("strict: %v", err)
	}
}

func TestWrongTemplatesAreRefused(t *testing.T) {
	for _, src := range []string{"x {{a", "{{#if a}}x", "{{/if}} x", "{{#each}}", "x {{helper a}}", "x {{> part}}", "{{#if a}}{{/each}}", "x {{a..b}}", "{{#if a}}{{else}}{{else}}{{/if}}", strings.Repeat("{{#a}}", 100)} {
		if _, err := expr.Compile(map[string]any{"t": src}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.30s: %v", src, err)
		}
	}
}

func TestRenderingIsLimited(t *testing.T) {
	many := make([]any, 400)
	for i := range many {
		many[i] = strings.Repeat("x", 100)
	}
	s := expr.Scope{"many": many, "loop": "x"}
	for _, src := range []string{"{{#each many}}{{#each many}}{{#each many}}.{{/each}}{{/each}}{{/each}}", "{{#each many}}{{many}}{{/each}}"} {
		m, err := expr.Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Render(s, true); !fault.Is(err, fault.Exhausted) {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestARenderedValueSharesNothingWithItsScope(t *testing.T) {
	s := values()
	m, _ := expr.Compile("{{entry.obj}}")
	got, err := m.Render(s, false)
	if err != nil {
		t.Fatal(err)
	}
	got.(map[string]any)["x"] = "changed"
	if s["entry"].(map[string]any)["obj"].(map[string]any)["x"] != 1.5 {
		t.Error("the scope changed")
	}
}
