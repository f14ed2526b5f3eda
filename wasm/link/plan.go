package link

import (
	"errors"
	"fmt"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/rewrite"
	"greentic.dev/wasm/typing"
)

// Plan is the static instance graph of a component, independent of any host: what to
// instantiate in which order and what every import of every core module resolves to. It is
// immutable and shared by all bindings of the component.
type Plan struct {
	cores     []coreStep     // core module instances, in order
	unused    []*module      // core modules nobody instantiates
	made      []*hostFunc    // functions made by canon, in order
	parents   []int          // component instances: the enclosing one, or -1
	options   []canonOptions // one per canonical definition with options
	entries   []coreItem     // core functions that the host calls
	needs     []need         // functions that the embedder supplies
	resources map[*binary.Resource]*guestResource

	imports, exports []Extern
	byName           map[string]item // exports
}

// coreStep is one core module instance to make.
type coreStep struct {
	module *module
	links  []coreItem // what each import resolves to, in import order
}

// need is a function that the embedder has to supply.
type need struct {
	iface, name string
	typ         *binary.Func
}

// guestResource is a resource defined by a component instance.
type guestResource struct {
	instance int
	dtor     int // into Plan.entries; -1 when there is none
}

// canonOptions are the options of a canonical definition.
type canonOptions struct {
	instance int
	encoding canon.Encoding
	memory   *coreItem
	realloc  int // into Plan.entries; -1 when there is none
}

// lifted is a core function lifted to a component function.
type lifted struct {
	entry      int // into Plan.entries
	postReturn int // into Plan.entries; -1 when there is none
	options    int // into Plan.options
	instance   int
	sig        *canon.Signature
	params     int // number of core parameters
	results    int
}

// hostFunc is a core function made by a canonical definition.
type hostFunc struct {
	op       binary.CanonOp
	index    int // into Plan.made
	instance int // whose code calls it
	resource *binary.Resource
	fn       *function // lower
	sig      *canon.Signature
	options  int // lower; into Plan.options
	params   []byte
	results  []byte
}

// Extern is an import or export of the component, reflected. A function at world level has
// Func; a value type at world level is in Types and a resource in Resources under the name of
// the extern; an interface has its items by name.
type Extern struct {
	Name      string
	Func      *binary.Func
	Funcs     map[string]*binary.Func
	Order     []string // the names in Funcs, in order
	Types     map[string]*binary.Type
	Resources []string

	identity map[string]*binary.Resource
}

// Imports lists what the component imports, in order.
func (p *Plan) Imports() []Extern { return p.imports }

// Exports lists what the component exports, in order.
func (p *Plan) Exports() []Extern { return p.exports }

// planner evaluates a component into a plan.
type planner struct {
	plan     *Plan
	lim      binary.Limits
	checking bool // the result is thrown away
	inType   int
	depth    int

	*shared
}

// shared is the part of a planner that its checkers share.
type shared struct {
	work    int
	checked map[any]bool
	modules map[*binary.CoreModule]*module
	parsed  []*module // those of modules, in order

	concrete   map[*binary.Resource]*binary.Resource // see runtime
	types      *typing.Table
	signatures *canon.Compiler
}

const i32 = 0x7f

// NewPlan evaluates c: it checks every definition, also of nested components that are never
// instantiated, and resolves the whole instance graph. Errors are Invalid (ill-typed),
// Unsupported or Exhausted and carry the byte offset.
func NewPlan(c *binary.Component, lim binary.Limits) (*Plan, error) {
	p := &planner{plan: &Plan{}, lim: lim.WithDefaults(), shared: &shared{
		checked:  map[any]bool{},
		concrete: map[*binary.Resource]*binary.Resource{},
		modules:  map[*binary.CoreModule]*module{},
		types:    typing.New(lim.WithDefaults()),
	}}
	p.signatures = canon.NewCompiler(p.runtime)
	out, err := p.instantiate(&template{def: c}, -1, nil)
	if err != nil {
		return nil, err
	}
	used := map[*rewrite.Module]bool{}
	for _, c := range p.plan.cores {
		used[c.module.parsed] = true
	}
	for _, m := range p.parsed {
		if !used[m.parsed] {
			p.plan.unused = append(p.plan.unused, m)
		}
	}
	whole := map[string]string{} // the embedder sees whole versions
	for _, d := range c.Defs {
		if d.Export != nil {
			whole[d.Export.Name] = d.Export.Name + d.Export.Suffix
		}
	}
	p.plan.byName = map[string]item{}
	for _, name := range out.names {
		it := out.items[name]
		name = whole[name]
		p.plan.byName[name] = it
		p.plan.exports = append(p.plan.exports, externOf(name, it))
	}
	return p.plan, nil
}

// checker is a planner whose plan nobody uses.
func (p *planner) checker() *planner {
	return &planner{plan: &Plan{}, lim: p.lim, checking: true, depth: p.depth, shared: p.shared}
}

// spend counts n evaluated definitions: components that instantiate each other multiply.
func (p *planner) spend(n int) error {
	if p.work += n; p.work > p.lim.Definitions {
		return fault.Newf(fault.Exhausted, "", "linking needs more than %d steps", p.lim.Definitions)
	}
	return nil
}

// located adds the offset of the innermost definition to an error.
func located(offset int, err error) error {
	var e *fault.Error
	if errors.As(err, &e) && e.Op != "" {
		return err
	}
	return fault.Wrap(fmt.Sprintf("component offset %#x", offset), err)
}

func externOf(name string, it item) Extern {
	e := Extern{Name: name, Types: map[string]*binary.Type{}, identity: map[string]*binary.Resource{}}
	if f, ok := it.value.(*function); ok {
		e.Func = f.typ
		return e
	}
	names, items := []string{name}, map[string]item{name: it}
	if b, ok := it.value.(*bundle); ok {
		e.Funcs = map[string]*binary.Func{}
		names, items = b.names, b.items
	}
	for _, n := range names {
		switch x := items[n].value.(type) {
		case *function:
			e.Funcs[n] = x.typ
			e.Order = append(e.Order, n)
		case *typing.Ref:
			switch t := x.Value.(type) {
			case *binary.Type:
				e.Types[n] = t
			case *binary.Resource:
				e.Resources = append(e.Resources, n)
				e.identity[n] = t
			}
		}
	}
	return e
}

// Func finds an exported function; iface is empty for one at world level.
func (p *Plan) Func(iface, name string) (*binary.Func, bool) {
	f, err := p.find(iface, name)
	if err != nil {
		return nil, false
	}
	return f.typ, true
}

func (p *Plan) find(iface, name string) (*function, error) {
	items := p.byName
	if iface != "" {
		b, ok := items[iface].value.(*bundle)
		if !ok {
			return nil, fault.New(fault.NotFound, "invoke "+iface, "the component does not export this interface")
		}
		items = b.items
	}
	fn, ok := items[name].value.(*function)
	if !ok {
		return nil, fault.New(fault.NotFound, "invoke "+hostName(iface, name), "the component does not export this function")
	}
	return fn, nil
}
