package wit

import (
	"fmt"
	"strings"

	"greentic.dev/wasm/binary"
)

// Format prints a set as WIT. The first package is that of the file, the others follow as
// nested blocks. Parse reads it back to the same text. Every record, variant, enum, flags and
// resource that a function mentions must be among the types of its interface or world.
func Format(s *Set) string {
	w := &writer{}
	for n, p := range s.Packages {
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

// writer prints lines at a depth. Names are those of the interface or world being printed.
type writer struct {
	strings.Builder
	depth     int
	pkg       *Package
	types     map[*binary.Type]string
	resources map[*binary.Resource]string
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
	used := w.uses(i.Types)
	plain := 0
	for _, t := range i.Types {
		if t.Use == nil {
			if used {
				w.WriteByte('\n')
			}
			w.typeDef(t, i.Funcs)
			used = true
		}
	}
	for _, f := range i.Funcs {
		if kind, _, _ := splitFunc(f.Name); kind != "" {
			continue
		}
		if plain++; plain == 1 && used {
			w.WriteByte('\n')
		}
		w.head(f.Docs, f.Gate)
		w.line("%s: %s;", id(f.Name), w.fn(f.Type, false))
	}
}

// names makes the names of an interface or world those in use.
func (w *writer) names(types []*TypeDef) {
	w.types, w.resources = map[*binary.Type]string{}, map[*binary.Resource]string{}
	for _, t := range types {
		if t.Type != nil && w.types[t.Type] == "" {
			w.types[t.Type] = id(t.Name)
		}
		if t.Resource != nil && w.resources[t.Resource] == "" {
			w.resources[t.Resource] = id(t.Name)
		}
	}
}

// uses prints the use lines, one for each interface, and says whether there were any.
func (w *writer) uses(types []*TypeDef) (used bool) {
	done := map[*TypeDef]bool{}
	for n, t := range types {
		if t.Use == nil || done[t] {
			continue
		}
		var names []string
		for _, u := range types[n:] {
			if u.Use == t.Use && u.Gate == t.Gate {
				done[u] = true
				names = append(names, rename(u.From.Name, u.Name))
			}
		}
		w.head("", t.Gate)
		w.line("use %s.{%s};", w.path(t.Use), strings.Join(names, ", "))
		used = true
	}
	return used
}

func rename(from, to string) string {
	if from == to {
		return id(to)
	}
	return id(from) + " as " + id(to)
}

func (w *writer) world(x *World) {
	w.names(x.Types)
	used := w.uses(x.Types)
	var methods []*Func
	for _, e := range x.Imports {
		if kind, _, _ := splitFunc(e.Name); kind != "" {
			methods = append(methods, &Func{Name: e.Name, Docs: e.Docs, Gate: e.Gate, Type: e.Func})
		}
	}
	for _, t := range x.Types {
		if t.Use == nil {
			if used {
				w.WriteByte('\n')
			}
			w.typeDef(t, methods)
			used = true
		}
	}
	for _, side := range []struct {
		verb    string
		externs []*Extern
	}{{"import", x.Imports}, {"export", x.Exports}} {
		first := true
		for _, e := range side.externs {
			if kind, _, _ := splitFunc(e.Name); kind != "" {
				continue
			}
			if first && used {
				w.WriteByte('\n')
			}
			first, used = false, true
			w.extern(x, side.verb, e)
		}
	}
}

func (w *writer) extern(x *World, verb string, e *Extern) {
	w.head(e.Docs, e.Gate)
	switch {
	case e.Func != nil:
		w.line("%s %s: %s;", verb, id(e.Name), w.fn(e.Func, false))
	case e.Interface.Package != nil:
		w.line("%s %s;", verb, w.path(e.Interface))
	default:
		w.open("%s %s: interface", verb, id(e.Name))
		w.interfaceBody(e.Interface)
		w.close()
		w.names(x.Types)
	}
}
