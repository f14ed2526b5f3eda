package expr_test

import (
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
)

// known says whether an error has a kind a user can act on.
func known(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Exhausted, fault.Unsupported:
		return true
	}
	return false
}

func FuzzCondition(f *testing.F) {
	for _, s := range []string{`a.b == "c"`, `!(a > 1) && b in [1,2]`, `x ? y : z`, `size(a["k"]) % 2 == 1`, `a.matches("x+")`, `"é" == a`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		c, err := expr.CompileCondition(src)
		if err == nil {
			_, err = c.Eval(scope())
		}
		if err != nil && !known(err) {
			t.Fatalf("%q: %v", src, err)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{{entry.n}}", "a {{#each people}}{{@index}}{{else}}-{{/each}}", "{{i18n:x}} {{{y}}}", "{{!-- x --}}", `{{entry["k.v"]}}`, "{{~#each people as |p i|~}}{{../x}}{{> part p}}{{else if i}}{{^y}}{{/y}}{{/each}}", `\\{{x}} {{default a "b"}} {{#ifEq a 3}}{{json b}}{{/ifEq}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		m, err := expr.CompileWith(src, expr.Options{Pointers: true, Partials: map[string]string{"part": src}})
		if err == nil {
			_, err = m.Render(values(), true)
		}
		if err != nil && !known(err) {
			t.Fatalf("%q: %v", src, err)
		}
	})
}
