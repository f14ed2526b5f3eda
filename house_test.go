package greentic_test

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// The limits of the house.
const (
	maxFileLines    = 600
	maxPackageLines = 3000
)

func generated(s source) bool {
	return strings.Contains(s.text[:min(len(s.text), 400)], "Code generated")
}

func TestFilesAndPackagesStayReadable(t *testing.T) {
	lines := map[string]int{}
	for _, s := range sources(t) {
		if generated(s) {
			continue
		}
		n := strings.Count(s.text, "\n")
		if n > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: look for the second story", s.path, n, maxFileLines)
		}
		if !s.test {
			lines[s.pkg] += n
		}
	}
	for pkg, n := range lines {
		if n > maxPackageLines {
			t.Errorf("package %s has %d lines, more than %d", pkg, n, maxPackageLines)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	docs, pkgs := map[string]string{}, map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		pkgs[s.pkg] = s.path
		if s.file.Doc != nil && path.Base(s.path) == "doc.go" {
			docs[s.pkg] = s.file.Doc.Text()
		}
	}
	for pkg := range pkgs {
		if len(strings.Fields(docs[pkg])) < 30 {
			t.Errorf("package %s needs a doc.go that says what it is, who calls it, what it refuses to do, its main types and where it is tested", pkg)
		}
	}
}

// A doc.go that names the tests of its promises names tests that exist.
func TestDocsNameTestsThatExist(t *testing.T) {
	name := regexp.MustCompile(`[a-z0-9_]+_test\.go`)
	for _, s := range sources(t) {
		if path.Base(s.path) != "doc.go" || s.file.Doc == nil {
			continue
		}
		for _, file := range name.FindAllString(s.file.Doc.Text(), -1) {
			if _, err := os.Stat(path.Join(s.pkg, file)); err != nil {
				t.Errorf("%s names %s, which does not exist", s.path, file)
			}
		}
	}
}

func TestNamesAreNouns(t *testing.T) {
	bannedPkg := map[string]bool{"util": true, "utils": true, "common": true, "helpers": true, "helper": true, "types": true, "models": true,
		"base": true, "shared": true, "manager": true, "misc": true}
	bannedFile := map[string]bool{"util.go": true, "utils.go": true, "helpers.go": true, "common.go": true, "interfaces.go": true, "misc.go": true, "manager.go": true}
	for _, s := range sources(t) {
		if bannedPkg[s.file.Name.Name] {
			t.Errorf("%s: %s is no name for a package", s.path, s.file.Name.Name)
		}
		if bannedFile[path.Base(s.path)] {
			t.Errorf("%s: name a file for its story", s.path)
		}
	}
}

func TestNoInitAndNoMutableGlobals(t *testing.T) {
	byPkg := map[string][]source{}
	for _, s := range sources(t) {
		if !s.test && s.pkg != "." && !generated(s) {
			byPkg[s.pkg] = append(byPkg[s.pkg], s)
		}
	}
	for _, files := range byPkg {
		globals := map[string]bool{}
		for _, s := range files {
			for _, d := range s.file.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil && d.Name.Name == "init" {
						t.Errorf("%s: no init functions", s.fset.Position(d.Pos()))
					}
				case *ast.GenDecl:
					checkGlobals(t, s, d, globals)
				}
			}
		}
		for _, s := range files {
			checkAssignments(t, s, globals)
		}
	}
}

// checkGlobals refuses variables that can only be useful by changing: no initial value, or a lock.
func checkGlobals(t *testing.T, s source, d *ast.GenDecl, globals map[string]bool) {
	if d.Tok != token.VAR {
		return
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		embedded := d.Doc != nil && strings.Contains(docText(d.Doc), "go:embed") || v.Doc != nil && strings.Contains(docText(v.Doc), "go:embed")
		for _, name := range v.Names {
			if name.Name == "_" {
				continue
			}
			globals[name.Name] = true
			if len(v.Values) == 0 && !embedded {
				t.Errorf("%s: package variable %s has no value, so it must be mutable", s.fset.Position(name.Pos()), name.Name)
			}
		}
		for _, value := range v.Values {
			ast.Inspect(value, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if id, ok := sel.X.(*ast.Ident); ok && (id.Name == "sync" || id.Name == "atomic") && sel.Sel.Name != "OnceValue" && sel.Sel.Name != "OnceValues" {
						t.Errorf("%s: package variables hold no locks or counters", s.fset.Position(n.Pos()))
					}
				}
				_, isFunc := n.(*ast.FuncLit)
				return !isFunc
			})
		}
	}
}

