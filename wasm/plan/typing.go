package plan

import (
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

// define evaluates a type definition and adds it to s.
func (p *planner) define(s *scope, t *binary.TypeDef) error {
	v, err := p.defined(s, t)
	s.types = append(s.types, &typing.Ref{Value: v, Local: true})
	return err
}

func (p *planner) defined(s *scope, t *binary.TypeDef) (any, error) {
	switch {
	case t.Value != nil:
		if err := p.spend(len(t.Value.Fields)); err != nil {
			return nil, err
		}
		return p.types.Value(t.Value, s.types)
	case t.Func != nil:
		if err := p.spend(len(t.Func.Params)); err != nil {
			return nil, err
		}
		return p.types.Func(t.Func, s.types)
	case t.Resource != nil:
		return p.resource(s, t.Resource)
	}
	sh := &shape{component: t.IsComponent, decls: t.Decls, scope: s}
	if p.checked[t] {
		return sh, nil
	}
	p.checked[t] = true
	_, err := p.declare(sh, "", nil, nil) // well-formed even if nobody uses it
	return sh, err
}

func (p *planner) addCoreType(s *scope, t *binary.CoreType) error {
	t, err := p.coreType(s, t)
	s.coreTypes = append(s.coreTypes, t)
	return err
}

func (p *planner) resource(s *scope, d *binary.ResourceDef) (any, error) {
	r := &binary.Resource{}
	info := &GuestResource{Instance: s.instance, Dtor: -1}
	if d.Dtor != nil {
		f, err := typing.At(s.coreItems[binary.CoreFunc], *d.Dtor, "core function")
		if err != nil {
			return nil, err
		}
		if !f.is([]byte{i32}, nil) {
			return nil, invalid("destructor must take one i32 and return nothing")
		}
		info.Dtor = p.entry(f)
	}
	if p.plan.Resources == nil {
		p.plan.Resources = map[*binary.Resource]*GuestResource{}
	}
	p.plan.Resources[r] = info
	return r, nil
}

// usesResource reports whether a type mentions a resource: such types cannot be aliased across
// a component border.
func (p *planner) usesResource(t any) bool {
	ref, ok := t.(*typing.Ref)
	if !ok {
		return false
	}
	if sh, ok := ref.Value.(*shape); ok {
		return sh.resource
	}
	return p.types.HasResource(ref.Value)
}
