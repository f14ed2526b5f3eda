package canon

import (
	"encoding/binary"
	"math"

	types "greentic.dev/wasm/binary"
)

// maxByteLength is the longest string or list there is (spec: MAX_STRING_BYTE_LENGTH).
const maxByteLength = 1<<28 - 1

// lifter reads values. The guest does not run meanwhile, so one view of its memory serves all.
type lifter struct {
	env  *Env
	mem  []byte
	flat []uint64
	pos  int
}

func (l *lifter) next() uint64 {
	v := l.flat[l.pos]
	l.pos++
	return v
}

func (l *lifter) check(ptr, align uint32, size uint64) error {
	return checkRange(l.mem, ptr, align, size)
}

// lift reads the next value from the flat core values. In the uint64 of a core stack the
// coercions of joined variant payloads (spec: CoerceValueIter) are a cut to the low bits.
func (l *lifter) lift(n *node) (any, error) {
	switch n.kind {
	case types.String:
		ptr := uint32(l.next())
		return l.text(ptr, uint32(l.next()))
	case types.List, bytesKind:
		ptr := uint32(l.next())
		return l.list(n, ptr, uint32(l.next()))
	case types.Record, types.Tuple:
		return l.fields(n, 0, true)
	case types.Variant, types.Enum, types.Option, types.Result:
		end := l.pos + len(n.flat)
		c, err := n.caseAt(uint32(l.next()))
		if err != nil {
			return nil, err
		}
		p := n.cases[c].node
		if p == nil {
			l.pos = end
			return n.cases[c].bare, nil
		}
		v, err := l.lift(p)
		if err != nil {
			return nil, within(err, n.cases[c].name)
		}
		l.pos = end
		return l.boxed(n, c, v)
	}
	return l.scalar(n, l.next())
}

// load reads a value from memory. The caller has checked n.size bytes at ptr.
func (l *lifter) load(n *node, ptr uint32) (any, error) {
	switch n.kind {
	case types.String:
		return l.text(l.word(ptr), l.word(ptr+4))
	case types.List, bytesKind:
		return l.list(n, l.word(ptr), l.word(ptr+4))
	case types.Record, types.Tuple:
		return l.fields(n, ptr, false)
	case types.Variant, types.Enum, types.Option, types.Result:
		c, err := n.caseAt(uint32(l.bits(ptr, n.discSize)))
		if err != nil {
			return nil, err
		}
		p := n.cases[c].node
		if p == nil {
			return n.cases[c].bare, nil
		}
		v, err := l.load(p, ptr+n.payload)
		if err != nil {
			return nil, within(err, n.cases[c].name)
		}
		return l.boxed(n, c, v)
	}
	return l.scalar(n, l.bits(ptr, uint32(n.size)))
}

func (l *lifter) word(ptr uint32) uint32 { return binary.LittleEndian.Uint32(l.mem[ptr:]) }

func (l *lifter) bits(ptr, size uint32) uint64 {
	switch size {
	case 1:
		return uint64(l.mem[ptr])
	case 2:
		return uint64(binary.LittleEndian.Uint16(l.mem[ptr:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(l.mem[ptr:]))
	}
	return binary.LittleEndian.Uint64(l.mem[ptr:])
}

// scalar interprets the low bits of a core value.
func (l *lifter) scalar(n *node, bits uint64) (any, error) {
	switch n.kind {
	case types.Bool:
		return uint32(bits) != 0, nil
	case types.S8:
		return int8(bits), nil
	case types.U8:
		return uint8(bits), nil
	case types.S16:
		return int16(bits), nil
	case types.U16:
		return uint16(bits), nil
	case types.S32:
		return int32(bits), nil
	case types.U32:
		return uint32(bits), nil
	case types.S64:
		return int64(bits), nil
	case types.U64:
		return bits, nil
	case types.F32:
		return math.Float32frombits(uint32(bits)), nil
	case types.F64:
		return math.Float64frombits(bits), nil
	case types.Char:
		c := uint32(bits)
		if c >= 0x110000 || c >= 0xd800 && c <= 0xdfff {
			return nil, trapf("%#x is not a char", c)
		}
		return rune(c), nil
	case types.Flags:
		return l.flags(n, uint32(bits))
	case types.Own:
		return l.env.liftOwn(n.resource, uint32(bits))
	case types.Borrow:
		return l.env.liftBorrow(n.resource, uint32(bits))
	}
	return nil, trapf("type of kind %d has no value", n.kind)
}

// flags ignores bits without a name (spec: unpack_flags_from_int).
func (l *lifter) flags(n *node, bits uint32) (any, error) {
	on := 0
	for i := range n.names {
		on += int(bits >> i & 1)
	}
	if on == 0 {
		return Flags(nil), nil
	}
	if err := l.env.charge(elementCost * uint64(on)); err != nil {
		return nil, err
	}
	set := make(Flags, 0, on)
	for i, name := range n.names {
		if bits>>i&1 != 0 {
			set = append(set, name)
		}
	}
	return set, nil
}

func (n *node) caseAt(i uint32) (int, error) {
	if uint64(i) >= uint64(len(n.cases)) {
		return 0, trapf("discriminant %d is out of range, there are %d cases", i, len(n.cases))
	}
	return int(i), nil
}

func (l *lifter) boxed(n *node, c int, payload any) (any, error) {
	if err := l.env.charge(caseCost); err != nil {
		return nil, err
	}
	return n.value(c, payload), nil
}

// fields reads a record or tuple, from the flat values or from memory at ptr.
func (l *lifter) fields(n *node, ptr uint32, flat bool) (any, error) {
	if err := l.env.charge(fieldCost * uint64(len(n.fields))); err != nil {
		return nil, err
	}
	var rec Record
	var tup []any
	if n.kind == types.Record {
		rec = make(Record, len(n.fields))
	} else {
		tup = make([]any, len(n.fields))
	}
	for i := range n.fields {
		f := &n.fields[i]
		var v any
		var err error
		if flat {
			v, err = l.lift(f.node)
		} else {
			v, err = l.load(f.node, ptr+f.offset)
		}
		if err != nil {
			return nil, within(err, n.part(i))
		}
		if rec != nil {
			rec[i] = Named{Name: f.name, Value: v}
		} else {
			tup[i] = v
		}
	}
	if n.kind == types.Record {
		return rec, nil
	}
	return tup, nil
}

// part names field i in an error path.
func (n *node) part(i int) string {
	if n.kind == types.Tuple {
		return index("", i)
	}
	return n.fields[i].name
}

// list reads length elements at ptr, after checking all of them.
func (l *lifter) list(n *node, ptr, length uint32) (any, error) {
	// A type without size does not exist; were there one, its lists would cost all the same.
	size := uint64(length) * max(n.elem.size, 1)
	if size > maxByteLength {
		return nil, trapf("list of %d elements is longer than %d bytes", length, maxByteLength)
	}
	if err := l.check(ptr, n.elem.align, size); err != nil {
		return nil, err
	}
	if n.kind == bytesKind {
		if err := l.env.charge(size); err != nil {
			return nil, err
		}
		raw := l.mem[ptr : uint64(ptr)+size]
		b := make([]byte, len(raw)) // with the copy behind it: not cleared first
		copy(b, raw)
		return b, nil
	}
	if err := l.env.charge(max(size, elementCost*uint64(length))); err != nil {
		return nil, err
	}
	list := make([]any, length)
	for i := range list {
		v, err := l.load(n.elem, ptr+uint32(i)*uint32(n.elem.size))
		if err != nil {
			return nil, within(err, index("", i))
		}
		list[i] = v
	}
	return list, nil
}
