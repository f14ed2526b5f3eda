package lint_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"greentic.dev/model/component"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/graph"
	"greentic.dev/model/flow/lint"
)

// Whatever a file holds, also a flow that does not compile is checked and drawn, and every finding has
// a rule.
func FuzzCheck(f *testing.F) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, "flow.ygtc") {
				f.Add(file.Data)
			}
		}
	}
	pack := &lint.Pack{Components: map[string]lint.Component{"shop.pricing": {Operations: []component.Operation{
		{Name: "quote", InputSchema: map[string]any{"required": []any{"lines"}, "additionalProperties": false}, OutputSchema: map[string]any{"type": "object", "additionalProperties": false}}}}},
		Hosts: []string{"a"}, Flows: []string{"t"}, Texts: map[string]bool{"a": true}}
	f.Fuzz(func(t *testing.T, src []byte) {
		compiled, places, found := flow.Analyse("x", src)
		if compiled == nil {
			return
		}
		for _, d := range append(found, lint.Check(lint.Subject{Flow: compiled, Places: places, Pack: pack})...) {
			if _, ok := lint.RuleOf(d.Class); !ok || d.Message == "" {
				t.Errorf("%+v", d)
			}
		}
		g := graph.Of(compiled)
		if svg := g.SVG(graph.Run{}, graph.Look{}); !strings.HasSuffix(svg, "</svg>\n") {
			t.Error(svg)
		}
		_, _ = g.Mermaid(graph.Run{}), g.DOT(graph.Run{})
	})
}
