package wit

import (
	"fmt"
	"slices"
	"strings"

	"greentic.dev/wasm/binary"
)

// Format prints a set as WIT. The first package is that of the file, the others follow as
// nested blocks. Parse reads it back to the same text. Every record, variant, enum, flags and
// resource that a function mentions must be among the types of its interface or world.
func Format(s *Set) string {
	w := &writer{}
	for n, p := range s.Packages {
		if n > 0 {
			w.WriteByte('\n')
		}
		w.docs(p.Docs)
		if n == 0 {
			w.line("package %s;", packagePath(p))
			w.items(p, true)
			continue
		}
		w.open("package %s", packagePath(p))
		w.items(p, false)
		w.close()
	}
	return w.String()
}

// Entry is one item of an interface or world, as WIT.
type Entry struct{ Name, Text string }

// Entries prints the types and functions of an interface or world one by one: of a type its
// definition or where it is taken from, of a function its signature.
func Entries(types []*TypeDef, funcs []*Func) (defined, callable []Entry) {
	w := &writer{}
	w.names(types)
	for _, t := range types {
		w.Reset()
		if t.Use != nil {
			w.uses([]*TypeDef{t})
		} else {
			w.typeDef(t, nil)
		}
		defined = append(defined, Entry{t.Name, strings.TrimSuffix(w.String(), "\n")})
	}
	for _, f := range funcs {
		text := ""
		switch kind, _, _ := SplitFunc(f.Name); kind {
		case "constructor":
			text = w.constructor(f)
		case "static":
			text = "static " + w.fn(f.Type, false)
		default:
			text = w.fn(f.Type, kind == "method")
		}
		callable = append(callable, Entry{f.Name, text})
	}
	return defined, callable
}

// writer prints lines at a depth. Names are those of the interface or world being printed.
type writer struct {
	strings.Builder
	depth     int
	started   bool // something stands above the next item of an interface or world
	pkg       *Package
	types     map[*binary.Type]string
	resources map[*binary.Resource]string
	aliases   map[string]*TypeDef // resources by each of their names
}

