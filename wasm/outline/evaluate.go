package outline

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

// What a component imports and exports follows from its definitions: they are evaluated here,
// types only. Every place that names a type makes a node, so that a type keeps its way: which
// instance it was taken from, and by which name.

// node is a type. One that is another name of a type has only of.
type node struct {
	of          *node
	kind        binary.Kind // of a value type
	names       []string
	elem, err   *node
	fields      []part // of a record, tuple or variant
	handle      *node  // the resource of own and borrow
	resource    bool
	fn          *signature
	shape       *shape // an instance type or component type
	size, depth int
}

// part is a field, case or parameter; typ may be nil.
type part struct {
	name string
	typ  *node
}

type signature struct {
	params []part
	result *node
}

// shape is the type of an instance or component, to be evaluated for each use of it.
type shape struct {
	component bool
	decls     []binary.Decl
	scope     *space
}

// template is a component, or only the type of one.
type template struct {
	def   *binary.Component
	shape *shape
	scope *space
}

// entity is anything with a name. Typ is the type, or that of the function; whole is the name of
// an import or export with its whole version, and face the interface that an instance with a
// plain name has.
type entity struct {
	name   string
	whole  string
	face   string
	export bool
	sort   binary.Sort
	typ    *node
	inst   *bundle
	comp   *template
}

// bundle is what an instance holds, in order.
type bundle struct {
	items []entity
	at    map[string]int
}

func (b *bundle) add(e entity) {
	if b.at == nil {
		b.at = map[string]int{}
	}
	b.at[e.name] = len(b.items)
	b.items = append(b.items, e)
}

func (b *bundle) find(name string) (entity, bool) {
	if b == nil {
		return entity{}, false
	}
	i, ok := b.at[name]
	if !ok {
		return entity{}, false
	}
	return b.items[i], true
}

// space is the index spaces of a component or of a type.
type space struct {
	outer *space
	types []*node
	funcs []*node
	insts []*bundle
	comps []*template
}

func (s *space) push(e entity) {
	switch e.sort {
	case binary.SortFunc:
		s.funcs = append(s.funcs, e.typ)
	case binary.SortType:
		s.types = append(s.types, e.typ)
	case binary.SortInstance:
		s.insts = append(s.insts, e.inst)
	case binary.SortComponent:
		s.comps = append(s.comps, e.comp)
	}
}

func (s *space) lookup(sort binary.Sort, i uint32) (e entity, err error) {
	e.sort = sort
	switch sort {
	case binary.SortFunc:
		e.typ, err = typing.At(s.funcs, i, "function")
	case binary.SortType:
		e.typ, err = typing.At(s.types, i, "type")
	case binary.SortInstance:
		e.inst, err = typing.At(s.insts, i, "instance")
	case binary.SortComponent:
		e.comp, err = typing.At(s.comps, i, "component")
	}
	return e, err
}

// evaluator bounds the work: components that instantiate each other multiply.
type evaluator struct {
	lim         binary.Limits
	work, depth int
	primitives  [binary.String + 1]*node
}

func newEvaluator(lim binary.Limits) *evaluator { return &evaluator{lim: lim.WithDefaults()} }

func (v *evaluator) spend(n int) error {
	if v.work += n; v.work > v.lim.Definitions {
		return fault.Newf(fault.Exhausted, "wit", "describing needs more than %d steps", v.lim.Definitions)
	}
	return nil
}

func (v *evaluator) enter() error {
	if v.depth++; v.depth > v.lim.Depth {
		return fault.Newf(fault.Exhausted, "wit", "components or types nested deeper than %d", v.lim.Depth)
	}
	return nil
}

