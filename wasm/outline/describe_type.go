package outline

import (
	"fmt"
	"slices"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/wit"
)

// maxText bounds the names in a description, in bytes.
const maxText = 64 << 20

// name gives a type its place in s: it is defined there, or taken from where it was named
// before.
func (d *describer) name(s *side, name string, t *node) error {
	if !wit.IsLabel(name) || t.root().kind == 0 && !t.root().resource {
		return unwritable("a type named %q in %s", name, s)
	}
	if old := s.names[name]; old != nil {
		if !d.alike(old, t) {
			return unwritable("the type %q that is not the same in both %s", name, s)
		}
		d.known[t] = spot{s, old}
		return nil
	}
	def := &wit.TypeDef{Name: name}
	switch at, known := d.find(t); {
	case known && at.side != s && !at.side.usable():
		return unwritable("the type %q in %s, which belongs to %s,", name, s, at.side)
	case known:
		def.Type, def.Resource, def.From = at.def.Type, at.def.Resource, at.def
		if at.side != s {
			def.Use = at.side.iface
		} else if def.Type != nil {
			c := *def.Type
			c.Name = name
			def.Type = &c
		}
	case t.root().resource:
		def.Resource = &binary.Resource{Name: name}
	default:
		structure, err := d.structure(s, t.root())
		if err != nil {
			return err
		}
		structure.Name, def.Type = name, structure
	}
	s.names[name] = def
	*s.types = append(*s.types, def)
	d.known[t] = spot{s, def}
	return d.mention(def)
}

// mention counts the text that naming a type makes: a long name takes few bytes in a component
// wherever it is used again.
func (d *describer) mention(def *wit.TypeDef) error {
	if d.text += len(def.Name); def.Use != nil {
		d.text += len(def.Use.Package.Name) + len(def.Use.Package.Namespace) + len(def.Use.Name)
	}
	if d.text > maxText {
		return fault.Newf(fault.Exhausted, "wit", "the text would be longer than %d bytes", maxText)
	}
	return nil
}

// find gives the place of the nearest name that t goes back to.
func (d *describer) find(t *node) (spot, bool) {
	for ; t != nil; t = t.of {
		if at, ok := d.known[t]; ok {
			return at, true
		}
	}
	return spot{}, false
}

func (d *describer) function(s *side, e entity) (*binary.Func, error) {
	f := &binary.Func{}
	if e.typ == nil || e.typ.root().fn == nil {
		return nil, unwritable("%q in %s, which is no function,", e.name, s)
	}
	fn := e.typ.root().fn
	var err error
	for _, p := range fn.params {
		field := binary.Field{Name: p.name}
		if field.Type, err = d.convert(s, p.typ); err != nil {
			return nil, err
		}
		f.Params = append(f.Params, field)
	}
	f.Result, err = d.convert(s, fn.result)
	return f, err
}

// convert is the type, which may be nil, as s mentions it: by its name if it has one.
func (d *describer) convert(s *side, t *node) (*binary.Type, error) {
	if t == nil {
		return nil, nil
	}
	if at, ok := d.find(t); ok {
		def, err := d.reach(s, at)
		if err != nil {
			return nil, err
		}
		return def.Type, d.mention(def)
	}
	root := t.root()
	switch root.kind {
	case binary.Record, binary.Variant, binary.Enum, binary.Flags:
		return nil, unwritable("a record, variant, enum or flags without a name")
	}
	return d.structure(s, root)
}

// reach gives the definition by which s mentions a type, taking it by use if it has none.
func (d *describer) reach(s *side, at spot) (*wit.TypeDef, error) {
	if at.side == s {
		return at.def, nil
	}
	for _, def := range *s.types {
		if def.From == at.def {
			return def, nil
		}
	}
	if !at.side.usable() {
		return nil, unwritable("the type %q of %s, which %s mentions,", at.def.Name, at.side, s)
	}
	def := &wit.TypeDef{Name: at.def.Name, Type: at.def.Type, Resource: at.def.Resource, From: at.def, Use: at.side.iface}
	for n := 1; s.names[def.Name] != nil || s.funcs[def.Name]; n++ {
		def.Name = fmt.Sprintf("%s-%d", at.def.Name, n)
	}
	s.names[def.Name] = def
	*s.types = append(*s.types, def)
	return def, nil
}

// structure converts the parts of a type.
func (d *describer) structure(s *side, t *node) (*binary.Type, error) {
	m := &binary.Type{Kind: t.kind, Names: t.names}
	if err := d.spend(1); err != nil {
		return nil, err
	}
	var err error
	if m.Elem, err = d.convert(s, t.elem); err != nil {
		return nil, err
	}
	if m.Err, err = d.convert(s, t.err); err != nil {
		return nil, err
	}
	for _, p := range t.fields {
		part, err := d.convert(s, p.typ)
		if err != nil {
			return nil, err
		}
		if t.kind == binary.Variant {
			m.Cases = append(m.Cases, binary.Case{Name: p.name, Type: part})
		} else {
			m.Fields = append(m.Fields, binary.Field{Name: p.name, Type: part})
		}
	}
	if t.handle != nil {
		at, ok := d.find(t.handle)
		if !ok {
			return nil, unwritable("a handle to a resource without a name")
		}
		def, err := d.reach(s, at)
		if err != nil {
			return nil, err
		}
		m.Resource, m.Name = def.Resource, def.Name
		return m, d.mention(def)
	}
	return m, nil
}

// alike says whether a type may stand under a name that is already defined.
func (d *describer) alike(def *wit.TypeDef, t *node) bool {
	if def.Resource != nil || t.root().resource {
		return def.Resource != nil && t.root().resource
	}
	return d.same(def.Type, t)
}

// same compares the structure of a type with that of a node.
func (d *describer) same(m *binary.Type, t *node) bool {
	if m == nil || t == nil {
		return m == nil && t == nil
	}
	t = t.root()
	if d.spend(1) != nil || m.Kind != t.kind || !slices.Equal(m.Names, t.names) || len(m.Fields)+len(m.Cases) != len(t.fields) {
		return false
	}
	for i, f := range m.Fields {
		if f.Name != t.fields[i].name || !d.same(f.Type, t.fields[i].typ) {
			return false
		}
	}
	for i, c := range m.Cases {
		if c.Name != t.fields[i].name || !d.same(c.Type, t.fields[i].typ) {
			return false
		}
	}
	if m.Resource != nil {
		at, known := d.find(t.handle)
		return known && at.def.Resource == m.Resource
	}
	return d.same(m.Elem, t.elem) && d.same(m.Err, t.err)
}
