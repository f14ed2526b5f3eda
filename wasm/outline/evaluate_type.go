package outline

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

// define evaluates a type definition.
func (v *evaluator) define(s *space, t *binary.TypeDef) (*node, error) {
	switch {
	case t.Value != nil:
		return v.value(s, t.Value)
	case t.Func != nil:
		return v.function(s, t.Func)
	case t.Resource != nil:
		return &node{resource: true, size: 1, depth: 1}, nil
	}
	return &node{shape: &shape{component: t.IsComponent, decls: t.Decls, scope: s}}, nil
}

func (v *evaluator) function(s *space, d *binary.FuncDef) (*node, error) {
	f := &signature{}
	for _, p := range d.Params {
		t, err := v.ref(s, p.Type)
		if err != nil {
			return nil, err
		}
		f.params = append(f.params, part{p.Name, t})
	}
	var err error
	f.result, err = v.ref(s, d.Result)
	return &node{fn: f}, err
}

// ref is the type that a reference, which may be nil, means.
func (v *evaluator) ref(s *space, r *binary.Ref) (*node, error) {
	if r == nil {
		return nil, nil
	}
	if r.Kind != 0 {
		return v.primitive(r.Kind), nil
	}
	t, err := typing.At(s.types, r.Index, "type")
	if err == nil && t.root().kind == 0 {
		err = fault.Newf(fault.Invalid, "wit", "type %d is not a value type", r.Index)
	}
	return t, err
}

func (v *evaluator) primitive(k binary.Kind) *node {
	if v.primitives[k] == nil {
		v.primitives[k] = &node{kind: k, size: 1, depth: 1}
	}
	return v.primitives[k]
}

func (v *evaluator) value(s *space, d *binary.ValueDef) (*node, error) {
	t := &node{kind: d.Kind, names: d.Names, size: 1 + len(d.Names)}
	if err := v.spend(len(d.Names) + len(d.Fields)); err != nil {
		return nil, err
	}
	var err error
	if t.elem, err = v.ref(s, d.Elem); err != nil {
		return nil, err
	}
	if t.err, err = v.ref(s, d.Err); err != nil {
		return nil, err
	}
	t.take(t.elem)
	t.take(t.err)
	for _, f := range d.Fields {
		p, err := v.ref(s, f.Type)
		if err != nil {
			return nil, err
		}
		t.take(p)
		t.fields = append(t.fields, part{f.Name, p})
	}
	if d.Kind == binary.Own || d.Kind == binary.Borrow {
		r, err := typing.At(s.types, d.Resource, "type")
		if err != nil {
			return nil, err
		}
		if t.handle = r; !r.root().resource {
			return nil, fault.Newf(fault.Invalid, "wit", "type %d is not a resource", d.Resource)
		}
	}
	if t.depth++; t.size > v.lim.TypeSize || t.depth > v.lim.TypeDepth {
		return nil, fault.Newf(fault.Exhausted, "wit", "value type of %d nodes, %d deep; at most %d and %d are allowed",
			t.size, t.depth, v.lim.TypeSize, v.lim.TypeDepth)
	}
	return t, nil
}

// take counts a part of a type.
func (t *node) take(p *node) {
	if t.size++; p != nil {
		t.size, t.depth = t.size+p.size, max(t.depth, p.depth)
	}
}
