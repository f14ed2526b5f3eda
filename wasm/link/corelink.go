package link

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
		b.items = map[string]coreItem{}
		if err := p.spend(len(d.Exports)); err != nil {
			return err
		}
		for _, e := range d.Exports {
			if e.Sort > binary.CoreGlobal {
				return invalid("a core instance cannot export a %s", e.Sort)
			}
			it, err := at(s.coreItems[e.Sort], e.Index, e.Sort.String())
			if err != nil {
				return err
			}
			b.items[e.Name] = it
		}
		return nil
	}
	m, err := at(s.modules, d.Module, "core module")
	if err != nil {
		return err
	}
	args := make(map[string]*coreBundle, len(d.Args))
	for _, a := range d.Args {
		if args[a.Name], err = at(s.cores[:len(s.cores)-1], a.Instance, "core instance"); err != nil {
			return err
		}
	}
	if err := p.spend(len(m.imports)); err != nil {
		return err
	}
	links := make([]coreItem, len(m.imports))
	for i, imp := range m.imports {
		from := args[imp.module]
		if from == nil {
			return invalid("core module imports %q, which is not supplied", imp.module)
		}
		it, ok := from.get(imp.name)
		if !ok || it.sort != imp.sort {
			return invalid("core module imports %s %q %q, which is not supplied", imp.sort, imp.module, imp.name)
		}
		if !it.fits(imp.coreItem) {
			return invalid("core module imports %s %q %q with another type than supplied", imp.sort, imp.module, imp.name)
		}
		links[i] = it
	}
	b.module, b.core = m, len(p.plan.cores)
	p.plan.cores = append(p.plan.cores, coreStep{module: m, links: links})
	return atMost(maxCores, len(p.plan.cores), "core instances")
}

// Each of these costs memory per invocation.
const (
	maxCores     = 1_000
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
func (p *planner) entry(f coreItem) int {
	p.plan.entries = append(p.plan.entries, f)
	return len(p.plan.entries) - 1
}

func (p *planner) canon(s *scope, d *binary.Canon) error {
	if err := atMost(maxFuncs, max(len(p.plan.made), len(p.plan.entries)), "functions made by canonical definitions"); err != nil {
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
	f := &hostFunc{op: d.Op, resource: r, params: []byte{i32}, results: []byte{i32}}
	if d.Op == binary.CanonResourceDrop {
		f.results = nil
	} else if info := p.plan.resources[r]; info == nil || info.instance != s.instance {
		return invalid("resource.new and resource.rep need a resource of the component itself")
	}
	p.make(s, f)
	return nil
}

func (p *planner) make(s *scope, f *hostFunc) {
	f.instance, f.index = s.instance, len(p.plan.made)
	p.plan.made = append(p.plan.made, f)
	s.coreItems[binary.CoreFunc] = append(s.coreItems[binary.CoreFunc],
		coreItem{core: -1, made: f, params: f.params, result: f.results})
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
	f, err := at(s.coreItems[binary.CoreFunc], d.Func, "core function")
	if err != nil {
		return err
	}
	if err := p.bounded(ft); err != nil {
		return err
	}
	l := &lifted{instance: s.instance, sig: p.signatures.Compile(ft), postReturn: -1}
	params, results := l.sig.CoreLifted()
	if !f.is(params, results) {
		return invalid("lifted core function has another type than its component type needs")
	}
	l.params, l.results = len(params), len(results)
	in, out := p.pointers(ft)
	if l.options, err = p.options(s, d, in || out, in); err != nil {
		return err
	}
	l.entry = p.entry(f)
	if d.PostReturn != nil {
		post, err := at(s.coreItems[binary.CoreFunc], *d.PostReturn, "core function")
		if err != nil {
			return err
		}
		if !post.is(results, nil) {
			return invalid("post-return must take the core results and return nothing")
		}
		l.postReturn = p.entry(post)
	}
	s.funcs = append(s.funcs, &function{typ: ft, lift: l})
	return nil
}

func (p *planner) lower(s *scope, d *binary.Canon) error {
	fn, err := at(s.funcs, d.Func, "function")
	if err != nil {
		return err
	}
	if err := p.bounded(fn.typ); err != nil {
		return err
	}
	f := &hostFunc{op: d.Op, fn: fn, sig: p.signatures.Compile(fn.typ)}
	f.params, f.results = f.sig.CoreLowered()
	in, out := p.pointers(fn.typ)
	if f.options, err = p.options(s, d, in || out, p.types.Size(fn.typ.Result).Pointer); err != nil {
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
	o := canonOptions{instance: s.instance, encoding: canon.Encoding(d.Encoding), realloc: -1}
	if d.Memory != nil {
		m, err := at(s.coreItems[binary.CoreMemory], *d.Memory, "core memory")
		if err != nil {
			return 0, err
		}
		o.memory = &m
	}
	if d.Realloc != nil {
		f, err := at(s.coreItems[binary.CoreFunc], *d.Realloc, "core function")
		if err != nil {
			return 0, err
		}
		if !f.is([]byte{i32, i32, i32, i32}, []byte{i32}) {
			return 0, invalid("realloc must take four i32 and return one")
		}
		o.realloc = p.entry(f)
	}
	if needMemory && o.memory == nil {
		return 0, invalid("canonical definition needs the option memory")
	}
	if needRealloc && o.realloc < 0 {
		return 0, invalid("canonical definition needs the option realloc")
	}
	p.plan.options = append(p.plan.options, o)
	return len(p.plan.options) - 1, nil
}
