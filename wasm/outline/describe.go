package outline

import (
	"cmp"
	"slices"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/wit"
)

// Describe is the WIT of a component: a package root:component with a world root, then the
// packages of all interfaces it mentions, those that others use first. An interface that is
// both imported and exported is described once, with what both sides hold. Of a WIT package in
// binary form it is that package, with its docs and gates, and what it uses. Errors are Invalid
// (ill-typed), Exhausted (past lim) or Unsupported: what WIT has no words for.
func Describe(c *binary.Component, lim binary.Limits) (*wit.Set, error) {
	v := newEvaluator(lim)
	_, items, err := v.component(c, nil, nil)
	if err != nil {
		return nil, err
	}
	d := &describer{evaluator: v, packages: map[string]*wit.Package{}, sides: map[string]*side{}, known: map[*node]spot{}}
	if isPackage(items) {
		err = d.wholePackage(items)
	} else {
		err = d.wholeComponent(items)
	}
	if err != nil {
		return nil, err
	}
	if err := d.sort(); err != nil {
		return nil, err
	}
	for _, p := range d.order {
		for _, w := range p.Worlds {
			w.Complete() // the types of a side that exports an interface may need more than the imports
		}
	}
	set := &wit.Set{Packages: d.order}
	for _, custom := range c.Custom {
		if custom.Name == docsSection {
			if err := document(set.Packages[0], custom.Data); err != nil {
				return nil, err
			}
		}
	}
	return set, nil
}

type describer struct {
	*evaluator
	order    []*wit.Package
	packages map[string]*wit.Package
	sides    map[string]*side // interfaces by full name
	known    map[*node]spot   // where a type is named
	text     int              // bytes of names, at least
}

// spot is a definition and where it stands.
type spot struct {
	side *side
	def  *wit.TypeDef
}

// side is an interface, or a world, while it is filled.
type side struct {
	iface *wit.Interface  // nil for a world
	types *[]*wit.TypeDef // where its definitions go
	names map[string]*wit.TypeDef
	funcs map[string]bool
}

func newSide(types *[]*wit.TypeDef, i *wit.Interface) *side {
	return &side{iface: i, types: types, names: map[string]*wit.TypeDef{}, funcs: map[string]bool{}}
}

// usable reports whether other interfaces can take types from s by use.
func (s *side) usable() bool { return s.iface != nil && s.iface.Package != nil }

func (s *side) String() string {
	if s.iface == nil {
		return "the world"
	}
	return s.iface.FullName()
}

func unwritable(format string, args ...any) error {
	return fault.Newf(fault.Unsupported, "wit", format+" cannot be written as WIT", args...)
}

func (d *describer) wholeComponent(items []entity) error {
	p := d.pkg(&wit.Package{Namespace: "root", Name: "component"})
	return d.world(p, "root", items)
}

// isPackage tells the binary form of a WIT package: it exports nothing but component types.
func isPackage(items []entity) bool {
	for _, e := range items {
		if !e.export || e.sort != binary.SortType || e.typ.shape == nil || !e.typ.shape.component || !wit.IsLabel(e.name) {
			return false
		}
	}
	return len(items) > 0
}

// wholePackage reads the items of a package: each is the type of a component that exports an
// interface, or the type of a component that is a world.
func (d *describer) wholePackage(items []entity) error {
	var main *wit.Package
	for _, e := range items {
		_, inner, err := d.declare(e.typ.shape, nil, nil)
		if err != nil {
			return err
		}
		for _, x := range inner {
			p, short, ok := wit.SplitPath(x.whole)
			if !ok {
				return unwritable("%s %q of a package", x.sort, x.name)
			}
			p = d.pkg(p)
			if x.export {
				main = p
			}
			switch {
			case x.sort == binary.SortInstance:
				_, err = d.iface(x)
			case x.sort == binary.SortComponent && x.export && x.comp.shape != nil:
				var externs []entity
				if _, externs, err = d.declare(x.comp.shape, nil, nil); err == nil {
					err = d.world(p, short, externs)
				}
			default:
				err = unwritable("%s %q of a package", x.sort, x.name)
			}
			if err != nil {
				return err
			}
		}
	}
	if main == nil {
		return unwritable("a package without items")
	}
	d.order = slices.DeleteFunc(d.order, func(p *wit.Package) bool { return p == main })
	d.order = slices.Insert(d.order, 0, main)
	return nil
}

