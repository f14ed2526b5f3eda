package greentic_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "greentic.dev"

// source is one Go file of the module, parsed.
type source struct {
	path string // slash-separated, relative to the module root
	pkg  string // its folder
	test bool
	file *ast.File
	fset *token.FileSet
	text string
}

// sources parses every Go file of this module; nested modules and testdata are not ours to judge.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if name == "testdata" || name == "node_modules" || name != "." && strings.HasPrefix(name, ".") {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil && p != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, text, parser.ParseComments)
		if err != nil {
			return err
		}
		slash := filepath.ToSlash(p)
		all = append(all, source{path: slash, pkg: path.Dir(slash), test: strings.HasSuffix(p, "_test.go"), file: f, fset: fset, text: string(text)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// floor is one line of LAYERS: groups of patterns, left to right.
type floor [][]string

func readLayers(t *testing.T) []floor {
	t.Helper()
	text, err := os.ReadFile("LAYERS")
	if err != nil {
		t.Fatal(err)
	}
	var floors []floor
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var f floor
		for group := range strings.SplitSeq(line, " | ") {
			f = append(f, strings.Fields(group))
		}
		floors = append(floors, f)
	}
	return floors
}

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/**"); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	ok, _ := path.Match(pattern, pkg)
	return ok
}

// place is where a package stands: floor, group on the floor, position in the group.
type place struct{ floor, group, pos int }

// locate finds the most specific pattern: an exact name beats a wildcard.
func locate(floors []floor, pkg string) (place, bool) {
	var found place
	ok, exact := false, false
	for i, f := range floors {
		for g, group := range f {
			for p, pattern := range group {
				if !matches(pattern, pkg) || exact || ok && pattern != pkg {
					continue
				}
				found, ok, exact = place{i, g, p}, true, pattern == pkg
			}
		}
	}
	return found, ok
}

func mayImport(from, to place) bool {
	if to.floor != from.floor {
		return to.floor < from.floor
	}
	return to.group == from.group && to.pos <= from.pos
}

func imports(s source) []string {
	var list []string
	for _, i := range s.file.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		list = append(list, p)
	}
	return list
}

func ours(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func TestImportsFollowLAYERS(t *testing.T) {
	floors := readLayers(t)
	for _, s := range sources(t) {
		if s.pkg == "." {
			continue
		}
		from, ok := locate(floors, s.pkg)
		if !ok {
			t.Errorf("%s: package %s has no place in LAYERS", s.path, s.pkg)
			continue
		}
		if s.test {
			continue // tests may open backends and compose
		}
		for _, imported := range imports(s) {
			target, our := ours(imported)
			if !our || target == s.pkg {
				continue
			}
			to, ok := locate(floors, target)
			if !ok {
				continue // reported at its own files
			}
			if !mayImport(from, to) {
				t.Errorf("%s imports %s, which LAYERS does not allow", s.path, target)
			}
		}
	}
}

func TestTheComponentHostKnowsNothingOfGreentic(t *testing.T) {
	for _, s := range sources(t) {
		if !matches("wasm/**", s.pkg) {
			continue
		}
		for _, imported := range imports(s) {
			if target, our := ours(imported); our && !matches("wasm/**", target) && !matches("internal/**", target) && target != "greentic/fault" {
				t.Errorf("%s imports %s; wasm/** may import only internal/** and greentic/fault", s.path, target)
			}
		}
	}
}

func TestTheModelIsPure(t *testing.T) {
	banned := map[string]string{
		"os": "I/O", "os/exec": "I/O", "net": "I/O", "net/http": "I/O", "database/sql": "I/O", "io/ioutil": "I/O",
		"math/rand": "randomness", "math/rand/v2": "randomness", "crypto/rand": "randomness",
	}
	for _, s := range sources(t) {
		if s.test || !matches("model/**", s.pkg) {
			continue
		}
		for _, imported := range imports(s) {
			if why, bad := banned[imported]; bad {
				t.Errorf("%s imports %s: the model does no %s", s.path, imported, why)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: the model starts no goroutine", s.fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				if id, ok := n.X.(*ast.Ident); ok && id.Name == "sync" && !strings.HasPrefix(n.Sel.Name, "OnceValue") {
					t.Errorf("%s: the model locks nothing; sync.OnceValue makes a constant that costs time", s.fset.Position(n.Pos()))
				}
				if id, ok := n.X.(*ast.Ident); ok && id.Name == "time" && (n.Sel.Name == "Now" || n.Sel.Name == "Since" || n.Sel.Name == "After") {
					t.Errorf("%s: the model reads no clock", s.fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
}

// A backend is what LAYERS holds in a wildcard; what stands there by name is part of the contracts.
func TestOnlyTheCompositionOpensBackends(t *testing.T) {
	named := map[string]bool{}
	for _, f := range readLayers(t) {
		for _, group := range f {
			for _, pattern := range group {
				named[pattern] = true
			}
		}
	}
	for _, s := range sources(t) {
		if s.test || matches("system/**", s.pkg) || matches("cmd/**", s.pkg) || s.pkg == "bench" || matches("conformance/**", s.pkg) {
			continue
		}
		for _, imported := range imports(s) {
			target, our := ours(imported)
			if our && matches("backing/*/*", target) && !named[target] {
				t.Errorf("%s imports backend %s; only system, cmd, conformance and tests may", s.path, target)
			}
		}
	}
}
