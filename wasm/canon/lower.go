package canon

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
	types "greentic.dev/wasm/binary"
)

// lowerer writes values. Every allocation runs the guest, so the view of its memory is
// renewed after each.
type lowerer struct {
	env  *Env
	mem  []byte
	flat []uint64
}

func (l *lowerer) refresh() { l.mem = l.env.memory() }

// alloc gets size bytes from the guest's realloc, charges them and checks what it returned.
func (l *lowerer) alloc(align uint32, size uint64) (uint32, error) {
	if size > maxByteLength {
		return 0, &failure{kind: fault.Exhausted, msg: "value is longer than 268435455 bytes"}
	}
	if err := l.env.charge(size); err != nil {
		return 0, err
	}
	return l.realloc(0, 0, align, size)
}

// realloc gets or resizes room in the guest and checks what it returned; it charges nothing.
func (l *lowerer) realloc(old uint32, oldSize uint64, align uint32, size uint64) (uint32, error) {
	if l.env.Opt == nil || l.env.Opt.Realloc == nil {
		return 0, trapf("there is no realloc to make room with")
	}
	ptr, err := l.env.Opt.Realloc(l.env.Ctx, old, uint32(oldSize), align, uint32(size))
	if err != nil {
		return 0, err
	}
	before := len(l.mem)
	l.refresh()
	if len(l.mem) < before {
		return 0, trapf("memory shrank from %d to %d bytes", before, len(l.mem))
	}
	if err := checkRange(l.mem, ptr, align, size); err != nil {
		return 0, within(err, "realloc")
	}
	return ptr, nil
}

// lower appends v to the flat core values.
func (l *lowerer) lower(n *node, v any) error {
	switch n.kind {
	case types.String, types.List, bytesKind:
		ptr, length, err := l.sequence(n, v)
		l.flat = append(l.flat, uint64(ptr), uint64(length))
		return err
	case types.Record, types.Tuple:
		get, err := n.fieldsOf(v)
		if err != nil {
			return err
		}
		for i := range n.fields {
			fv, err := get.field(n, i)
			if err == nil {
				err = l.lower(n.fields[i].node, fv)
			}
			if err != nil {
				return within(err, n.part(i))
			}
		}
		return nil
	case types.Variant, types.Enum, types.Option, types.Result:
		c, payload, err := n.caseOf(v)
		if err != nil {
			return err
		}
		end := len(l.flat) + len(n.flat)
		l.flat = append(l.flat, uint64(c))
		if p := n.cases[c].node; p != nil {
			if err := l.lower(p, payload); err != nil {
				return within(err, n.cases[c].name)
			}
		}
		for len(l.flat) < end {
			l.flat = append(l.flat, 0)
		}
		return nil
	}
	bits, err := l.scalar(n, v)
	if n.flat[0] != i64 && n.flat[0] != f64 {
		bits = uint64(uint32(bits))
	}
	l.flat = append(l.flat, bits)
	return err
}

// store writes v to memory. The caller has checked n.size bytes at ptr.
func (l *lowerer) store(n *node, v any, ptr uint32) error {
	switch n.kind {
	case types.String, types.List, bytesKind:
		at, length, err := l.sequence(n, v)
		if err != nil {
			return err
		}
		l.put(ptr, 4, uint64(at))
		l.put(ptr+4, 4, uint64(length))
		return nil
	case types.Record, types.Tuple:
		get, err := n.fieldsOf(v)
		if err != nil {
			return err
		}
		for i := range n.fields {
			f := &n.fields[i]
			fv, err := get.field(n, i)
			if err == nil {
				err = l.store(f.node, fv, ptr+f.offset)
			}
			if err != nil {
				return within(err, n.part(i))
			}
		}
		return nil
	case types.Variant, types.Enum, types.Option, types.Result:
		c, payload, err := n.caseOf(v)
		if err != nil {
			return err
		}
		l.put(ptr, n.discSize, uint64(c))
		if p := n.cases[c].node; p != nil {
			if err := l.store(p, payload, ptr+n.payload); err != nil {
				return within(err, n.cases[c].name)
			}
		}
		return nil
	}
	bits, err := l.scalar(n, v)
	if err != nil {
		return err
	}
	l.put(ptr, uint32(n.size), bits)
	return nil
}

func (l *lowerer) put(ptr, size uint32, bits uint64) {
	switch size {
	case 1:
		l.mem[ptr] = byte(bits)
	case 2:
		binary.LittleEndian.PutUint16(l.mem[ptr:], uint16(bits))
	case 4:
		binary.LittleEndian.PutUint32(l.mem[ptr:], uint32(bits))
	default:
		binary.LittleEndian.PutUint64(l.mem[ptr:], bits)
	}
}

