package plan

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

// admit evaluates the declaration of an import or export. Without an actual item it makes an
// abstract one (resources and functions of the embedder, under path); with one it checks that
// the actual item fits and gives it back. Evaluating the expected type with the resources of
// the actual one substitutes type variables, so that fitting is plain structural equality.
func (p *planner) admit(s *scope, path, name string, e binary.Extern, actual *item) (item, error) {
	if actual != nil && actual.sort != e.Sort {
		return item{}, invalid("%q is a %s, want a %s", name, actual.sort, e.Sort)
	}
	out := item{sort: e.Sort}
	switch e.Sort {
	case binary.SortType:
		return p.admitType(s, path, name, e, actual)
	case binary.SortCore:
		t, err := typing.At(s.coreTypes, e.Index, "core type")
		if err != nil {
			return out, err
		}
		if t.Module == nil {
			return out, invalid("core type %d is not a module type", e.Index)
		}
		declared := abstractModule(t.Module)
		if actual == nil {
			out.value = declared
			return out, nil
		}
		out.value, err = fitModule(actual.value.(*Module), declared, name)
		return out, err
	}
	t, err := s.value(e.Index)
	if err != nil {
		return out, err
	}
	switch e.Sort {
	case binary.SortFunc:
		ft, ok := t.(*binary.Func)
		if !ok {
			return out, invalid("type %d is not a function type", e.Index)
		}
		if actual == nil {
			out.value = &Function{Type: ft, Host: &HostRef{Iface: path, Name: name}}
			return out, nil
		}
		f := *actual.value.(*Function)
		if err := p.spend(p.types.Weight(ft) / 64); err != nil { // comparing walks it
			return out, err
		}
		if !ft.Same(f.Type) {
			return out, invalid("function %q has another type than declared", name)
		}
		f.Type = ft // the same type, with the names it has here
		out.value = &f
		return out, nil
	case binary.SortInstance:
		sh, ok := t.(*shape)
		if !ok || sh.component {
			return out, invalid("type %d is not an instance type", e.Index)
		}
		if path != "" {
			path += "/"
		}
		var has *bundle
		if actual != nil {
			has = actual.value.(*bundle)
		}
		b, err := p.declare(sh, path+name, nil, has)
		if err != nil {
			return out, fault.Wrap(name, err)
		}
		out.value = b // narrowed to what is declared
		return out, nil
	default:
		sh, ok := t.(*shape)
		if !ok || !sh.component {
			return out, invalid("type %d is not a component type", e.Index)
		}
		if actual == nil {
			out.value = &template{typ: sh, scope: sh.scope}
			return out, nil
		}
		narrowed := *actual.value.(*template)
		err := p.fitTemplate(&narrowed, sh)
		narrowed.typ = sh
		out.value = &narrowed
		return out, err
	}
}

// suppliable refuses what a nested component may import but the embedder does not supply, also
// as a part of an instance.
func suppliable(name string, it item) error {
	what := ""
	switch v := it.value.(type) {
	case *Module:
		what = "a core module"
	case *template:
		what = "a component"
	case *bundle:
		for _, n := range v.names {
			if err := suppliable(name+"/"+n, v.items[n]); err != nil {
				return err
			}
		}
	}
	if what == "" {
		return nil
	}
	return fault.Newf(fault.Unsupported, "", "the component imports %s, %q, which a host does not supply", what, name)
}

func (p *planner) admitType(s *scope, path, name string, e binary.Extern, actual *item) (item, error) {
	out := item{sort: binary.SortType}
	if e.Fresh {
		if actual == nil {
			out.value = &typing.Ref{Value: &binary.Resource{Name: name, Host: path + "/" + name}}
			return out, nil
		}
		if _, ok := actual.value.(*typing.Ref).Value.(*binary.Resource); !ok {
			return out, invalid("%q is not a resource", name)
		}
		return *actual, nil
	}
	bound, err := typing.At(s.types, e.Index, "type")
	if err != nil {
		return out, err
	}
	t := bound.Value
	if actual == nil {
		out.value = typing.Equal(p.types.Named(t, name), bound)
		return out, nil
	}
	if err := p.spend(p.types.Weight(t) / 64); err != nil {
		return out, err
	}
	if !p.sameType(t, actual.value.(*typing.Ref).Value) {
		return out, invalid("type %q differs from the declared one", name)
	}
	return *actual, nil
}

// declare evaluates an instance or component type. Resources and nested instances are those
// of has, when given, and every declared export must fit has; the imports of a component type
// are those that give supplies (abstract ones when nil).
func (p *planner) declare(sh *shape, path string, give func(name string) (item, bool), has *bundle) (*bundle, error) {
	return p.declareIn(typeScope(sh), path, give, has)
}

func (p *planner) declareIn(s *scope, path string, give func(name string) (item, bool), has *bundle) (*bundle, error) {
	p.inType++
	defer func() { p.inType-- }()
	if p.inType > p.lim.Depth {
		return nil, fault.Newf(fault.Exhausted, "", "types nested deeper than %d", p.lim.Depth)
	}
	if s.shape.component && give == nil && has == nil {
		s.visible = typing.NewVisible()
	}
	out := newBundle()
	for i := range s.shape.decls {
		d := &s.shape.decls[i]
		if err := p.spend(1); err != nil {
			return nil, err
		}
		var err error
		switch {
		case d.CoreType != nil:
			err = p.addCoreType(s, d.CoreType)
		case d.Type != nil:
			err = p.define(s, d.Type)
		case d.Alias != nil:
			err = p.alias(s, d.Alias)
		case d.Import != nil:
			var actual *item
			if give != nil {
				if it, ok := give(d.Import.Name); ok {
					actual = &it
				} else {
					err = invalid("import %q is not supplied", d.Import.Name)
					break
				}
			}
			var it item
			if it, err = p.admit(s, path, d.Import.Name, d.Import.Type, actual); err == nil {
				err = p.imported(s, d.Import.Name, it)
			}
		case d.Export != nil:
			err = p.declareExport(s, path, d.Export, has, out)
		}
		if err != nil {
			return nil, located(d.Offset, err)
		}
	}
	return out, nil
}

func (p *planner) declareExport(s *scope, path string, e *binary.Import, has, out *bundle) error {
	var actual *item
	if has != nil {
		it, ok := has.items[e.Name]
		if !ok {
			return invalid("export %q is missing", e.Name)
		}
		actual = &it
	}
	it, err := p.admit(s, path, e.Name, e.Type, actual)
	if err != nil {
		return err
	}
	s.push(it)
	if err := p.export(out, e.Name, it); err != nil {
		return err
	}
	return p.show(s, e.Name, it, true)
}

// fitTemplate checks that a component can stand where a component type is expected: given
// what the type promises to supply, it must export what the type asks for.
func (p *planner) fitTemplate(t *template, want *shape) error {
	sub, s := p.checker(), typeScope(want)
	if _, err := sub.declareIn(s, "", nil, nil); err != nil {
		return err
	}
	got, err := sub.instantiate(t, -1, s.imports.get)
	if err != nil {
		return err
	}
	_, err = sub.declare(want, "", s.imports.get, got)
	return err
}
