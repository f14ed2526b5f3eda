package plan

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/typing"
)

// coreInstance adds a core instance: each import of the module is resolved to the definition
// that stands behind it, through any number of inline instances and aliases.
func (p *planner) coreInstance(s *scope, d *binary.CoreInstance) error {
	b := &coreBundle{}
	s.cores = append(s.cores, b)
	if d.Inline {
		b.items = map[string]CoreItem{}
		if err := p.spend(len(d.Exports)); err != nil {
			return err
		}
		for _, e := range d.Exports {
			if e.Sort > binary.CoreGlobal {
				return invalid("a core instance cannot export a %s", e.Sort)
			}
			it, err := typing.At(s.coreItems[e.Sort], e.Index, e.Sort.String())
			if err != nil {
				return err
			}
			b.items[e.Name] = it
		}
		return nil
	}
	m, err := typing.At(s.modules, d.Module, "core module")
	if err != nil {
		return err
	}
	args := make(map[string]*coreBundle, len(d.Args))
	for _, a := range d.Args {
		if args[a.Name], err = typing.At(s.cores[:len(s.cores)-1], a.Instance, "core instance"); err != nil {
			return err
		}
	}
	if err := p.spend(len(m.Imports)); err != nil {
		return err
	}
	links := make([]CoreItem, len(m.Imports))
	for i, imp := range m.Imports {
		from := args[imp.module]
		if from == nil {
			return invalid("core module imports %q, which is not supplied", imp.module)
		}
		it, ok := from.get(imp.Name)
		if !ok || it.sort != imp.sort {
			return invalid("core module imports %s %q %q, which is not supplied", imp.sort, imp.module, imp.Name)
		}
		if !it.fits(imp.CoreItem) {
			return invalid("core module imports %s %q %q with another type than supplied", imp.sort, imp.module, imp.Name)
		}
		links[i] = it
	}
	if !p.checking {
		p.effort += m.effort
	}
	if p.effort > maxEffort {
		return fault.New(fault.Exhausted, "", "the core modules together are too much work to compile")
	}
	b.module, b.core = m, len(p.plan.Cores)
	p.plan.Cores = append(p.plan.Cores, Core{Module: m, Links: links})
	if m.Parsed != nil && m.Parsed.Facts().Memory != nil { // nil: only its type is known
		if p.memories++; p.memories > maxMemories {
			return fault.Newf(fault.Exhausted, "", "more than %d core instances with a memory", maxMemories)
		}
	}
	return atMost(maxCores, len(p.plan.Cores), "core instances")
}

// Each of these costs memory per invocation.
const (
	maxCores     = 1_000
	maxMemories  = 100    // each takes two mappings of the process, of which there are some ten thousands
	maxInstances = 2_000  // each has a table of handles
	maxFuncs     = 20_000 // functions that cross between core modules and the host, each way
)

func atMost(most, n int, what string) error {
	if n > most {
		return fault.Newf(fault.Exhausted, "", "more than %d %s", most, what)
	}
	return nil
}

// entry registers a core function that the host calls.
func (p *planner) entry(f CoreItem) int {
	p.plan.Entries = append(p.plan.Entries, f)
	return len(p.plan.Entries) - 1
}

func (p *planner) canon(s *scope, d *binary.Canon) error {
	if err := atMost(maxFuncs, max(len(p.plan.Made), len(p.plan.Entries)), "functions made by canonical definitions"); err != nil {
		return err
	}
	switch d.Op {
	case binary.CanonLift:
		return p.lift(s, d)
	case binary.CanonLower:
		return p.lower(s, d)
	}
	r, err := typing.Resource(s.types, d.Type)
	if err != nil {
		return err
	}
	r = p.runtime(r)
	f := &HostFunc{Op: d.Op, Resource: r, Params: []byte{i32}, Results: []byte{i32}}
	if d.Op == binary.CanonResourceDrop {
		f.Results = nil
	} else if info := p.plan.Resources[r]; info == nil || info.Instance != s.instance {
		return invalid("resource.new and resource.rep need a resource of the component itself")
	}
	p.make(s, f)
	return nil
}

