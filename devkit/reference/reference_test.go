package reference

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

var update = flag.Bool("update", false, "write the pages")

const root = "../.."

// TestThePages writes the pages with -update. CI compares them with the tree (make reference-check).
func TestThePages(t *testing.T) {
	errs, err := Errors(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range map[string]string{"flow-language.md": FlowLanguage(), "errors.md": errs} {
		if strings.Contains(page, "\t") || !strings.HasSuffix(page, "\n") {
			t.Errorf("%s has a tab or no end of line", name)
		}
		if *update {
			if err := os.WriteFile(filepath.Join(root, "docs", "reference", name), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, k := range fault.Kinds() {
		if !strings.Contains(errs, "| `"+k.String()+"` |") {
			t.Errorf("the kind %s is missing", k)
		}
	}
	for _, want := range []string{"### `MissingNode`", "| `cannot_migrate` | …", "| `PACK_LOCK_MISSING` |", "| `missing_node` |"} {
		if !strings.Contains(errs, want) {
			t.Errorf("the catalogue has no %s", want)
		}
	}
}

func TestEveryExampleCompiles(t *testing.T) {
	for _, s := range Language() {
		for _, w := range s.Words {
			if w.Example == "" {
				continue
			}
			src := strings.Replace(s.Frame, "EXAMPLE", w.Example, 1)
			if f, found := flow.Check("x.ygtc", []byte(src)); f == nil || len(found) > 0 {
				t.Errorf("%s, %s: %+v\n%s", s.Title, w.Name, found, src)
			}
		}
	}
}

// The compiler's own lists of words say what must be on the page.
func TestEveryWordOfTheCompilerIsThere(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range Language() {
		for _, w := range s.Words {
			documented[w.Name] = true
		}
	}
	page := FlowLanguage()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "model/flow/node.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if ok && v.Names[0].Name == "reserved" {
			ast.Inspect(v, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok {
					word, _ := strconv.Unquote(lit.Value)
					words = append(words, word)
				}
				return true
			})
		}
		return true
	})
	if len(words) < 10 {
		t.Fatalf("only %v", words)
	}
	for _, word := range append(words, "component.exec", "flow.call", "session.wait", "state.get", "emit.event") {
		if !documented[word] && !strings.Contains(page, "`"+word+"`") {
			t.Errorf("the page says nothing of %s", word)
		}
	}
}

func TestCodesAreReadFromTheSource(t *testing.T) {
	dir := t.TempDir()
	src := `package a
const codeGone = "gone"
func f() error { return fault.Newf(fault.Conflict, "op", "the node %s is %d", 1, 2).WithFix("go " + "away").WithCode(codeGone) }
func g() { found(Error, "PACK_ODD", path, "component %q is odd", 1); x.failure(c, n, "late", "after %s it is late", 1) }
`
	if err := os.WriteFile(filepath.Join(dir, "a.go"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Codes(dir)
	want := []Code{{".", "PACK_ODD", "component … is odd", ""}, {".", "gone", "the node … is …", "go away"}, {".", "late", "after … it is late", ""}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}
