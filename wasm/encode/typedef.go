package encode

import (
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/wit"
)

// scope is an index space of types that definitions go to.
type scope struct {
	index map[*binary.Type]int
	add   func(def []byte) int
}

type instanceType struct {
	decls [][]byte
	types int
}

func (b *instanceType) define(def []byte) int {
	b.decls = append(b.decls, cat([]byte{1}, def))
	b.types++
	return b.types - 1
}

// named lists the types of an interface that its functions need by name: those that another
// needs stand before it. With foreign, what types of other interfaces consist of is among them.
func named(i *wit.Interface, foreign bool) (list []*wit.TypeDef) {
	defs := map[*binary.Type]*wit.TypeDef{}
	for _, d := range i.Types {
		if d.Type != nil && nameable(d.Type) && defs[d.Type] == nil {
			defs[d.Type] = d
		}
	}
	placed := map[*binary.Type]bool{}
	var place func(t *binary.Type)
	place = func(t *binary.Type) {
		if t == nil || placed[t] {
			return
		}
		placed[t] = true
		d := defs[t]
		if d == nil || d.Use == nil || foreign {
			for _, p := range parts(t) {
				place(p)
			}
		}
		if d == nil && foreign && nameable(t) {
			d = &wit.TypeDef{Type: t}
		}
		if d != nil {
			list = append(list, d)
		}
	}
	for _, f := range i.Funcs {
		for _, p := range f.Type.Params {
			place(p.Type)
		}
		place(f.Type.Result)
	}
	if len(i.Funcs) == 0 { // an interface of types
		for _, d := range i.Types {
			place(d.Type)
		}
	}
	return list
}

func nameable(t *binary.Type) bool {
	switch t.Kind {
	case binary.Record, binary.Variant, binary.Enum, binary.Flags:
		return true
	}
	return false
}

func parts(t *binary.Type) (list []*binary.Type) {
	for _, f := range t.Fields {
		list = append(list, f.Type)
	}
	for _, c := range t.Cases {
		list = append(list, c.Type)
	}
	return append(list, t.Elem, t.Err)
}

// define adds the definition of a type that has an index, or gets one, and gives the index.
func (s scope) define(t *binary.Type) int {
	if i, ok := s.index[t]; ok {
		return i
	}
	i := s.add(s.definition(t))
	s.index[t] = i
	return i
}

func (s scope) fn(f *binary.Func) int {
	params := make([][]byte, len(f.Params))
	for i, p := range f.Params {
		params[i] = cat(text(p.Name), s.ref(p.Type))
	}
	result := []byte{1, 0}
	if f.Result != nil {
		result = cat([]byte{0}, s.ref(f.Result))
	}
	return s.add(cat([]byte{0x40}, vector(params), result))
}

// primitives have a code instead of an index.
func primitive(k binary.Kind) (byte, bool) {
	for i, p := range []binary.Kind{binary.String, binary.Char, binary.F64, binary.F32, binary.U64, binary.S64, binary.U32, binary.S32,
		binary.U16, binary.S16, binary.U8, binary.S8, binary.Bool} {
		if p == k {
			return byte(0x73 + i), true
		}
	}
	return 0, false
}

// ref is a reference to a type; what has no index is defined on the way.
func (s scope) ref(t *binary.Type) []byte {
	if code, ok := primitive(t.Kind); ok {
		return []byte{code}
	}
	return sleb(int64(s.define(t)))
}

func (s scope) optional(t *binary.Type) []byte {
	if t == nil {
		return []byte{0}
	}
	return cat([]byte{1}, s.ref(t))
}

func (s scope) definition(t *binary.Type) []byte {
	if code, ok := primitive(t.Kind); ok {
		return []byte{code}
	}
	var items [][]byte
	for _, f := range t.Fields {
		if t.Kind == binary.Record {
			items = append(items, cat(text(f.Name), s.ref(f.Type)))
		} else {
			items = append(items, s.ref(f.Type))
		}
	}
	for _, c := range t.Cases {
		items = append(items, cat(text(c.Name), s.optional(c.Type), []byte{0}))
	}
	for _, n := range t.Names {
		items = append(items, text(n))
	}
	switch t.Kind {
	case binary.Record:
		return cat([]byte{0x72}, vector(items))
	case binary.Variant:
		return cat([]byte{0x71}, vector(items))
	case binary.List:
		return cat([]byte{0x70}, s.ref(t.Elem))
	case binary.Tuple:
		return cat([]byte{0x6f}, vector(items))
	case binary.Flags:
		return cat([]byte{0x6e}, vector(items))
	case binary.Enum:
		return cat([]byte{0x6d}, vector(items))
	case binary.Option:
		return cat([]byte{0x6b}, s.ref(t.Elem))
	}
	return cat([]byte{0x6a}, s.optional(t.Elem), s.optional(t.Err)) // result
}
