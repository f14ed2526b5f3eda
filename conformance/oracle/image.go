package oracle

import (
	"encoding/binary"
	"unicode/utf16"
)

// String encodings of canonical options.
const (
	utf8Text byte = iota
	utf16Text
	compactText // latin1+utf16
)

// image is the part of a guest's memory that holds values written by the generator. It notes
// what each place means, so that a mutation hits something.
type image struct {
	base     uint32
	bytes    []byte
	encoding byte
	spots    []spot
}

// spot is a place with a meaning: in memory, or a flat core value.
type spot struct {
	what string // "bool", "discriminant", "text", "pointer", "length", "flags", "char", "handle", "integer"
	at   uint32 // address; index of the core value when flat
	size uint32
	flat bool
	t    *Type
}

func (m *image) alloc(align, size uint32) uint32 {
	for (m.base+uint32(len(m.bytes)))%align != 0 {
		m.bytes = append(m.bytes, 0xa5)
	}
	at := m.base + uint32(len(m.bytes))
	for range size {
		m.bytes = append(m.bytes, 0xa5) // padding that nobody may look at
	}
	return at
}

func (m *image) put(at, size uint32, bits uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], bits)
	copy(m.bytes[at-m.base:], b[:size])
}

func (m *image) note(what string, at, size uint32, t *Type) {
	m.spots = append(m.spots, spot{what: what, at: at, size: size, t: t})
}

// sequence writes the elements of a list or string and gives pointer and length.
func (m *image) sequence(t *Type, v any) (ptr, length uint32) {
	if t.Kind == "string" {
		return m.text(v.(string))
	}
	list := v.([]any)
	ptr = m.alloc(t.Elem.align(), uint32(len(list))*t.Elem.size())
	for i, e := range list {
		m.store(t.Elem, e, ptr+uint32(i)*t.Elem.size())
	}
	return ptr, uint32(len(list))
}

func (m *image) text(s string) (ptr, length uint32) {
	var raw []byte
	align, tag, units := uint32(1), uint32(0), uint32(len(s))
	if m.encoding == utf8Text {
		raw = []byte(s)
	} else {
		align = 2
		wide := m.encoding == utf16Text
		for _, r := range s {
			wide = wide || r > 0xff
		}
		for _, r := range s {
			if wide {
				for _, u := range utf16.AppendRune(nil, r) {
					raw = binary.LittleEndian.AppendUint16(raw, u)
				}
			} else {
				raw = append(raw, byte(r))
			}
		}
		units = uint32(len(raw))
		if wide {
			units /= 2
			if m.encoding == compactText {
				tag = 1 << 31
			}
		}
	}
	ptr = m.alloc(align, uint32(len(raw)))
	copy(m.bytes[ptr-m.base:], raw)
	if len(raw) > 0 {
		m.note("text", ptr, uint32(len(raw)), nil)
	}
	return ptr, units | tag
}

// store writes v (spec: Storing).
func (m *image) store(t *Type, v any, at uint32) {
	switch t.Kind {
	case "string", "list":
		ptr, n := m.sequence(t, v)
		m.put(at, 4, uint64(ptr))
		m.put(at+4, 4, uint64(n))
		m.note("pointer", at, 4, t)
		m.note("length", at+4, 4, t)
	case "record", "tuple":
		offset := uint32(0)
		for i, f := range t.Types {
			offset = aligned(offset, f.align())
			m.store(f, v.([]any)[i], at+offset)
			offset += f.size()
		}
	case "variant", "enum", "option", "result":
		c, payload := t.caseOf(v)
		m.put(at, discriminantSize(len(t.cases())), uint64(c))
		m.note("discriminant", at, discriminantSize(len(t.cases())), t)
		if p := t.cases()[c]; p != nil {
			m.store(p, payload, at+t.payload())
		}
	case "own", "borrow":
		m.put(at, 4, uint64(1))
		m.note("handle", at, 4, t)
	default:
		m.put(at, t.size(), t.bits(v))
		m.note(t.spot(), at, t.size(), t)
	}
}