// component evaluates a definition. Give supplies what it imports; without it imports are what
// their types say. The result is its imports and exports in order.
func (v *evaluator) component(c *binary.Component, outer *space, give func(string) (entity, bool)) (*bundle, []entity, error) {
	if err := v.enter(); err != nil {
		return nil, nil, err
	}
	defer func() { v.depth-- }()
	s, out := &space{outer: outer}, &bundle{}
	var all []entity
	for i := range c.Defs {
		d := &c.Defs[i]
		if err := v.spend(1); err != nil {
			return nil, nil, err
		}
		var err error
		switch {
		case d.Component != nil:
			s.comps = append(s.comps, &template{def: d.Component, scope: s})
		case d.Instance != nil:
			err = v.instance(s, d.Instance)
		case d.Alias != nil:
			err = v.alias(s, d.Alias)
		case d.Type != nil:
			var t *node
			t, err = v.define(s, d.Type)
			s.types = append(s.types, t)
		case d.Canon != nil && d.Canon.Op == binary.CanonLift:
			var t *node
			t, err = typing.At(s.types, d.Canon.Type, "type")
			s.funcs = append(s.funcs, t)
		case d.Import != nil:
			var e entity
			e, err = v.imported(s, d.Import, give)
			all = append(all, e)
		case d.Export != nil:
			var e entity
			e, err = v.exported(s, d.Export)
			all = append(all, e)
			out.add(e)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return out, all, nil
}

func (v *evaluator) imported(s *space, d *binary.Import, give func(string) (entity, bool)) (entity, error) {
	var actual *entity
	if give != nil {
		a, ok := give(d.Name)
		if !ok {
			return a, fault.Newf(fault.Invalid, "wit", "import %q is not supplied", d.Name)
		}
		actual = &a
	}
	e, err := v.extern(s, d.Name, d.Type, actual)
	e.whole, e.face = d.Name+d.Suffix, d.Implements
	s.push(e)
	return e, err
}

func (v *evaluator) exported(s *space, d *binary.Export) (entity, error) {
	e, err := s.lookup(d.Sort, d.Index)
	if err != nil {
		return e, err
	}
	if d.Type != nil {
		e, err = v.extern(s, d.Name, *d.Type, nil)
	} else if e.sort == binary.SortType {
		e.typ = another(e.typ)
	}
	e.name, e.export, e.whole, e.face = d.Name, true, d.Name+d.Suffix, d.Implements
	s.push(e)
	return e, err
}

// another is a further name of a type.
func another(t *node) *node {
	return &node{of: t, kind: t.kind, size: t.size, depth: t.depth, shape: t.shape, fn: t.fn}
}

// root is the definition that a type goes back to.
func (t *node) root() *node {
	for t.of != nil {
		t = t.of
	}
	return t
}

// extern is what the type of an import or export says, with the types of actual, if there is
// one, in place of its own.
func (v *evaluator) extern(s *space, name string, x binary.Extern, actual *entity) (entity, error) {
	e := entity{name: name, sort: x.Sort}
	if actual != nil && actual.sort != x.Sort {
		return e, fault.Newf(fault.Invalid, "wit", "%q is of sort %s, want %s", name, actual.sort, x.Sort)
	}
	switch {
	case x.Sort == binary.SortCore:
		return e, nil
	case x.Sort == binary.SortType && actual != nil:
		e.typ = actual.typ
		return e, nil
	case x.Sort == binary.SortType && x.Fresh:
		e.typ = &node{resource: true, size: 1, depth: 1}
		return e, nil
	}
	t, err := typing.At(s.types, x.Index, "type")
	if err != nil {
		return e, err
	}
	switch x.Sort {
	case binary.SortType:
		e.typ = another(t)
	case binary.SortFunc:
		if e.typ = t; t.fn == nil {
			err = fault.Newf(fault.Invalid, "wit", "the type of %q is not one of a function", name)
		}
	default:
		sh := t.shape
		if sh == nil || sh.component != (x.Sort == binary.SortComponent) {
			return e, fault.Newf(fault.Invalid, "wit", "the type of %q is not one of a %s", name, x.Sort)
		}
		if sh.component {
			if e.comp = (&template{shape: sh}); actual != nil {
				e.comp = actual.comp
			}
			return e, nil
		}
		var have *bundle
		if actual != nil {
			have = actual.inst
		}
		e.inst, _, err = v.declare(sh, nil, have)
	}
	return e, err
}

// declare evaluates the type of an instance or component. Give supplies the imports of a
// component type; have is an instance whose types stand for those that the type declares.
func (v *evaluator) declare(sh *shape, give func(string) (entity, bool), have *bundle) (*bundle, []entity, error) {
	if err := v.enter(); err != nil {
		return nil, nil, err
	}
	defer func() { v.depth-- }()
	s, out := &space{outer: sh.scope}, &bundle{}
	var all []entity
	for i := range sh.decls {
		d := &sh.decls[i]
		if err := v.spend(1); err != nil {
			return nil, nil, err
		}
		var err error
		switch {
		case d.Type != nil:
			var t *node
			t, err = v.define(s, d.Type)
			s.types = append(s.types, t)
		case d.Alias != nil:
			err = v.alias(s, d.Alias)
		case d.Import != nil:
			var e entity
			e, err = v.imported(s, d.Import, give)
			all = append(all, e)
		case d.Export != nil:
			var actual *entity
			if a, ok := have.find(d.Export.Name); ok {
				actual = &a
			}
			var e entity
			e, err = v.extern(s, d.Export.Name, d.Export.Type, actual)
			e.export, e.whole, e.face = true, d.Export.Name+d.Export.Suffix, d.Export.Implements
			s.push(e)
			all = append(all, e)
			out.add(e)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return out, all, nil
}

func (v *evaluator) instance(s *space, d *binary.Instance) error {
	if d.Inline {
		b := &bundle{}
		for _, x := range d.Exports {
			e, err := s.lookup(x.Sort, x.Index)
			if err != nil {
				return err
			}
			e.name = x.Name
			b.add(e)
		}
		s.insts = append(s.insts, b)
		return nil
	}
	t, err := typing.At(s.comps, d.Component, "component")
	if err != nil {
		return err
	}
	args := &bundle{}
	for _, a := range d.Args {
		e, err := s.lookup(a.Sort, a.Index)
		if err != nil {
			return err
		}
		e.name = a.Name
		args.add(e)
	}
	var b *bundle
	if t.def != nil {
		b, _, err = v.component(t.def, t.scope, args.find)
	} else {
		b, _, err = v.declare(t.shape, args.find, nil)
	}
	s.insts = append(s.insts, b)
	return err
}

func (v *evaluator) alias(s *space, a *binary.Alias) error {
	if a.Sort == binary.SortCore {
		return nil
	}
	if a.Target == binary.AliasOuter {
		from := s
		for n := a.Count; n > 0 && from != nil; n-- {
			from = from.outer
		}
		if from == nil {
			return fault.New(fault.Invalid, "wit", "outer alias leaves the component")
		}
		e, err := from.lookup(a.Sort, a.Index)
		s.push(e)
		return err
	}
	b, err := typing.At(s.insts, a.Instance, "instance")
	if err != nil {
		return err
	}
	e, ok := b.find(a.Name)
	if !ok || e.sort != a.Sort {
		return fault.Newf(fault.Invalid, "wit", "instance %d does not export a %s %q", a.Instance, a.Sort, a.Name)
	}
	s.push(e)
	return nil
}