// sequence writes a string or list to fresh memory.
func (l *lowerer) sequence(n *node, v any) (ptr, length uint32, err error) {
	switch n.kind {
	case types.String:
		s, ok := v.(string)
		if !ok {
			return 0, 0, wrongType("string", v)
		}
		return l.text(s)
	case bytesKind:
		b, ok := v.([]byte)
		if !ok {
			return 0, 0, wrongType("[]byte", v)
		}
		if ptr, err = l.alloc(1, uint64(len(b))); err == nil {
			copy(l.mem[ptr:], b)
		}
		return ptr, uint32(len(b)), err
	}
	list, ok := v.([]any)
	if !ok {
		return 0, 0, wrongType("[]any", v)
	}
	if len(list) > maxByteLength || n.elem.size > maxByteLength {
		return 0, 0, &failure{kind: fault.Exhausted, msg: "list is longer than 268435455 bytes"}
	}
	if ptr, err = l.alloc(n.elem.align, uint64(len(list))*n.elem.size); err != nil {
		return 0, 0, err
	}
	for i, e := range list {
		if err := l.store(n.elem, e, ptr+uint32(i)*uint32(n.elem.size)); err != nil {
			return 0, 0, within(err, index("", i))
		}
	}
	return ptr, uint32(len(list)), nil
}

// scalar gives the bits of a value that is one core value.
func (l *lowerer) scalar(n *node, v any) (uint64, error) {
	switch n.kind {
	case types.Bool:
		if b, ok := v.(bool); ok {
			if b {
				return 1, nil
			}
			return 0, nil
		}
		return 0, wrongType("bool", v)
	case types.S8:
		return integer[int8](v, "int8")
	case types.U8:
		return integer[uint8](v, "uint8")
	case types.S16:
		return integer[int16](v, "int16")
	case types.U16:
		return integer[uint16](v, "uint16")
	case types.S32:
		return integer[int32](v, "int32")
	case types.U32:
		return integer[uint32](v, "uint32")
	case types.S64:
		return integer[int64](v, "int64")
	case types.U64:
		return integer[uint64](v, "uint64")
	case types.F32:
		if f, ok := v.(float32); ok {
			return uint64(math.Float32bits(f)), nil
		}
		return 0, wrongType("float32", v)
	case types.F64:
		if f, ok := v.(float64); ok {
			return math.Float64bits(f), nil
		}
		return 0, wrongType("float64", v)
	case types.Char:
		r, ok := v.(rune)
		if !ok {
			return 0, wrongType("rune", v)
		}
		if !utf8.ValidRune(r) {
			return 0, wrongValue("%#x is not a char", r)
		}
		return uint64(r), nil
	case types.Flags:
		return n.flagBits(v)
	case types.Own, types.Borrow:
		i, err := l.env.lowerHandle(n, v)
		return uint64(i), err
	}
	return 0, wrongValue("type of kind %d has no value", n.kind)
}

func integer[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64](v any, want string) (uint64, error) {
	i, ok := v.(T)
	if !ok {
		return 0, wrongType(want, v)
	}
	return uint64(i), nil
}

func (n *node) flagBits(v any) (uint64, error) {
	set, ok := v.(Flags)
	if !ok {
		return 0, wrongType("Flags", v)
	}
	var bits uint32
	for _, name := range set {
		i := slices.Index(n.names, name)
		if i < 0 || i > 31 {
			return 0, wrongValue("there is no flag %q", name)
		}
		bits |= 1 << i
	}
	return uint64(bits), nil
}

// caseOf finds the case and payload of a variant, enum, option or result.
func (n *node) caseOf(v any) (c int, payload any, err error) {
	switch n.kind {
	case types.Option:
		o, ok := v.(Option)
		if !ok {
			return 0, nil, wrongType("Option", v)
		}
		if o.Some {
			c = 1
		}
		payload = o.Value
	case types.Result:
		r, ok := v.(Result)
		if !ok {
			return 0, nil, wrongType("Result", v)
		}
		if r.IsErr {
			c = 1
		}
		payload = r.Value
	default:
		x, ok := v.(Variant)
		if !ok {
			return 0, nil, wrongType("Variant", v)
		}
		c = slices.IndexFunc(n.cases, func(k caseOf) bool { return k.name == x.Case })
		if c < 0 {
			return 0, nil, wrongValue("there is no case %q", x.Case)
		}
		payload = x.Value
	}
	if n.cases[c].node == nil && payload != nil {
		return 0, nil, within(wrongType("no payload", payload), n.cases[c].name)
	}
	return c, payload, nil
}

// parts is the fields of a record or tuple value; one of the two is set.
type parts struct {
	record Record
	tuple  []any
}

func (n *node) fieldsOf(v any) (parts, error) {
	var p parts
	var ok bool
	var got int
	if n.kind == types.Record {
		if p.record, ok = v.(Record); !ok {
			return p, wrongType("Record", v)
		}
		got = len(p.record)
	} else {
		if p.tuple, ok = v.([]any); !ok {
			return p, wrongType("[]any", v)
		}
		got = len(p.tuple)
	}
	if got != len(n.fields) {
		return p, wrongValue("want %d fields, got %d", len(n.fields), got)
	}
	return p, nil
}

// field gives field i; a record in the order of its type needs no search.
func (p parts) field(n *node, i int) (any, error) {
	if p.record == nil {
		return p.tuple[i], nil
	}
	name := n.fields[i].name
	if p.record[i].Name == name {
		return p.record[i].Value, nil
	}
	for j := range p.record {
		if p.record[j].Name == name {
			return p.record[j].Value, nil
		}
	}
	return nil, wrongValue("field is missing")
}
