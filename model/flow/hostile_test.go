package flow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"greentic.dev/model/flow"
)

// The YAML parser recurses per level and takes quadratic time; none of these may reach it whole.
func TestHostileDocumentsAreRefusedSoon(t *testing.T) {
	const head = "id: a\ntype: messaging\nnodes: "
	many := func(s string, n int) string { return head + strings.Repeat(s, n) }
	var nodes strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&nodes, "\n  n%d: { emit.log: 1 }", i)
	}
	for promise, src := range map[string]string{
		"brackets":            many("[", 500_000),
		"braces":              many("{a: ", 200_000),
		"lists on one line":   many("- ", 1_900_000),
		"lists below a list":  head + "\n  - a: " + strings.Repeat("- ", 1_900_000),
		"keys on one line":    many("a: ", 100_000),
		"explicit keys":       many("? ", 1_900_000),
		"tags":                many("!x ", 100_000),
		"anchors":             many("&x ", 100_000),
		"aliases":             many("*x ", 100_000),
		"quoted words":        many(`"a" `, 100_000),
		"documents":           strings.Repeat("---\na\n", 100_000),
		"more nodes than fit": head + nodes.String(),
		"an alias bomb":       "id: a\ntype: messaging\nx: &a [1, 1]\ny: &b [*a, *a]\nnodes: { n: { emit.log: *b } }",
		"longer than allowed": head + strings.Repeat("#", 4<<20),
	} {
		t.Run(promise, func(t *testing.T) {
			begin := time.Now()
			f, found := flow.Check("hostile.ygtc", []byte(src))
			errs := found.Errors()
			if f != nil || len(errs) == 0 || errs[0].Class != "Yaml" {
				t.Errorf("got flow %v, %v", f != nil, errs)
			}
			if d := time.Since(begin); d > 20*time.Second {
				t.Errorf("took %s", d)
			}
		})
	}
}

func TestBracketsInTextsAreNoNesting(t *testing.T) {
	src := "id: a\ntype: messaging\nnodes:\n  n:\n    emit.response: |\n" + strings.Repeat("      :-[ {{{ and so on\n", 300)
	if _, found := flow.Check("a.ygtc", []byte(src)); len(found.Errors()) > 0 {
		t.Errorf("refused: %v", found.Errors())
	}
}
