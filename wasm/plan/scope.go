package plan

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/rewrite"
	"greentic.dev/wasm/typing"
)

// A component is evaluated definition by definition into a scope. Types are values of that
// evaluation too, so that every type seen by package canon is concrete: one binary.Resource
// pointer per resource of the static instance graph.

// scope is the index spaces of a component instance or of a type being evaluated.
type scope struct {
	outer      *scope
	inType     bool
	shape      *shape          // the type being evaluated, when inType
	imports    *bundle         // by name, so far
	visible    *typing.Visible // nil where visibility is not checked
	instance   int             // component instance, an index into Plan.Parents; -1 inside types
	types      []*typing.Ref
	coreTypes  []*binary.CoreType
	funcs      []*Function
	instances  []*bundle
	components []*template
	modules    []*Module
	cores      []*coreBundle
	coreItems  [4][]CoreItem // by sort: func, table, memory, global
}

// shape is an instance type or component type.
type shape struct {
	component bool
	decls     []binary.Decl
	scope     *scope // where it was defined
	resource  bool   // mentions a resource from outside itself
}

// template is a component that can be instantiated: a definition, a type of one, or a
// definition of which only what the type says can be seen.
type template struct {
	def   *binary.Component
	typ   *shape
	scope *scope
}

// item is anything with a name at a component border. Value is *function, *typing.Ref, *template,
// *bundle or *Module, by sort.
type item struct {
	sort  binary.Sort
	value any
}

// bundle is a component instance as seen from outside: named items in order.
type bundle struct {
	names []string
	items map[string]item
}

func newBundle() *bundle { return &bundle{} }

func (b *bundle) add(name string, it item) {
	if b.items == nil {
		b.items = map[string]item{}
	}
	b.names = append(b.names, name)
	b.items[name] = it
}

// export is add with the checks of an export name.
func (p *planner) export(b *bundle, name string, it item) error {
	if err := p.annotated(name, it, b); err != nil {
		return err
	}
	b.add(name, it)
	return nil
}

// Function is a component function. Exactly one of Lift and Host is set.
type Function struct {
	Type *binary.Func
	Host *HostRef
	Lift *Lifted
}

// HostRef is a function that the embedder has to supply.
type HostRef struct {
	Iface, Name string
	Index       int // into Plan.Needs
}

// CoreItem is a core definition: an export of a core instance or a function made by canon.
type CoreItem struct {
	sort   binary.CoreSort
	Core   int // into Plan.Cores; -1 for a function made by canon
	Name   string
	Made   *HostFunc
	params []byte // functions only
	result []byte
	shape  rewrite.Shape // the others
}

// coreBundle is a core instance: what others may use of it, either the exports of a module or
// items by name.
type coreBundle struct {
	module *Module
	core   int // into Plan.Cores
	items  map[string]CoreItem
}

func (b *coreBundle) get(name string) (CoreItem, bool) {
	if b.module == nil {
		it, ok := b.items[name]
		return it, ok
	}
	it, ok := b.module.exports[name]
	it.Core, it.Name = b.core, name
	return it, ok
}

func invalid(format string, args ...any) error { return fault.Newf(fault.Invalid, "", format, args...) }

func (s *scope) lookup(sort binary.Sort, i uint32) (item, error) {
	it := item{sort: sort}
	var err error
	switch sort {
	case binary.SortFunc:
		it.value, err = typing.At(s.funcs, i, "function")
	case binary.SortType:
		it.value, err = typing.At(s.types, i, "type")
	case binary.SortComponent:
		it.value, err = typing.At(s.components, i, "component")
	case binary.SortInstance:
		it.value, err = typing.At(s.instances, i, "instance")
	case binary.SortCore:
		it.value, err = typing.At(s.modules, i, "core module")
	}
	return it, err
}

func (s *scope) push(it item) {
	switch v := it.value.(type) {
	case *Function:
		s.funcs = append(s.funcs, v)
	case *template:
		s.components = append(s.components, v)
	case *bundle:
		s.instances = append(s.instances, v)
	case *Module:
		s.modules = append(s.modules, v)
	case *typing.Ref:
		s.types = append(s.types, v)
	}
}

// up finds the scope count levels outward and whether a component border lies between.
func (s *scope) up(count uint32) (target *scope, crossed bool, err error) {
	for ; count > 0; count-- {
		crossed = crossed || !s.inType
		if s = s.outer; s == nil {
			return nil, false, invalid("outer alias leaves the component")
		}
	}
	return s, crossed, nil
}

// value is the type behind a type index.
func (s *scope) value(i uint32) (any, error) {
	ref, err := typing.At(s.types, i, "type")
	if err != nil {
		return nil, err
	}
	return ref.Value, nil
}

func typeScope(sh *shape) *scope {
	return &scope{outer: sh.scope, inType: true, shape: sh, instance: -1, imports: newBundle()}
}

// imported adds an import to the scope.
func (p *planner) imported(s *scope, name string, it item) error {
	if err := p.annotated(name, it, s.imports); err != nil {
		return err
	}
	s.imports.add(name, it)
	s.push(it)
	return p.show(s, name, it, false)
}