func (p *planner) make(s *scope, f *HostFunc) {
	f.Instance, f.Index = s.instance, len(p.plan.Made)
	p.plan.Made = append(p.plan.Made, f)
	s.coreItems[binary.CoreFunc] = append(s.coreItems[binary.CoreFunc],
		CoreItem{Core: -1, Made: f, params: f.Params, result: f.Results})
}

func (p *planner) lift(s *scope, d *binary.Canon) error {
	t, err := s.value(d.Type)
	if err != nil {
		return err
	}
	ft, ok := t.(*binary.Func)
	if !ok {
		return invalid("type %d is not a function type", d.Type)
	}
	f, err := typing.At(s.coreItems[binary.CoreFunc], d.Func, "core function")
	if err != nil {
		return err
	}
	if err := p.bounded(ft); err != nil {
		return err
	}
	l := &Lifted{Instance: s.instance, Sig: p.signatures.Compile(ft), PostReturn: -1}
	params, results := l.Sig.CoreLifted()
	if !f.is(params, results) {
		return invalid("lifted core function has another type than its component type needs")
	}
	l.Params, l.Results = len(params), len(results)
	in, out := p.pointers(ft)
	if l.Options, err = p.options(s, d, in || out, in); err != nil {
		return err
	}
	l.Entry = p.entry(f)
	if d.PostReturn != nil {
		post, err := typing.At(s.coreItems[binary.CoreFunc], *d.PostReturn, "core function")
		if err != nil {
			return err
		}
		if !post.is(results, nil) {
			return invalid("post-return must take the core results and return nothing")
		}
		l.PostReturn = p.entry(post)
	}
	s.funcs = append(s.funcs, &Function{Type: ft, Lift: l})
	return nil
}

func (p *planner) lower(s *scope, d *binary.Canon) error {
	fn, err := typing.At(s.funcs, d.Func, "function")
	if err != nil {
		return err
	}
	if err := p.bounded(fn.Type); err != nil {
		return err
	}
	f := &HostFunc{Op: d.Op, Fn: fn, Sig: p.signatures.Compile(fn.Type)}
	f.Params, f.Results = f.Sig.CoreLowered()
	in, out := p.pointers(fn.Type)
	if f.Options, err = p.options(s, d, in || out, p.types.Size(fn.Type.Result).Pointer); err != nil {
		return err
	}
	p.make(s, f)
	return nil
}

// bounded refuses function types whose flattening would be out of proportion.
func (p *planner) bounded(ft *binary.Func) error {
	n := 0
	for _, f := range ft.Params {
		n += p.types.Size(f.Type).Nodes
	}
	if n > p.lim.TypeSize {
		return fault.Newf(fault.Exhausted, "", "function type of %d nodes, at most %d are allowed", n, p.lim.TypeSize)
	}
	return nil
}

// pointers says whether params and result of ft pass through linear memory.
func (p *planner) pointers(ft *binary.Func) (in, out bool) {
	flat := 0
	for _, f := range ft.Params {
		flat += p.types.Size(f.Type).Flat
		in = in || p.types.Size(f.Type).Pointer
	}
	result := p.types.Size(ft.Result) // nothing for no result
	return in || flat > 16, result.Pointer || result.Flat > 1
}

func (p *planner) options(s *scope, d *binary.Canon, needMemory, needRealloc bool) (int, error) {
	o := CanonOptions{Instance: s.instance, Encoding: canon.Encoding(d.Encoding), Realloc: -1}
	if d.Memory != nil {
		m, err := typing.At(s.coreItems[binary.CoreMemory], *d.Memory, "core memory")
		if err != nil {
			return 0, err
		}
		o.Memory = &m
	}
	if d.Realloc != nil {
		f, err := typing.At(s.coreItems[binary.CoreFunc], *d.Realloc, "core function")
		if err != nil {
			return 0, err
		}
		if !f.is([]byte{i32, i32, i32, i32}, []byte{i32}) {
			return 0, invalid("realloc must take four i32 and return one")
		}
		o.Realloc = p.entry(f)
	}
	if needMemory && o.Memory == nil {
		return 0, invalid("canonical definition needs the option memory")
	}
	if needRealloc && o.Realloc < 0 {
		return 0, invalid("canonical definition needs the option realloc")
	}
	p.plan.Options = append(p.plan.Options, o)
	return len(p.plan.Options) - 1, nil
}