func docText(g *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range g.List {
		b.WriteString(c.Text)
	}
	return b.String()
}

// checkAssignments refuses writes to package variables, also through an index.
func checkAssignments(t *testing.T, s source, globals map[string]bool) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		var targets []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				return true
			}
			targets = n.Lhs
		case *ast.IncDecStmt:
			targets = []ast.Expr{n.X}
		default:
			return true
		}
		for _, target := range targets {
			root := target
			for {
				switch x := root.(type) {
				case *ast.IndexExpr:
					root = x.X
					continue
				case *ast.SelectorExpr:
					root = x.X
					continue
				}
				break
			}
			id, ok := root.(*ast.Ident)
			if ok && globals[id.Name] && (id.Obj == nil || id.Obj.Decl != nil && isGlobalDecl(id.Obj.Decl, s)) {
				t.Errorf("%s: package variable %s is assigned", s.fset.Position(id.Pos()), id.Name)
			}
		}
		return true
	})
}

func isGlobalDecl(decl any, s source) bool {
	v, ok := decl.(*ast.ValueSpec)
	if !ok {
		return false
	}
	for _, d := range s.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok {
			for _, spec := range g.Specs {
				if spec == v {
					return true
				}
			}
		}
	}
	return false
}

// row is one line of the table in DEPENDENCIES.md.
type row struct {
	homes []string
	tests bool
}

func readDependencies(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile("DEPENDENCIES.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	line := regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")
	for l := range strings.Lines(string(text)) {
		m := line.FindStringSubmatch(strings.TrimSpace(l))
		if m == nil {
			continue
		}
		r := row{}
		for home := range strings.SplitSeq(m[2], ",") {
			home = strings.Trim(strings.TrimSpace(home), "`")
			if home == "tests" {
				r.tests = true
			} else {
				r.homes = append(r.homes, home)
			}
		}
		if strings.TrimSpace(m[3]) == "" {
			t.Errorf("DEPENDENCIES.md: %s has no reason", m[1])
		}
		rows[m[1]] = r
	}
	return rows
}

func moduleOf(rows map[string]row, imported string) string {
	best := ""
	for m := range rows {
		if (imported == m || strings.HasPrefix(imported, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

func TestEveryDependencyHasAHomeAndAReason(t *testing.T) {
	rows := readDependencies(t)
	used := map[string]bool{}
	for _, s := range sources(t) {
		for _, imported := range imports(s) {
			if _, our := ours(imported); our || !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				continue
			}
			m := moduleOf(rows, imported)
			if m == "" {
				t.Errorf("%s imports %s, which DEPENDENCIES.md does not list", s.path, imported)
				continue
			}
			used[m] = true
			if s.test {
				continue
			}
			home := false
			for _, h := range rows[m].homes {
				home = home || matches(h, s.pkg)
			}
			if !home {
				t.Errorf("%s imports %s, whose home is %s", s.path, imported, strings.Join(rows[m].homes, ", "))
			}
		}
	}
	var unused []string
	for m := range rows {
		if !used[m] {
			unused = append(unused, m)
		}
	}
	sort.Strings(unused)
	for _, m := range unused {
		t.Errorf("DEPENDENCIES.md lists %s, which nothing imports", m)
	}
}

func TestGoModListsOnlyWhatIsExplained(t *testing.T) {
	rows := readDependencies(t)
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	require := regexp.MustCompile(`^\s+(\S+) v\S+$`)
	for l := range strings.Lines(string(text)) {
		if m := require.FindStringSubmatch(strings.TrimRight(l, "\n")); m != nil {
			if _, ok := rows[m[1]]; !ok {
				t.Errorf("go.mod requires %s directly; DEPENDENCIES.md does not say why", m[1])
			}
		}
		if strings.Contains(l, "github.com/google/cel-go") {
			t.Error("go.mod names github.com/google/cel-go; conditions use cel.dev/cel-go")
		}
		if strings.HasPrefix(l, "replace") {
			t.Error("go.mod has a replace, which breaks go install")
		}
	}
}