func (d *describer) world(p *wit.Package, name string, items []entity) error {
	w := &wit.World{Package: p, Name: name}
	p.Worlds = append(p.Worlds, w)
	s := newSide(&w.Types, nil)
	for _, e := range items {
		var x *wit.Extern
		var err error
		switch {
		case e.sort == binary.SortInstance:
			x = &wit.Extern{Name: e.whole}
			x.Interface, err = d.iface(e)
		case e.sort == binary.SortFunc:
			x, err = d.worldFunc(s, e)
		case e.sort == binary.SortType && !e.export:
			err = d.name(s, e.name, e.typ)
		case e.export:
			err = unwritable("the export of %s %q", e.sort, e.name)
		} // imports of modules and components are no part of a world
		if err != nil {
			return err
		}
		switch {
		case x == nil:
		case e.export:
			w.Exports = append(w.Exports, x)
		default:
			w.Imports = append(w.Imports, x)
		}
	}
	return nil
}

func (d *describer) worldFunc(s *side, e entity) (*wit.Extern, error) {
	kind, resource, _ := wit.SplitFunc(e.name)
	if kind == "" && !wit.IsLabel(e.name) || kind != "" && (e.export || !s.owns(resource)) {
		return nil, unwritable("a function named %q", e.name)
	}
	f, err := d.function(s, e)
	return &wit.Extern{Name: e.name, Func: f}, err
}

// owns says whether s defines a resource, to which functions may belong.
func (s *side) owns(resource string) bool {
	def := s.names[resource]
	return def != nil && def.Resource != nil && def.From == nil
}

// iface fills the interface that an instance is: a new one, or one met before.
func (d *describer) iface(e entity) (*wit.Interface, error) {
	s, err := d.sideOf(cmp.Or(e.face, e.whole))
	if err != nil {
		return nil, err
	}
	for _, x := range e.inst.items {
		switch x.sort {
		case binary.SortType:
			err = d.name(s, x.name, x.typ)
		case binary.SortFunc:
			kind, resource, short := wit.SplitFunc(x.name)
			switch {
			case s.funcs[x.name]:
				continue
			case kind != "" && !s.owns(resource), kind == "" && !wit.IsLabel(short):
				return nil, unwritable("a function named %q in %s", x.name, s)
			}
			s.funcs[x.name] = true
			f := &wit.Func{Name: x.name}
			f.Type, err = d.function(s, x)
			s.iface.Funcs = append(s.iface.Funcs, f)
		default:
			err = unwritable("%s %q in %s", x.sort, x.name, s)
		}
		if err != nil {
			return nil, err
		}
	}
	return s.iface, nil
}

// sideOf finds or makes the interface with the name of an import or export.
func (d *describer) sideOf(name string) (*side, error) {
	if wit.IsLabel(name) { // written inside the world, once for each side
		i := &wit.Interface{Name: name}
		return newSide(&i.Types, i), nil
	}
	if s := d.sides[name]; s != nil {
		return s, nil
	}
	p, short, ok := wit.SplitPath(name)
	if !ok {
		return nil, unwritable("an instance named %q", name)
	}
	p = d.pkg(p)
	i := &wit.Interface{Package: p, Name: short}
	p.Interfaces = append(p.Interfaces, i)
	s := newSide(&i.Types, i)
	d.sides[name] = s
	return s, nil
}

// pkg is the package of this name that was met first.
func (d *describer) pkg(p *wit.Package) *wit.Package {
	if old := d.packages[p.String()]; old != nil {
		return old
	}
	d.packages[p.String()] = p
	d.order = append(d.order, p)
	return p
}

// sort puts packages behind those they use, the first one excepted. Packages that use each
// other cannot be written.
func (d *describer) sort() error {
	var sorted []*wit.Package
	busy, done := map[*wit.Package]bool{}, map[*wit.Package]bool{}
	var visit func(p *wit.Package) error
	visit = func(p *wit.Package) error {
		switch {
		case done[p]:
			return nil
		case busy[p]:
			return unwritable("package %s, which uses itself through others,", p)
		}
		busy[p] = true
		for _, i := range p.Interfaces {
			for _, t := range i.Types {
				if t.Use != nil && t.Use.Package != p {
					if err := visit(t.Use.Package); err != nil {
						return err
					}
				}
			}
		}
		done[p] = true
		sorted = append(sorted, p)
		return nil
	}
	first := d.order[0]
	for _, p := range d.order[1:] {
		if err := visit(p); err != nil {
			return err
		}
	}
	sorted = slices.DeleteFunc(sorted, func(p *wit.Package) bool { return p == first })
	d.order = append([]*wit.Package{first}, sorted...)
	return nil
}
