package expr_test

import (
	"reflect"
	"slices"
	"testing"

	"greentic.dev/model/flow/expr"
)

// A caller that builds only the roots a mapping names gets what it would get with all of them.
func TestAMappingLooksAtNothingButItsRoots(t *testing.T) {
	full := expr.Scope{"entry": map[string]any{"n": 1.0, "list": []any{map[string]any{"a": "x"}}}, "prev": map[string]any{"p": true}, "a": "outer", "other": "o", "index": 7.0,
		"parameters": map[string]any{"k": "v"}}
	for src, want := range map[string][]string{
		"{{entry.n}}": {"entry"}, "plain": nil, "parameters.k": {"parameters"}, "{{#each entry.list}}{{a}}{{other}}{{@index}}{{/each}}": {"@index", "a", "entry", "other"},
		"{{#with prev}}{{p}} {{a}}{{else}}{{other}}{{/with}}": {"a", "other", "p", "prev"}, "{{#if entry.gone}}{{prev}}{{else}}{{other}}{{/if}}": {"entry", "other", "prev"},
		"{{#entry.list}}{{a}}{{/entry.list}}": {"a", "entry"},
	} {
		m, err := expr.Compile(map[string]any{"list": []any{src, 1.0}})
		if err != nil {
			t.Fatal(err)
		}
		roots := m.Roots()
		if roots.All || !slices.Equal(roots.Names, want) {
			t.Errorf("%s looks at %+v, want %v", src, roots, want)
		}
		part := expr.Scope{}
		for _, name := range roots.Names {
			if v, ok := full[name]; ok {
				part[name] = v
			}
		}
		a, _ := m.Render(full, true)
		if b, err := m.Render(part, true); err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s gives %v with its roots, %v with all: %v", src, b, a, err)
		}
	}
	if m, err := expr.Compile("{{this}}"); err != nil || !m.Roots().All {
		t.Errorf("{{this}} looks at the whole scope: %v", err)
	}
	c, err := expr.CompileCondition(`prev.p && entry.list.exists(i, i.a == other.x)`)
	if err != nil || !slices.Equal(c.Roots().Names, []string{"entry", "other", "prev"}) {
		t.Errorf("%+v %v", c.Roots(), err)
	}
}
