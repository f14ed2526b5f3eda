package wit

import (
	"strings"

	"greentic.dev/wasm/binary"
)

func (w *writer) typeDef(d *TypeDef, funcs []*Func) {
	w.head(d.Docs, d.Gate)
	name, t := id(d.Name), d.Type
	switch {
	case d.From != nil:
		w.line("type %s = %s;", name, id(d.From.Name))
	case d.Resource != nil:
		w.resourceDef(d, funcs)
	case t.Kind == binary.Record:
		w.open("record %s", name)
		for i, f := range t.Fields {
			w.member(d, i, "%s: %s,", id(f.Name), w.typ(f.Type))
		}
		w.close()
	case t.Kind == binary.Variant:
		w.open("variant %s", name)
		for i, c := range t.Cases {
			if c.Type == nil {
				w.member(d, i, "%s,", id(c.Name))
			} else {
				w.member(d, i, "%s(%s),", id(c.Name), w.typ(c.Type))
			}
		}
		w.close()
	case t.Kind == binary.Enum, t.Kind == binary.Flags:
		what := "enum"
		if t.Kind == binary.Flags {
			what = "flags"
		}
		w.open("%s %s", what, name)
		for i, n := range t.Names {
			w.member(d, i, "%s,", id(n))
		}
		w.close()
	case t.Kind == binary.Own:
		w.line("type %s = own<%s>;", name, w.resource(t))
	default:
		w.line("type %s = %s;", name, w.structure(t))
	}
}

func (w *writer) member(d *TypeDef, i int, format string, args ...any) {
	if i < len(d.Members) {
		w.docs(d.Members[i])
	}
	w.line(format, args...)
}

func (w *writer) resourceDef(d *TypeDef, funcs []*Func) {
	opened := false
	for _, f := range funcs {
		kind, of, short := SplitFunc(f.Name)
		if kind == "" || of != d.Name {
			continue
		}
		if !opened {
			w.open("resource %s", id(d.Name))
			opened = true
		}
		w.head(f.Docs, f.Gate)
		switch kind {
		case "constructor":
			w.line("%s;", w.constructor(f))
		case "static":
			w.line("%s: static %s;", id(short), w.fn(f.Type, false))
		default:
			w.line("%s: %s;", id(short), w.fn(f.Type, true))
		}
	}
	if opened {
		w.close()
	} else {
		w.line("resource %s;", id(d.Name))
	}
}

// constructor writes a constructor; what it makes is said only if it may fail.
func (w *writer) constructor(f *Func) string {
	t := *f.Type
	if t.Result != nil && t.Result.Kind == binary.Own {
		t.Result = nil
	}
	return strings.Replace(w.fn(&t, false), "func", "constructor", 1)
}

func (w *writer) fn(t *binary.Func, method bool) string {
	var params []string
	for i, p := range t.Params {
		if i > 0 || !method {
			params = append(params, id(p.Name)+": "+w.typ(p.Type))
		}
	}
	s := "func(" + strings.Join(params, ", ") + ")"
	if t.Result != nil {
		s += " -> " + w.typ(t.Result)
	}
	return s
}

// resource is the name of the resource of a handle: the one it was mentioned by, if that is one
// here, or else the first it has.
func (w *writer) resource(t *binary.Type) string {
	if d := w.aliases[t.Name]; d != nil && d.Resource == t.Resource {
		return id(t.Name)
	}
	return w.resources[t.Resource]
}

// typ writes a reference to a type: its name if it has one here.
func (w *writer) typ(t *binary.Type) string {
	if name := w.types[t]; name != "" {
		return name
	}
	return w.structure(t)
}

func (w *writer) structure(t *binary.Type) string {
	switch t.Kind {
	case binary.List:
		return "list<" + w.typ(t.Elem) + ">"
	case binary.Option:
		return "option<" + w.typ(t.Elem) + ">"
	case binary.Tuple:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = w.typ(f.Type)
		}
		return "tuple<" + strings.Join(parts, ", ") + ">"
	case binary.Result:
		switch {
		case t.Elem == nil && t.Err == nil:
			return "result"
		case t.Err == nil:
			return "result<" + w.typ(t.Elem) + ">"
		case t.Elem == nil:
			return "result<_, " + w.typ(t.Err) + ">"
		}
		return "result<" + w.typ(t.Elem) + ", " + w.typ(t.Err) + ">"
	case binary.Own:
		return w.resource(t)
	case binary.Borrow:
		return "borrow<" + w.resource(t) + ">"
	}
	if t.Kind <= binary.String {
		return primitives[t.Kind]
	}
	return id(t.Name)
}
