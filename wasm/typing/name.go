package typing

import "greentic.dev/wasm/binary"

// Ref is a type under one of its names: a definition, an import or an export. Equality of types
// follows the type, whether others can see it follows the name.
type Ref struct {
	Value any  // *binary.Type, *binary.Func, *binary.Resource, or a type of the caller's
	Local bool // a definition, which nobody outside can name
	of    *Ref // the name this is a view of, or nil
	bound *Ref // the name this is declared equal to, or nil
}

// Equal is a new name for v, declared as equal to the type called bound.
func Equal(v any, bound *Ref) *Ref { return &Ref{Value: v, bound: bound} }

// View is the same name for another value.
func (r *Ref) View(value any) *Ref { return &Ref{Value: value, Local: r.Local, of: r.id()} }

func (r *Ref) id() *Ref {
	if r.of != nil {
		return r.of
	}
	return r
}

// Goes says whether the handle type v refers to its resource by the name r.
func (t *Table) Goes(v *binary.Type, r *Ref) bool {
	return (v.Kind == binary.Own || v.Kind == binary.Borrow) && t.parts[v][0].id() == r.id()
}

// At finds what stands at an index of an index space; what names the space in the error, which
// is Invalid.
func At[T any](space []T, i uint32, what string) (T, error) {
	if uint64(i) >= uint64(len(space)) {
		var zero T
		return zero, invalid("%s index %d out of range, %d are defined", what, i, len(space))
	}
	return space[i], nil
}

// Resource finds a resource type by index.
func Resource(types []*Ref, i uint32) (*binary.Resource, error) {
	named, err := At(types, i, "type")
	if err != nil {
		return nil, err
	}
	r, ok := named.Value.(*binary.Resource)
	if !ok {
		return nil, invalid("type %d is not a resource", i)
	}
	return r, nil
}

// Named gives a value type or resource that has none the name it is exported by.
func (t *Table) Named(v any, name string) any {
	switch v := v.(type) {
	case *binary.Type:
		if v.Name != "" {
			return v
		}
		c := *v
		c.Name = name
		t.sizes[&c], t.parts[&c] = t.sizes[v], t.parts[v]
		return &c
	case *binary.Resource:
		if v.Name == "" {
			v.Name = name
		}
	}
	return v
}

// Visible is the names that the users of a component can see. Imports see imports, exports see
// both.
type Visible struct{ imports, exports map[*Ref]bool }

// NewVisible is nothing. There may be very many that stay so.
func NewVisible() *Visible { return &Visible{} }

// Add makes a name visible to exports, and if it is not itself an export to imports.
func (v *Visible) Add(r *Ref, export bool) {
	v.set(true)[r.id()] = true
	if !export {
		v.set(false)[r.id()] = true
	}
}

func (v *Visible) set(export bool) map[*Ref]bool {
	s := &v.imports
	if export {
		s = &v.exports
	}
	if *s == nil {
		*s = map[*Ref]bool{}
	}
	return *s
}

// Hides says whether r is a resource declared equal to one that imports cannot see, such as one
// that the component defines.
func (v *Visible) Hides(r *Ref) bool {
	_, ok := r.Value.(*binary.Resource)
	return ok && r.bound != nil && !v.imports[r.bound.id()]
}

// Hidden finds a part of a type that an import or export may not use, because it goes by a
// name that is not in v: a resource, record, variant, enum or flags (Explainer, "External
// Visibility of Types"). Types that need no name join v once their parts are found visible;
// spend is called for each.
func (t *Table) Hidden(v *Visible, whole any, export bool, spend func(int) error) (*Ref, error) {
	for _, part := range t.parts[whole] {
		set := v.set(export)
		if set[part.id()] {
			continue
		}
		if p, ok := part.Value.(*binary.Type); !ok || nameable(p.Kind) {
			return part, nil
		}
		if err := spend(1); err != nil {
			return nil, err
		}
		if h, err := t.Hidden(v, part.Value, export, spend); h != nil || err != nil {
			return h, err
		}
		set[part.id()] = true
	}
	return nil, nil
}

func nameable(k binary.Kind) bool {
	switch k {
	case binary.Record, binary.Variant, binary.Enum, binary.Flags:
		return true
	}
	return false
}

// Word says what r is, with an article.
func (r *Ref) Word() string {
	if v, ok := r.Value.(*binary.Type); ok {
		switch v.Kind {
		case binary.Record:
			return "a record"
		case binary.Variant:
			return "a variant"
		case binary.Enum:
			return "an enum"
		case binary.Flags:
			return "flags"
		}
		return "a value type"
	}
	return "a resource"
}
