package plan

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

// instantiate evaluates a component with the arguments that give supplies and returns what it
// exports. A nil give stands for the embedder: every import becomes an abstract item.
func (p *planner) instantiate(t *template, parent int, give func(string) (item, bool)) (*bundle, error) {
	if t.def == nil {
		return p.declare(t.typ, "", give, nil)
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > p.lim.Depth {
		return nil, fault.Newf(fault.Exhausted, "", "components nested deeper than %d", p.lim.Depth)
	}
	s := &scope{outer: t.scope, instance: len(p.plan.Parents), imports: newBundle()}
	if give == nil {
		s.visible = typing.NewVisible()
	}
	p.plan.Parents = append(p.plan.Parents, parent)
	if err := atMost(maxInstances, len(p.plan.Parents), "component instances"); err != nil {
		return nil, err
	}
	out := newBundle()
	for i := range t.def.Defs {
		d := &t.def.Defs[i]
		err := p.spend(1)
		if err == nil {
			err = p.evaluate(s, d, give, out)
		}
		if err != nil {
			return nil, located(d.Offset, err)
		}
	}
	if t.typ != nil {
		return p.declare(t.typ, "", give, out)
	}
	return out, nil
}

func (p *planner) evaluate(s *scope, d *binary.Def, give func(string) (item, bool), out *bundle) error {
	switch {
	case d.CoreModule != nil:
		m, err := p.module(d.CoreModule)
		s.modules = append(s.modules, m)
		return err
	case d.CoreInstance != nil:
		return p.coreInstance(s, d.CoreInstance)
	case d.CoreType != nil:
		return p.addCoreType(s, d.CoreType)
	case d.Component != nil:
		return p.component(s, d.Component)
	case d.Instance != nil:
		return p.instance(s, d.Instance)
	case d.Alias != nil:
		return p.alias(s, d.Alias)
	case d.Type != nil:
		return p.define(s, d.Type)
	case d.Canon != nil:
		return p.canon(s, d.Canon)
	case d.Import != nil:
		return p.importItem(s, d.Import, give)
	case d.Export != nil:
		return p.exportItem(s, d.Export, out)
	}
	return nil
}

// component adds a nested definition, after checking it on its own once.
func (p *planner) component(s *scope, c *binary.Component) error {
	t := &template{def: c, scope: s}
	s.components = append(s.components, t)
	if p.checked[c] {
		return nil
	}
	p.checked[c] = true
	_, err := p.checker().instantiate(t, -1, nil)
	return err
}

func (p *planner) instance(s *scope, d *binary.Instance) error {
	if d.Inline {
		b := newBundle()
		for _, e := range d.Exports {
			it, err := s.lookup(e.Sort, e.Index)
			if err != nil {
				return err
			}
			if ref, ok := it.value.(*typing.Ref); ok {
				it.value = ref.View(p.types.Named(ref.Value, e.Name))
			}
			if err := p.bag(b, e.Name, it); err != nil {
				return err
			}
		}
		s.instances = append(s.instances, b)
		return nil
	}
	t, err := typing.At(s.components, d.Component, "component")
	if err != nil {
		return err
	}
	args := make(map[string]item, len(d.Args))
	for _, a := range d.Args {
		if args[a.Name], err = s.lookup(a.Sort, a.Index); err != nil {
			return err
		}
	}
	b, err := p.instantiate(t, s.instance, func(name string) (item, bool) { it, ok := args[name]; return it, ok })
	s.instances = append(s.instances, b)
	return err
}

func (p *planner) alias(s *scope, a *binary.Alias) error {
	if s.inType && a.Sort != binary.SortType && (a.Target == binary.AliasOuter || a.Sort != binary.SortInstance) &&
		(a.Sort != binary.SortCore || a.CoreSort != binary.CoreTypeSort) {
		return invalid("an alias inside a type may only name types and instances")
	}
	switch a.Target {
	case binary.AliasExport:
		b, err := typing.At(s.instances, a.Instance, "instance")
		if err != nil {
			return err
		}
		it, ok := b.items[a.Name]
		if !ok || it.sort != a.Sort {
			return invalid("instance %d does not export a %s %q", a.Instance, a.Sort, a.Name)
		}
		s.push(it)
	case binary.AliasCoreExport:
		b, err := typing.At(s.cores, a.Instance, "core instance")
		if err != nil {
			return err
		}
		it, ok := b.get(a.Name)
		if !ok || it.sort != a.CoreSort {
			return invalid("core instance %d does not export a %s %q", a.Instance, a.CoreSort, a.Name)
		}
		s.coreItems[it.sort] = append(s.coreItems[it.sort], it)
	case binary.AliasOuter:
		return p.outerAlias(s, a)
	}
	return nil
}

func (p *planner) outerAlias(s *scope, a *binary.Alias) error {
	from, crossed, err := s.up(a.Count)
	if err != nil {
		return err
	}
	if a.Sort == binary.SortCore && a.CoreSort == binary.CoreTypeSort {
		t, err := typing.At(from.coreTypes, a.Index, "core type")
		s.coreTypes = append(s.coreTypes, t)
		return err
	}
	it, err := from.lookup(a.Sort, a.Index)
	if err != nil {
		return err
	}
	if p.usesResource(it.value) {
		if crossed {
			return invalid("outer alias to a type that uses a resource of another component")
		}
		for in := s; in != from; in = in.outer {
			in.shape.resource = true
		}
	}
	s.push(it)
	return nil
}

func (p *planner) importItem(s *scope, d *binary.Import, give func(string) (item, bool)) error {
	if give != nil {
		actual, ok := give(d.Name)
		if !ok {
			return invalid("import %q is not supplied", d.Name)
		}
		it, err := p.admit(s, "", d.Name, d.Type, &actual)
		if err != nil {
			return err
		}
		return p.imported(s, d.Name, it)
	}
	name := d.Name + d.Suffix // the embedder sees whole versions
	it, err := p.admit(s, "", name, d.Type, nil)
	if err != nil {
		return err
	}
	if !p.checking {
		if err := suppliable(name, it); err != nil {
			return err
		}
	}
	p.plan.imports = append(p.plan.imports, externOf(name, it))
	p.require(it)
	return p.imported(s, d.Name, it)
}

// require lists the functions of an abstract import as needs.
func (p *planner) require(it item) {
	switch v := it.value.(type) {
	case *Function:
		v.Host.Index = len(p.plan.Needs)
		p.plan.Needs = append(p.plan.Needs, Need{v.Host.Iface, v.Host.Name, v.Type})
	case *bundle:
		for _, n := range v.names {
			p.require(v.items[n])
		}
	}
}

func (p *planner) exportItem(s *scope, d *binary.Export, out *bundle) error {
	it, err := s.lookup(d.Sort, d.Index)
	if err != nil {
		return err
	}
	if d.Type != nil {
		if it, err = p.admit(s, "", d.Name, *d.Type, &it); err != nil {
			return err
		}
	}
	if ref, ok := it.value.(*typing.Ref); ok {
		v := p.types.Named(ref.Value, d.Name)
		if r, ok := v.(*binary.Resource); ok && d.Type != nil && d.Type.Fresh {
			abstract := &binary.Resource{Name: d.Name, Host: r.Host}
			p.concrete[abstract], v = p.runtime(r), abstract
		}
		it.value = &typing.Ref{Value: v}
	}
	s.push(it)
	if err := p.export(out, d.Name, it); err != nil {
		return err
	}
	return p.show(s, d.Name, it, true)
}

// runtime is the resource that stands behind one exported as (sub resource): those who use the
// export cannot know that they are the same.
func (p *planner) runtime(r *binary.Resource) *binary.Resource {
	if c := p.concrete[r]; c != nil {
		return c
	}
	return r
}
