package link

import "greentic.dev/wasm/binary"

// typeRef is a type under one of its names: a definition, an import or an export. Equality of
// types follows the type, whether others can see it follows the name.
type typeRef struct {
	value any      // *binary.Type, *binary.Func, *binary.Resource or *shape
	of    *typeRef // the name this is another view of, or nil
	local bool     // a definition, which nobody outside can name
}

func (r *typeRef) id() *typeRef {
	if r.of != nil {
		return r.of
	}
	return r
}

// visible is what a component or component type has made known by name: resources, records,
// variants, enums and flags in its imports and exports must be in it (Explainer, "External
// Visibility of Types"). Imports see imports, exports see both.
type visible struct{ imports, exports map[*typeRef]bool }

func newVisible() *visible {
	return &visible{imports: map[*typeRef]bool{}, exports: map[*typeRef]bool{}}
}

// show makes the types of an import or export known and checks those it uses.
func (p *planner) show(s *scope, name string, it item, export bool) error {
	if s.visible == nil {
		return nil
	}
	set := s.visible.imports
	if export {
		set = s.visible.exports
	}
	if err := p.learn(s.visible, it, export); err != nil {
		return err
	}
	hidden, err := p.hidden(set, it)
	if err == nil && hidden != nil {
		err = invalid("%q uses %s without a name that others see: export or import it first and use the new type", name, kindWord(hidden.value))
	}
	return err
}

// learn adds the types of it, also those inside an instance.
func (p *planner) learn(v *visible, it item, export bool) error {
	switch x := it.value.(type) {
	case *typeRef:
		v.exports[x.id()] = true
		if !export {
			v.imports[x.id()] = true
		}
	case *bundle:
		if err := p.spend(len(x.names)); err != nil {
			return err
		}
		for _, n := range x.names {
			if err := p.learn(v, x.items[n], export); err != nil {
				return err
			}
		}
	}
	return nil
}

// hidden finds a type that it uses without a name in set.
func (p *planner) hidden(set map[*typeRef]bool, it item) (*typeRef, error) {
	switch x := it.value.(type) {
	case *function:
		return p.hiddenPart(set, x.typ)
	case *bundle:
		for _, n := range x.names {
			if h, err := p.hidden(set, x.items[n]); h != nil || err != nil {
				return h, err
			}
		}
	case *typeRef:
		sh, ok := x.value.(*shape)
		if !ok {
			return p.hiddenPart(set, x.value)
		}
		if sh.component {
			return nil, nil // checked on its own
		}
		b, err := p.declare(sh, "", nil, nil)
		if err != nil {
			return nil, err
		}
		own := item{sort: binary.SortInstance, value: b}
		if err := p.learn(&visible{imports: set, exports: set}, own, true); err != nil {
			return nil, err
		}
		return p.hidden(set, own)
	}
	return nil, nil
}

// hiddenPart looks through what a type or function type is made of. Types that may go without
// a name join set once their parts are found visible.
func (p *planner) hiddenPart(set map[*typeRef]bool, t any) (*typeRef, error) {
	for _, part := range p.parts[t] {
		if set[part.id()] {
			continue
		}
		if v, ok := part.value.(*binary.Type); !ok || nameable(v.Kind) {
			return part, nil
		}
		if err := p.spend(1); err != nil {
			return nil, err
		}
		if h, err := p.hiddenPart(set, part.value); h != nil || err != nil {
			return h, err
		}
		set[part.id()] = true
	}
	return nil, nil
}

// nameable types cannot be used across a border without a name.
func nameable(k binary.Kind) bool {
	switch k {
	case binary.Record, binary.Variant, binary.Enum, binary.Flags:
		return true
	}
	return false
}

func kindWord(t any) string {
	if v, ok := t.(*binary.Type); ok {
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
	}
	return "a resource"
}
