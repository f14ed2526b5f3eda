package plan

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
	Cores     []Core         // core module instances, in order
	Unused    []*Module      // core modules nobody instantiates
	Made      []*HostFunc    // functions made by canon, in order
	Parents   []int          // component instances: the enclosing one, or -1
	Options   []CanonOptions // one per canonical definition with options
	Entries   []CoreItem     // core functions that the host calls
	Needs     []Need         // functions that the embedder supplies
	Resources map[*binary.Resource]*GuestResource

	imports, exports []Extern
	byName           map[string]item // exports
}

// Core is one core module instance to make.
type Core struct {
	Module *Module
	Links  []CoreItem // what each import resolves to, in import order
}

// Need is a function that the embedder has to supply.
type Need struct {
	Iface, Name string
	Type        *binary.Func
}

// GuestResource is a resource defined by a component instance.
type GuestResource struct {
	Instance int
	Dtor     int // into Plan.Entries; -1 when there is none
}

// CanonOptions are the options of a canonical definition.
type CanonOptions struct {
	Instance int
	Encoding canon.Encoding
	Memory   *CoreItem
	Realloc  int // into Plan.Entries; -1 when there is none
}

// Lifted is a core function lifted to a component function.
type Lifted struct {
	Entry      int // into Plan.Entries
	PostReturn int // into Plan.Entries; -1 when there is none
	Options    int // into Plan.Options
	Instance   int
	Sig        *canon.Signature
	Params     int // number of core parameters
	Results    int
}

// HostFunc is a core function made by a canonical definition.
type HostFunc struct {
	Op       binary.CanonOp
	Index    int // into Plan.Made
	Instance int // whose code calls it
	Resource *binary.Resource
	Fn       *Function // lower
	Sig      *canon.Signature
	Options  int // lower; into Plan.Options
	Params   []byte
	Results  []byte
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

	Identity map[string]*binary.Resource
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
	memories int // core instances that define one

	*shared
}

// shared is the part of a planner that its checkers share.
type shared struct {
	work    int
	effort  int // of compiling the modules
	checked map[any]bool
	modules map[*binary.CoreModule]*Module
	parsed  []*Module // those of modules, in order

	concrete   map[*binary.Resource]*binary.Resource // see runtime
	types      *typing.Table
	signatures *canon.Compiler
}

const i32 = 0x7f

// New evaluates c: it checks every definition, also of nested components that are never
// instantiated, and resolves the whole instance graph. Errors are Invalid (ill-typed),
// Unsupported or Exhausted and carry the byte offset.
func New(c *binary.Component, lim binary.Limits) (*Plan, error) {
	p := &planner{plan: &Plan{}, lim: lim.WithDefaults(), shared: &shared{
		checked:  map[any]bool{},
		concrete: map[*binary.Resource]*binary.Resource{},
		modules:  map[*binary.CoreModule]*Module{},
		types:    typing.New(lim.WithDefaults()),
	}}
	p.signatures = canon.NewCompiler(p.runtime)
	out, err := p.instantiate(&template{def: c}, -1, nil)
	if err != nil {
		return nil, err
	}
	used := map[*rewrite.Module]bool{}
	for _, c := range p.plan.Cores {
		used[c.Module.Parsed] = true
	}
	for _, m := range p.parsed {
		if !used[m.Parsed] {
			p.plan.Unused = append(p.plan.Unused, m)
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
	e := Extern{Name: name, Types: map[string]*binary.Type{}, Identity: map[string]*binary.Resource{}}
	if f, ok := it.value.(*Function); ok {
		e.Func = f.Type
		return e
	}
	names, items := []string{name}, map[string]item{name: it}
	if b, ok := it.value.(*bundle); ok {
		e.Funcs = map[string]*binary.Func{}
		names, items = b.names, b.items
	}
	for _, n := range names {
		switch x := items[n].value.(type) {
		case *Function:
			e.Funcs[n] = x.Type
			e.Order = append(e.Order, n)
		case *typing.Ref:
			switch t := x.Value.(type) {
			case *binary.Type:
				e.Types[n] = t
			case *binary.Resource:
				e.Resources = append(e.Resources, n)
				e.Identity[n] = t
			}
		}
	}
	return e
}

// Func finds an exported function; iface is empty for one at world level.
func (p *Plan) Func(iface, name string) (*binary.Func, bool) {
	f, err := p.Find(iface, name)
	if err != nil {
		return nil, false
	}
	return f.Type, true
}

func (p *Plan) Find(iface, name string) (*Function, error) {
	items := p.byName
	if iface != "" {
		b, ok := items[iface].value.(*bundle)
		if !ok {
			return nil, fault.New(fault.NotFound, "invoke "+iface, "the component does not export this interface")
		}
		items = b.items
	}
	fn, ok := items[name].value.(*Function)
	if !ok {
		return nil, fault.New(fault.NotFound, "invoke "+FuncName(iface, name), "the component does not export this function")
	}
	return fn, nil
}

// FuncName is how errors name a function of an interface, or one at world level.
func FuncName(iface, name string) string {
	if iface == "" {
		return name
	}
	return iface + "#" + name
}
