package typing

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

// Table makes types and remembers what it found out about each. It serves one goroutine.
type Table struct {
	lim        binary.Limits
	sizes      map[*binary.Type]Size
	parts      map[any][]*Ref // of a *binary.Type or *binary.Func: the types it is made of
	primitives [binary.Borrow + 1]*binary.Type
}

// Size is what a value type costs, seen as a tree, and what it contains.
type Size struct {
	Nodes, Depth int
	Flat         int  // core values it is passed as, or any number above 16
	Pointer      bool // contains a string or list
	Borrow       bool // contains a borrowed handle
	Resource     bool // contains any handle
}

// New makes a table. Types past TypeSize and TypeDepth of lim are Exhausted.
func New(lim binary.Limits) *Table {
	return &Table{lim: lim, sizes: map[*binary.Type]Size{}, parts: map[any][]*Ref{}}
}

// Size is that of a type the table made; of nil it is nothing.
func (t *Table) Size(v *binary.Type) Size { return t.sizes[v] }

// Func makes a function type; types is the type index space. Errors are Invalid.
func (t *Table) Func(d *binary.FuncDef, types []*Ref) (*binary.Func, error) {
	f := &binary.Func{Params: make([]binary.Field, len(d.Params))}
	for i, param := range d.Params {
		v, err := t.ref(types, param.Type, f)
		if err != nil {
			return nil, err
		}
		f.Params[i] = binary.Field{Name: param.Name, Type: v}
	}
	var err error
	if d.Result != nil {
		if f.Result, err = t.ref(types, d.Result, f); err == nil && t.sizes[f.Result].Borrow {
			err = invalid("a function result contains a borrowed handle")
		}
	}
	return f, err
}

// ref finds a value type that is used in the type whole.
func (t *Table) ref(types []*Ref, r *binary.Ref, whole any) (*binary.Type, error) {
	if r.Kind != 0 {
		return t.primitive(r.Kind), nil
	}
	named, err := At(types, r.Index, "type")
	if err != nil {
		return nil, err
	}
	v, ok := named.Value.(*binary.Type)
	if !ok {
		return nil, invalid("type %d is not a value type", r.Index)
	}
	if v.Kind > binary.String {
		t.parts[whole] = append(t.parts[whole], named)
	}
	return v, nil
}

func (t *Table) primitive(k binary.Kind) *binary.Type {
	v := t.primitives[k]
	if v == nil {
		v = &binary.Type{Kind: k}
		t.primitives[k] = v
		t.sizes[v] = Size{Nodes: 1, Depth: 1, Flat: 1}
		if k == binary.String {
			t.sizes[v] = Size{Nodes: 1, Depth: 1, Flat: 2, Pointer: true}
		}
	}
	return v
}

// Value makes a value type; types is the type index space. Errors are Invalid or Exhausted.
func (t *Table) Value(d *binary.ValueDef, types []*Ref) (*binary.Type, error) {
	if d.Kind <= binary.String {
		return t.primitive(d.Kind), nil
	}
	v := &binary.Type{Kind: d.Kind, Names: d.Names}
	size := Size{Nodes: 1 + len(d.Names)}
	sum, widest := 0, 0 // core values of the parts
	var failed error
	part := func(r *binary.Ref) *binary.Type {
		if r == nil || failed != nil {
			return nil
		}
		p, err := t.ref(types, r, v)
		if err != nil {
			failed = err
			return nil
		}
		sub := t.sizes[p]
		size.contain(sub)
		sum, widest = min(sum+sub.Flat, 17), max(widest, sub.Flat)
		return p
	}
	v.Elem, v.Err = part(d.Elem), part(d.Err)
	for _, f := range d.Fields {
		p := part(f.Type)
		if d.Kind == binary.Variant {
			v.Cases = append(v.Cases, binary.Case{Name: f.Name, Type: p})
		} else {
			v.Fields = append(v.Fields, binary.Field{Name: f.Name, Type: p})
		}
		size.Nodes++
	}
	if failed != nil {
		return nil, failed
	}
	size.Depth++
	switch d.Kind {
	case binary.List:
		size.Flat, size.Pointer = 2, true
	case binary.Record, binary.Tuple:
		size.Flat = sum
	case binary.Own, binary.Borrow:
		r, err := Resource(types, d.Resource)
		if err != nil {
			return nil, err
		}
		v.Resource, size.Resource, size.Borrow, size.Flat = r, true, d.Kind == binary.Borrow, 1
		t.parts[v] = append(t.parts[v], types[d.Resource])
	default:
		size.Flat = 1 + widest
	}
	if size.Nodes > t.lim.TypeSize || size.Depth > t.lim.TypeDepth {
		return nil, fault.Newf(fault.Exhausted, "", "value type of %d nodes, %d deep; at most %d and %d are allowed",
			size.Nodes, size.Depth, t.lim.TypeSize, t.lim.TypeDepth)
	}
	t.sizes[v] = size
	return v, nil
}

func (s *Size) contain(part Size) {
	s.Nodes = min(s.Nodes+part.Nodes, 1<<40)
	s.Depth = max(s.Depth, part.Depth)
	s.Pointer = s.Pointer || part.Pointer
	s.Borrow = s.Borrow || part.Borrow
	s.Resource = s.Resource || part.Resource
}

// Weight is the number of nodes of a type seen as a tree: what comparing it may cost.
func (t *Table) Weight(v any) int {
	switch v := v.(type) {
	case *binary.Type:
		return t.sizes[v].Nodes
	case *binary.Func:
		n := t.sizes[v.Result].Nodes
		for _, f := range v.Params {
			n += t.sizes[f.Type].Nodes
		}
		return n
	}
	return 1
}

// HasResource reports whether a value, function or resource type mentions a resource.
func (t *Table) HasResource(v any) bool {
	switch v := v.(type) {
	case *binary.Type:
		return t.sizes[v].Resource
	case *binary.Func:
		for _, f := range v.Params {
			if t.sizes[f.Type].Resource {
				return true
			}
		}
		return t.sizes[v.Result].Resource
	case *binary.Resource:
		return true
	}
	return false
}

func invalid(format string, args ...any) error { return fault.Newf(fault.Invalid, "", format, args...) }
