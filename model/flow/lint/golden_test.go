package lint_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"greentic.dev/model/component"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/lint"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

// world is pack.json beside a case: what surrounds its flow.
type world struct {
	Components map[string]struct {
		Operations []component.Operation   `json:"operations"`
		Declared   *component.Capabilities `json:"declared"`
		Uses       []string                `json:"uses"`
	} `json:"components"`
	Flows []string        `json:"flows"`
	Hosts []string        `json:"hosts"`
	Texts map[string]bool `json:"texts"`
}

// Each archive holds cases: CASE/flow.ygtc, perhaps CASE/pack.json, or one pack.json for all, and
// CASE/want, which is what is found.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range archive.Files {
			files[f.Name] = string(f.Data)
		}
		for i, f := range archive.Files {
			dir, base := path.Split(f.Name)
			if base != "want" {
				continue
			}
			src, ok := files[dir+"flow.ygtc"]
			if !ok {
				t.Fatalf("%s: %s has no flow.ygtc", name, dir)
			}
			around := files[dir+"pack.json"]
			if around == "" {
				around = files["pack.json"]
			}
			got := told(t, src, around)
			if *update {
				archive.Files[i].Data = []byte(got)
			} else if got != string(f.Data) {
				t.Errorf("%s %s found:\n%swant:\n%s", filepath.Base(name), dir, got, f.Data)
			}
		}
		if *update {
			if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func told(t *testing.T, src, around string) string {
	t.Helper()
	f, places, found := flow.Analyse("flow.ygtc", []byte(src))
	if f != nil {
		subject := lint.Subject{Flow: f, Places: places}
		if around != "" {
			var w world
			if err := json.Unmarshal([]byte(around), &w); err != nil {
				t.Fatal(err)
			}
			subject.Pack = &lint.Pack{Components: map[string]lint.Component{}, Flows: w.Flows, Hosts: w.Hosts, Texts: w.Texts}
			for id, c := range w.Components {
				subject.Pack.Components[id] = lint.Component{Operations: c.Operations, Declared: c.Declared, Uses: c.Uses}
			}
		}
		found = append(found, lint.Check(subject)...)
	}
	var b strings.Builder
	for _, d := range found {
		if _, known := lint.RuleOf(d.Class); !known {
			t.Errorf("%s is no rule", d.Class)
		}
		fmt.Fprintf(&b, "%d:%d %s %s: %s", d.Line, d.Col, d.Severity, d.Class, d.Message)
		if d.Fix != "" {
			fmt.Fprintf(&b, " [%s]", d.Fix)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestRulesAreSortedAndExplained(t *testing.T) {
	list := lint.Rules()
	if !slices.IsSortedFunc(list, func(a, b lint.Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the rules are not sorted")
	}
	for _, r := range list {
		if r.Level != "error" && r.Level != "warning" || !strings.HasSuffix(r.Short, ".") || !strings.HasSuffix(r.Help, ".") {
			t.Errorf("%+v", r)
		}
	}
}
