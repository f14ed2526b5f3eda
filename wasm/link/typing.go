package link

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

// typeSize is what a value type costs to walk as a tree.
type typeSize struct {
	nodes, depth int
	flat         int  // core values it is passed as, or any number above 16
	pointer      bool // contains a string or list
	borrow       bool // contains a borrowed handle
	resource     bool // contains any handle
}

// define evaluates a type definition and adds it to s.
func (p *planner) define(s *scope, t *binary.TypeDef) error {
	v, err := p.defined(s, t)
	s.types = append(s.types, &typeRef{value: v, local: true})
	return err
}

func (p *planner) addCoreType(s *scope, t *binary.CoreType) error {
	t, err := p.coreType(s, t)
	s.coreTypes = append(s.coreTypes, t)
	return err
}

func (p *planner) defined(s *scope, t *binary.TypeDef) (any, error) {
	switch {
	case t.Value != nil:
		return p.value(s, t.Value)
	case t.Func != nil:
		return p.function(s, t.Func)
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

func (p *planner) resource(s *scope, d *binary.ResourceDef) (any, error) {
	r := &binary.Resource{}
	info := &guestResource{instance: s.instance, dtor: -1}
	if d.Dtor != nil {
		f, err := at(s.coreItems[binary.CoreFunc], *d.Dtor, "core function")
		if err != nil {
			return nil, err
		}
		if !f.is([]byte{i32}, nil) {
			return nil, invalid("destructor must take one i32 and return nothing")
		}
		info.dtor = p.entry(f)
	}
	p.plan.resources[r] = info
	return r, nil
}

func (p *planner) function(s *scope, d *binary.FuncDef) (*binary.Func, error) {
	f := &binary.Func{Params: make([]binary.Field, len(d.Params))}
	for i, param := range d.Params {
		t, err := p.ref(s, param.Type, f)
		if err != nil {
			return nil, err
		}
		f.Params[i] = binary.Field{Name: param.Name, Type: t}
	}
	var err error
	if d.Result != nil {
		if f.Result, err = p.ref(s, d.Result, f); err == nil && p.sizes[f.Result].borrow {
			err = invalid("a function result contains a borrowed handle")
		}
	}
	return f, err
}

// ref finds a value type that is used in the type whole, a *binary.Type or *binary.Func.
func (p *planner) ref(s *scope, r *binary.Ref, whole any) (*binary.Type, error) {
	if r.Kind != 0 {
		return p.primitive(r.Kind), nil
	}
	t, err := at(s.types, r.Index, "type")
	if err != nil {
		return nil, err
	}
	v, ok := t.value.(*binary.Type)
	if !ok {
		return nil, invalid("type %d is not a value type", r.Index)
	}
	if v.Kind > binary.String {
		p.parts[whole] = append(p.parts[whole], t)
	}
	return v, nil
}

func (p *planner) primitive(k binary.Kind) *binary.Type {
	t := p.primitives[k]
	if t == nil {
		t = &binary.Type{Kind: k}
		p.primitives[k] = t
		p.sizes[t] = typeSize{nodes: 1, depth: 1, flat: 1}
		if k == binary.String {
			p.sizes[t] = typeSize{nodes: 1, depth: 1, flat: 2, pointer: true}
		}
	}
	return t
}

func (p *planner) value(s *scope, d *binary.ValueDef) (*binary.Type, error) {
	if d.Kind <= binary.String {
		return p.primitive(d.Kind), nil
	}
	t := &binary.Type{Kind: d.Kind, Names: d.Names}
	size := typeSize{nodes: 1 + len(d.Names)}
	sum, widest := 0, 0 // core values of the parts
	var failed error
	part := func(r *binary.Ref) *binary.Type {
		if r == nil || failed != nil {
			return nil
		}
		v, err := p.ref(s, r, t)
		if err != nil {
			failed = err
			return nil
		}
		sub := p.sizes[v]
		size.nodes = min(size.nodes+sub.nodes, 1<<40)
		size.depth = max(size.depth, sub.depth)
		sum, widest = min(sum+sub.flat, 17), max(widest, sub.flat)
		size.pointer = size.pointer || sub.pointer
		size.borrow = size.borrow || sub.borrow
		size.resource = size.resource || sub.resource
		return v
	}
	t.Elem, t.Err = part(d.Elem), part(d.Err)
	for _, f := range d.Fields {
		v := part(f.Type)
		if d.Kind == binary.Variant {
			t.Cases = append(t.Cases, binary.Case{Name: f.Name, Type: v})
		} else {
			t.Fields = append(t.Fields, binary.Field{Name: f.Name, Type: v})
		}
		size.nodes++
	}
	if d.Kind == binary.Own || d.Kind == binary.Borrow {
		r, err := resourceAt(s, d.Resource)
		if err != nil {
			return nil, err
		}
		t.Resource, size.resource, size.borrow = r, true, d.Kind == binary.Borrow
		p.parts[t] = append(p.parts[t], s.types[d.Resource])
	}
	if failed != nil {
		return nil, failed
	}
	switch d.Kind {
	case binary.List:
		size.flat, size.pointer = 2, true
	case binary.Record, binary.Tuple:
		size.flat = sum
	default:
		size.flat = 1 + widest
	}
	size.depth++
	if size.nodes > p.lim.TypeSize || size.depth > p.lim.TypeDepth {
		return nil, fault.Newf(fault.Exhausted, "", "value type of %d nodes, %d deep; at most %d and %d are allowed",
			size.nodes, size.depth, p.lim.TypeSize, p.lim.TypeDepth)
	}
	p.sizes[t] = size
	return t, nil
}

func resourceAt(s *scope, i uint32) (*binary.Resource, error) {
	t, err := s.value(i)
	if err != nil {
		return nil, err
	}
	r, ok := t.(*binary.Resource)
	if !ok {
		return nil, invalid("type %d is not a resource", i)
	}
	return r, nil
}

// named gives a value type the name it is exported by.
func (p *planner) named(t any, name string) any {
	switch t := t.(type) {
	case *binary.Type:
		if t.Name != "" {
			return t
		}
		c := *t
		c.Name = name
		p.sizes[&c], p.parts[&c] = p.sizes[t], p.parts[t]
		return &c
	case *binary.Resource:
		if t.Name == "" {
			t.Name = name
		}
	}
	return t
}

// usesResource reports whether a type mentions a resource: such types cannot be aliased across
// a component border.
func (p *planner) usesResource(t any) bool {
	switch t := t.(type) {
	case *typeRef:
		return p.usesResource(t.value)
	case *binary.Type:
		return p.sizes[t].resource
	case *binary.Func:
		for _, f := range t.Params {
			if p.sizes[f.Type].resource {
				return true
			}
		}
		return t.Result != nil && p.sizes[t.Result].resource
	case *binary.Resource:
		return true
	case *shape:
		return t.resource
	}
	return false
}
