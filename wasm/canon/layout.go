package canon

import (
	"math"

	"greentic.dev/wasm/binary"
)

// Core value types.
const (
	i32 = 0x7f
	i64 = 0x7e
	f32 = 0x7d
	f64 = 0x7c
)

// bytesKind is list<u8>, which is moved in one piece.
const bytesKind = binary.Kind(0xff)

// What values cost the host in bytes, for the payload budget.
const (
	elementCost = 32 // an interface value and what it points to
	fieldCost   = 48 // a Named and what it points to
	caseCost    = 48 // a boxed Variant
)

// node is a value type with its layout (spec: "Alignment", "Element Size", "Flattening").
// Option, result and enum carry cases like a variant.
type node struct {
	kind     binary.Kind
	align    uint32
	discSize uint32 // variants: size of the discriminant
	payload  uint32 // variants: offset of the payload
	size     uint64 // more than 2^32-1 when such a value cannot exist
	flat     []byte // flattened core types; cut off one past maxFlatParams
	fields   []field
	cases    []caseOf
	names    []string // flags
	elem     *node    // lists
	resource *binary.Resource
}

type field struct {
	name   string
	offset uint32
	node   *node
}

type caseOf struct {
	name string
	node *node // nil without payload
	bare any   // the boxed value of a case without payload, ready to hand out
}

// compiler makes nodes; a type that occurs twice gets one node, so that a hostile type that
// mentions itself exponentially often costs no more than its definition.
type compiler struct {
	seen    map[*binary.Type]*node
	resolve func(*binary.Resource) *binary.Resource
}

func (c *compiler) node(t *binary.Type) *node {
	if n, ok := c.seen[t]; ok {
		return n
	}
	n := c.make(t)
	c.seen[t] = n
	return n
}

func (c *compiler) make(t *binary.Type) *node {
	switch t.Kind {
	case binary.Bool, binary.S8, binary.U8:
		return scalar(t.Kind, 1, i32)
	case binary.S16, binary.U16:
		return scalar(t.Kind, 2, i32)
	case binary.S32, binary.U32, binary.Char:
		return scalar(t.Kind, 4, i32)
	case binary.S64, binary.U64:
		return scalar(t.Kind, 8, i64)
	case binary.F32:
		return scalar(t.Kind, 4, f32)
	case binary.F64:
		return scalar(t.Kind, 8, f64)
	case binary.String:
		return &node{kind: t.Kind, align: 4, size: 8, flat: []byte{i32, i32}}
	case binary.List:
		n := &node{kind: t.Kind, align: 4, size: 8, flat: []byte{i32, i32}, elem: c.node(t.Elem)}
		if t.Elem.Kind == binary.U8 {
			n.kind = bytesKind
		}
		return n
	case binary.Record, binary.Tuple:
		n := c.tuple(t.Fields)
		n.kind = t.Kind
		return n
	case binary.Flags:
		n := scalar(t.Kind, flagsSize(len(t.Names)), i32)
		n.names = t.Names
		return n
	case binary.Own, binary.Borrow:
		n := scalar(t.Kind, 4, i32)
		if n.resource = t.Resource; c.resolve != nil {
			n.resource = c.resolve(t.Resource)
		}
		return n
	default:
		return c.variant(t)
	}
}

func scalar(k binary.Kind, size uint32, core byte) *node {
	return &node{kind: k, align: size, size: uint64(size), flat: []byte{core}}
}

func flagsSize(n int) uint32 {
	switch {
	case n <= 8:
		return 1
	case n <= 16:
		return 2
	}
	return 4
}

func (c *compiler) tuple(fields []binary.Field) *node {
	n := &node{kind: binary.Tuple, align: 1, fields: make([]field, len(fields))}
	for i, f := range fields {
		fn := c.node(f.Type)
		n.size = alignTo(n.size, fn.align)
		n.fields[i] = field{name: f.Name, node: fn, offset: uint32(min(n.size, math.MaxUint32))}
		n.size = add(n.size, fn.size)
		n.align = max(n.align, fn.align)
		n.flat = appendFlat(n.flat, fn.flat)
	}
	n.size = alignTo(n.size, n.align)
	return n
}

// cases is the variant that a specialised type stands for (spec: despecialize).
func cases(t *binary.Type) []binary.Case {
	switch t.Kind {
	case binary.Option:
		return []binary.Case{{Name: "none"}, {Name: "some", Type: t.Elem}}
	case binary.Result:
		return []binary.Case{{Name: "ok", Type: t.Elem}, {Name: "error", Type: t.Err}}
	case binary.Enum:
		cs := make([]binary.Case, len(t.Names))
		for i, name := range t.Names {
			cs[i].Name = name
		}
		return cs
	}
	return t.Cases
}

func (c *compiler) variant(t *binary.Type) *node {
	cs := cases(t)
	n := &node{kind: t.Kind, flat: []byte{i32}, cases: make([]caseOf, len(cs))}
	switch {
	case len(cs) <= 1<<8:
		n.discSize = 1
	case len(cs) <= 1<<16:
		n.discSize = 2
	default:
		n.discSize = 4
	}
	payloadAlign, payloadSize := uint32(1), uint64(0)
	for i, cse := range cs {
		n.cases[i].name = cse.Name
		if cse.Type == nil {
			n.cases[i].bare = n.value(i, nil)
			continue
		}
		cn := c.node(cse.Type)
		n.cases[i].node = cn
		payloadAlign = max(payloadAlign, cn.align)
		payloadSize = max(payloadSize, cn.size)
		n.flat = joinFlat(n.flat, cn.flat)
	}
	n.align = max(n.discSize, payloadAlign)
	n.payload = uint32(alignTo(uint64(n.discSize), payloadAlign))
	n.size = alignTo(add(uint64(n.payload), payloadSize), n.align)
	return n
}

// joinFlat merges the payload of one case into the flat types of a variant, whose first is the
// discriminant (spec: flatten_variant, join).
func joinFlat(flat, payload []byte) []byte {
	for i, t := range payload {
		switch {
		case i+1 >= len(flat):
			flat = appendFlat(flat, payload[i:i+1])
		case flat[i+1] == t:
		case flat[i+1] == i32 && t == f32, flat[i+1] == f32 && t == i32:
			flat[i+1] = i32
		default:
			flat[i+1] = i64
		}
	}
	return flat
}

func appendFlat(flat, more []byte) []byte {
	room := maxFlatParams + 1 - len(flat)
	return append(flat, more[:min(room, len(more))]...)
}

// value makes the Go value of case i of a variant, enum, option or result.
func (n *node) value(i int, payload any) any {
	switch n.kind {
	case binary.Option:
		return Option{Some: i == 1, Value: payload}
	case binary.Result:
		return Result{IsErr: i == 1, Value: payload}
	}
	return Variant{Case: n.cases[i].name, Value: payload}
}

const impossible = math.MaxUint32 + 1 // a size no guest memory has

func add(a, b uint64) uint64 { return min(a+b, impossible) }

func alignTo(n uint64, align uint32) uint64 {
	a := uint64(align)
	return (n + a - 1) &^ (a - 1)
}
