package wit

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

func (r *resolver) world(w *world, at place) error {
	switch w.state {
	case done:
		return nil
	case busy:
		return at.err(fault.Invalid, "remove one include", "world %q includes itself", w.decl.name.text)
	}
	if r.depth++; r.depth > maxDepth {
		return at.err(fault.Exhausted, "", "worlds include each other deeper than %d", maxDepth)
	}
	defer func() { r.depth-- }()
	w.state, w.externs = busy, map[bool]map[string]*Extern{false: {}, true: {}}
	d := w.decl
	w.types = newScope()
	if err := r.fill(w.types, w.unit, d.uses, d.types); err != nil {
		return err
	}
	for _, t := range d.types {
		for _, f := range t.funcs {
			ft, err := r.fn(w.types, t, f)
			if err != nil {
				return err
			}
			w.add(&Extern{Name: f.name.text, Docs: f.docs, Gate: f.gate, Func: ft}, false)
		}
	}
	for _, e := range d.externs {
		if err := r.extern(w, e); err != nil {
			return err
		}
	}
	for _, inc := range d.includes {
		if err := r.include(w, inc); err != nil {
			return err
		}
	}
	w.model.Types = w.types.order
	if i := w.model.Complete(); i != nil {
		return at.err(fault.Invalid, "export what it uses too, or do not export what that uses",
			"world %q exports something of which %s takes types, but cannot export it beside them", d.name.text, i.FullName())
	}
	w.state = done
	return r.checkGates(w.unit, d.header)
}

func (r *resolver) extern(w *world, e *externDecl) error {
	x := &Extern{Name: e.name.text, Docs: e.docs, Gate: e.gate}
	at := e.name.at
	switch {
	case e.path != nil:
		i, err := r.lookupIface(w.unit, e.path)
		if err != nil {
			return err
		}
		if x.Interface = i.model; x.Name == "" {
			x.Name, at = i.model.FullName(), e.path.item.at
		}
	case e.iface != nil:
		i := &iface{decl: e.iface, unit: w.unit, model: &Interface{Name: e.name.text, Docs: e.iface.docs, Gate: e.iface.gate}}
		if err := r.iface(i, at); err != nil {
			return err
		}
		x.Interface = i.model
	default:
		var err error
		if x.Func, err = r.fn(w.types, nil, e.fn); err != nil {
			return err
		}
	}
	if w.find(x.Name, e.export) != nil || !e.export && w.types.taken[binary.StrongName(x.Name)] {
		return at.err(fault.Invalid, "remove one of them", "%q is %s twice", x.Name, verb(e.export))
	}
	w.add(x, e.export)
	h := e.header
	h.name = name{x.Name, at}
	return r.checkGates(w.unit, h)
}

func verb(export bool) string {
	if export {
		return "exported"
	}
	return "imported"
}

func (w *world) find(name string, export bool) *Extern {
	return w.externs[export][binary.StrongName(name)]
}

func (w *world) add(x *Extern, export bool) {
	w.externs[export][binary.StrongName(x.Name)] = x
	if export {
		w.model.Exports = append(w.model.Exports, x)
	} else {
		w.model.Imports = append(w.model.Imports, x)
	}
}

// include adds what another world has. Interfaces that both have are one; plain names must
// differ, if need be by renaming them.
func (r *resolver) include(w *world, inc *includeDecl) error {
	_, other, err := r.lookup(w.unit, inc.path)
	if err != nil {
		return err
	}
	at := inc.path.item.at
	if other == nil {
		return at.err(fault.Invalid, "name a world", "%q is an interface, not a world", inc.path.item.text)
	}
	if err := r.world(other, at); err != nil {
		return err
	}
	used := map[string]bool{}
	as := func(name string) string {
		for _, n := range inc.names {
			if n.name.text == name {
				used[name] = true
				return n.as.text
			}
		}
		return name
	}
	for _, export := range []bool{false, true} {
		theirs := other.model.Imports
		if export {
			theirs = other.model.Exports
		}
		for _, x := range theirs {
			if err := w.adopt(other, x, export, as, at); err != nil {
				return err
			}
		}
	}
	for _, t := range other.model.Types {
		c := *t
		c.Name = as(t.Name)
		switch old := w.types.defs[c.Name]; {
		case old == nil:
			w.types.add(&c)
		case old.From != c.From || c.Use == nil:
			return at.err(fault.Invalid, "rename it: include "+inc.path.item.text+" with { "+c.Name+" as … }", "type %q is in both worlds", c.Name)
		}
	}
	for _, n := range inc.names {
		if !used[n.name.text] {
			return n.name.at.err(fault.Invalid, "only plain names can be renamed", "world %q has no import or export named %q",
				inc.path.item.text, n.name.text)
		}
	}
	return nil
}

// adopt adds an import or export of an included world under the name that as gives it.
func (w *world) adopt(from *world, x *Extern, export bool, as func(string) string, at place) error {
	c := *x
	if from.unit.info != w.unit.info {
		c.Gate.Since, c.Gate.Deprecated = "", "" // versions of another package
	}
	switch kind, resource, short := SplitFunc(x.Name); {
	case kind != "":
		c.Name = "[" + kind + "]" + as(resource)
		if short != "" {
			c.Name += "." + short
		}
	case !x.byPath():
		c.Name = as(x.Name)
	}
	switch old := w.find(c.Name, export); {
	case old == nil:
		w.add(&c, export)
	case !c.byPath():
		return at.err(fault.Invalid, "rename it: include … with { "+c.Name+" as … }",
			"%q is %s by both worlds", c.Name, verb(export))
	case old.Gate == (Gate{}):
		old.Gate = c.Gate
	}
	return nil
}
