package reference

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/greentic/fault"
)

// Code is what the source says of one code of an error.
type Code struct {
	Package string
	Code    string
	Says    string // the message, with … for what it is about
	Fix     string
}

// Codes reads the codes that the packages of the module at root give to errors and findings, sorted by
// package and code: constants behind WithCode, in the failures of flows, and the findings of packs.
func Codes(root string) ([]Code, error) {
	found := map[string]*reader{}
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := e.Name()
		if e.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if name != root && (nested == nil || strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		if found[pkg] == nil {
			found[pkg] = &reader{constants: map[string]string{}}
		}
		found[pkg].files = append(found[pkg].files, file)
		return nil
	})
	if err != nil {
		return nil, fault.As(fault.Unavailable, "reference", err)
	}
	var all []Code
	for pkg, r := range found {
		for _, c := range r.read() {
			c.Package = pkg
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Code) int { return strings.Compare(a.Package+"\x00"+a.Code, b.Package+"\x00"+b.Code) })
	return all, nil
}

// reader reads the codes of one package.
type reader struct {
	files     []*ast.File
	constants map[string]string // texts
	codes     []Code
}

func (r *reader) read() []Code {
	for _, f := range r.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok {
				for i, name := range v.Names {
					if i < len(v.Values) {
						if text, ok := r.text(v.Values[i]); ok {
							r.constants[name.Name] = text
						}
					}
				}
			}
			return true
		})
	}
	for _, f := range r.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				r.call(call)
			}
			return true
		})
	}
	return r.codes
}

// text is the value of a text or of a constant that is one.
func (r *reader) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		s, ok := r.constants[e.Name]
		return s, ok
	case *ast.BinaryExpr:
		a, _ := r.text(e.X)
		b, _ := r.text(e.Y)
		return a + b, a+b != "" && e.Op == token.ADD
	}
	return "", false
}

var packCode = regexp.MustCompile(`^PACK_[A-Z_]+[A-Z]$`)

// call takes the code out of a call that gives one.
func (r *reader) call(call *ast.CallExpr) {
	name := ""
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = fun.Sel.Name
	case *ast.Ident:
		name = fun.Name
	}
	if name == "WithCode" && len(call.Args) == 1 {
		if code, ok := r.text(call.Args[0]); ok && code != "" {
			says, fix := r.chain(call)
			r.add(code, says, fix)
		}
		return
	}
	for i, a := range call.Args {
		code, ok := r.text(a)
		if !ok || !packCode.MatchString(code) && !(name == "failure" && i == 2) {
			continue
		}
		says := ""
		for _, later := range call.Args[i+1:] {
			if s, ok := r.text(later); ok && strings.Contains(s, " ") {
				says = s
				break
			}
		}
		r.add(code, says, "")
	}
}

// chain is the message and the fix of the error that a call of WithCode ends.
func (r *reader) chain(call *ast.CallExpr) (says, fix string) {
	ast.Inspect(call.Fun, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := c.Fun.(*ast.SelectorExpr)
		if !ok || len(c.Args) == 0 {
			return true
		}
		switch sel.Sel.Name {
		case "New", "Newf":
			if len(c.Args) >= 3 && says == "" {
				says, _ = r.text(c.Args[2])
			}
		case "WithFix":
			if fix == "" {
				fix, _ = r.text(c.Args[0])
			}
		}
		return true
	})
	return says, fix
}

var verb = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// add keeps a code; the first message that says something is kept for it.
func (r *reader) add(code, says, fix string) {
	says = strings.TrimSuffix(strings.ReplaceAll(verb.ReplaceAllString(says, "…"), "……", "…"), ": ")
	if i := slices.IndexFunc(r.codes, func(c Code) bool { return c.Code == code }); i >= 0 {
		if r.codes[i].Says == "" || r.codes[i].Says == "…" {
			r.codes[i].Says = says
		}
		if r.codes[i].Fix == "" {
			r.codes[i].Fix = fix
		}
		return
	}
	r.codes = append(r.codes, Code{Code: code, Says: says, Fix: fix})
}