// flatten appends the core values of v (spec: Flat Lowering), each as its bits.
func (m *image) flatten(t *Type, v any, flat []uint64) []uint64 {
	mark := func(what string, i int) {
		m.spots = append(m.spots, spot{what: what, at: uint32(i), size: 8, flat: true, t: t})
	}
	switch t.Kind {
	case "string", "list":
		ptr, n := m.sequence(t, v)
		mark("pointer", len(flat))
		mark("length", len(flat)+1)
		return append(flat, uint64(ptr), uint64(n))
	case "record", "tuple":
		for i, f := range t.Types {
			flat = m.flatten(f, v.([]any)[i], flat)
		}
		return flat
	case "variant", "enum", "option", "result":
		end := len(flat) + len(t.flat())
		c, payload := t.caseOf(v)
		mark("discriminant", len(flat))
		flat = append(flat, uint64(c))
		if p := t.cases()[c]; p != nil {
			flat = m.flatten(p, payload, flat)
		}
		for len(flat) < end {
			flat = append(flat, 0)
		}
		return flat
	case "own", "borrow":
		mark("handle", len(flat))
		return append(flat, 1)
	}
	mark(t.spot(), len(flat))
	bits := t.bits(v)
	if f := t.flat()[0]; f == i32 || f == f32 {
		bits = uint64(uint32(bits))
	}
	return append(flat, bits)
}

func (t *Type) spot() string {
	switch t.Kind {
	case "bool", "char", "flags":
		return t.Kind
	}
	return "number"
}

// caseOf finds the case of a canonical value and its payload.
func (t *Type) caseOf(v any) (int, any) {
	switch t.Kind {
	case "option":
		if v == nil {
			return 0, nil
		}
		return 1, v.(map[string]any)["some"]
	case "result":
		if p, ok := v.(map[string]any)["ok"]; ok {
			return 0, p
		}
		return 1, v.(map[string]any)["error"]
	case "enum":
		for i, n := range t.Names {
			if n == v {
				return i, nil
			}
		}
	}
	for i, n := range t.Names {
		if p, ok := v.(map[string]any)[n]; ok {
			return i, p
		}
	}
	panic("a value without a case")
}

// mutate spoils one spot of the image or of flat, and says of what kind it was.
func (d *maker) mutate(m *image, flat []uint64, limit uint32) string {
	if len(m.spots) == 0 {
		return ""
	}
	s := pick(d, m.spots...)
	for range 3 { // numbers are most of what there is and the least interesting
		if s.what == "number" {
			s = pick(d, m.spots...)
		}
	}
	bits := d.badBits(s, limit)
	if s.what == "text" {
		if m.encoding != utf8Text && s.size > 1 {
			m.put(s.at+uint32(d.IntN(int(s.size/2)))*2, 2, pick(d, uint64(0xd800), 0xdbff, 0xdc00, 0xdfff, 0xd7ff, 0xffff))
			return s.what
		}
		at := s.at + uint32(d.IntN(int(s.size)))
		m.put(at, 1, pick(d, uint64(0x80), 0xc0, 0xff, 0xd8, 0xdc, 0xed, 0xf4, 0xf8, d.Uint64()))
		return s.what
	}
	switch {
	case !s.flat:
		m.put(s.at, s.size, bits)
	default:
		flat[s.at] = bits
	}
	return s.what
}

// badBits draws contents for a spot; some of them turn out to be good.
func (d *maker) badBits(s spot, limit uint32) uint64 {
	switch s.what {
	case "bool":
		return pick(d, uint64(2), 0x80, 0xff, 0x100, 0xffffffff)
	case "char":
		return pick(d, uint64(0xd800), 0xdfff, 0x110000, 0xffffffff, 0x10ffff, 0x80000000)
	case "discriminant":
		n := uint64(len(s.t.cases()))
		return pick(d, n, n+1, 0xff, 0xffff, 0xffffffff, 0x100, n-1)
	case "flags":
		return pick(d, 1<<len(s.t.Names), ^uint64(0), 0xff, 0x80000000)
	case "pointer":
		return uint64(pick(d, 0, 1, 2, 3, limit, limit-1, limit-8, limit+1, 0xffffffff, 0xfffffff8, 0x80000000,
			limit-s.t.size(), limit-s.t.size()+s.t.align())) // just inside, just outside
	case "length":
		return uint64(pick(d, 0, 1, 100, limit, 1<<28, 1<<28-1, 1<<29, 1<<30, 1<<31, 1<<31|1, 1<<31|100, 0xffffffff, 0x7fffffff, 0x20000000))
	case "handle":
		return uint64(pick(d, 0, 1, 2, 7, 0xffffffff, 0x80000000))
	}
	return d.Uint64()
}