func (w *writer) line(format string, args ...any) {
	w.WriteString(strings.Repeat("  ", w.depth))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

func (w *writer) open(format string, args ...any) { w.line(format+" {", args...); w.depth++ }
func (w *writer) close()                          { w.depth--; w.line("}") }

func (w *writer) docs(text string) {
	if text == "" {
		return
	}
	for l := range strings.SplitSeq(text, "\n") {
		w.line("%s", strings.TrimRight("/// "+l, " "))
	}
}

func (w *writer) head(docs string, g Gate) {
	w.docs(docs)
	if g.Since != "" {
		w.line("@since(version = %s)", g.Since)
	}
	if g.Unstable != "" {
		w.line("@unstable(feature = %s)", id(g.Unstable))
	}
	if g.Deprecated != "" {
		w.line("@deprecated(version = %s)", g.Deprecated)
	}
}

// id writes a name so that it is not taken for a keyword.
func id(s string) string {
	if keyword(s) {
		return "%" + s
	}
	return s
}

func packagePath(p *Package) string {
	s := id(p.Namespace) + ":" + id(p.Name)
	if p.Version != "" {
		s += "@" + p.Version
	}
	return s
}

// path names an interface from inside the current package.
func (w *writer) path(i *Interface) string {
	if i.Package == w.pkg {
		return id(i.Name)
	}
	s := id(i.Package.Namespace) + ":" + id(i.Package.Name) + "/" + id(i.Name)
	if i.Package.Version != "" {
		s += "@" + i.Package.Version
	}
	return s
}

// items prints interfaces and worlds; in a file each after an empty line.
func (w *writer) items(p *Package, spaced bool) {
	w.pkg = p
	gap := func() {
		if spaced {
			w.WriteByte('\n')
		}
		spaced = true
	}
	for _, i := range p.Interfaces {
		gap()
		w.head(i.Docs, i.Gate)
		w.open("interface %s", id(i.Name))
		w.interfaceBody(i)
		w.close()
	}
	for _, x := range p.Worlds {
		gap()
		w.head(x.Docs, x.Gate)
		w.open("world %s", id(x.Name))
		w.world(x)
		w.close()
	}
}

func (w *writer) interfaceBody(i *Interface) {
	w.names(i.Types)
	w.started = w.uses(i.Types)
	w.typeDefs(i.Types, i.Funcs)
	for _, f := range i.Funcs {
		if kind, _, _ := SplitFunc(f.Name); kind == "" {
			w.gap()
			w.head(f.Docs, f.Gate)
			w.line("%s: %s;", id(f.Name), w.fn(f.Type, false))
		}
	}
}

// gap parts the items of an interface or world.
func (w *writer) gap() {
	if w.started {
		w.WriteByte('\n')
	}
	w.started = true
}

// typeDefs prints the types that are defined here, with the functions of resources.
func (w *writer) typeDefs(types []*TypeDef, funcs []*Func) {
	for _, t := range types {
		if t.Use == nil {
			w.gap()
			w.typeDef(t, funcs)
		}
	}
}

// names makes the names of an interface or world those in use.
func (w *writer) names(types []*TypeDef) {
	w.types, w.resources, w.aliases = map[*binary.Type]string{}, map[*binary.Resource]string{}, map[string]*TypeDef{}
	for _, t := range types {
		if t.Type != nil && w.types[t.Type] == "" {
			w.types[t.Type] = id(t.Name)
		}
		if t.Resource != nil {
			w.aliases[t.Name] = t
			if w.resources[t.Resource] == "" {
				w.resources[t.Resource] = id(t.Name)
			}
		}
	}
}

// uses prints the use lines and says whether there were any.
func (w *writer) uses(types []*TypeDef) bool {
	var names []string
	var last *TypeDef
	flush := func() {
		if last != nil {
			w.head("", last.Gate)
			w.line("use %s.{%s};", w.path(last.Use), strings.Join(names, ", "))
		}
		names = nil
	}
	for _, t := range types {
		if t.Use == nil {
			continue
		}
		if last != nil && (t.Use != last.Use || t.Gate != last.Gate) {
			flush()
		}
		last, names = t, append(names, rename(t.From.Name, t.Name))
	}
	flush()
	return last != nil
}

func rename(from, to string) string {
	if from == to {
		return id(to)
	}
	return id(from) + " as " + id(to)
}

// world prints the interfaces that are imported, then the types, then other imports, for these
// may need those.
func (w *writer) world(x *World) {
	w.names(x.Types)
	w.started = false
	var methods []*Func
	var funcs []*Extern
	for _, e := range x.Imports {
		switch kind, _, _ := SplitFunc(e.Name); {
		case kind != "":
			methods = append(methods, &Func{Name: e.Name, Docs: e.Docs, Gate: e.Gate, Type: e.Func})
		case e.Func != nil:
			funcs = append(funcs, e)
		default:
			w.extern(x, "import", e)
		}
	}
	if slices.ContainsFunc(x.Types, func(t *TypeDef) bool { return t.Use != nil }) {
		w.gap()
		w.uses(x.Types)
	}
	w.typeDefs(x.Types, methods)
	for n, e := range funcs {
		if n == 0 {
			w.gap()
		}
		w.extern(x, "import", e)
	}
	for n, e := range x.Exports {
		if n == 0 {
			w.gap()
		}
		w.extern(x, "export", e)
	}
}

func (w *writer) extern(x *World, verb string, e *Extern) {
	w.head(e.Docs, e.Gate)
	switch {
	case e.Func != nil:
		w.line("%s %s: %s;", verb, id(e.Name), w.fn(e.Func, false))
	case e.byPath():
		w.line("%s %s;", verb, w.path(e.Interface))
	case e.Interface.Package != nil:
		w.line("%s %s: %s;", verb, id(e.Name), w.path(e.Interface))
	default:
		w.open("%s %s: interface", verb, id(e.Name))
		w.interfaceBody(e.Interface)
		w.close()
		w.names(x.Types)
	}
	w.started = true
}
