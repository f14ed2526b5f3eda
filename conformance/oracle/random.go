package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// maker draws types, values and mutations; equal seeds draw the same.
type maker struct {
	*rand.Rand
	named     []*Type // resources, records, variants, enums and flags made so far, in order
	resources []*Type
	reps      int64 // the next representation of a host resource
}

func newMaker(seed uint64) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0x6f7261636c65)), reps: 1}
	for _, name := range []string{"file", "socket"} {
		r := &Type{Kind: "resource", Name: name}
		m.resources = append(m.resources, r)
	}
	m.named = append(m.named, m.resources...)
	return m
}

func (m *maker) chance(n int) bool { return m.IntN(n) == 0 }

func pick[T any](m *maker, from ...T) T { return from[m.IntN(len(from))] }

// name gives t the next free name, once its parts have theirs.
func (m *maker) name(t *Type) *Type {
	t.Name = fmt.Sprintf("t%d", len(m.named))
	m.named = append(m.named, t)
	return t
}

// typ draws a type of at most the given depth. The handles of host resources among its parts
// are owned, or borrowed where that is allowed.
func (m *maker) typ(depth int, handles, borrows bool) *Type {
	if depth == 0 || m.chance(4) {
		return m.leaf(handles, borrows)
	}
	sub := func() *Type { return m.typ(depth-1, handles, borrows) }
	maybe := func() *Type {
		if m.chance(3) {
			return nil
		}
		return sub()
	}
	switch m.IntN(8) {
	case 0, 1:
		return &Type{Kind: "list", Elem: sub()}
	case 2:
		return &Type{Kind: "option", Elem: sub()}
	case 3:
		return &Type{Kind: "result", Elem: maybe(), Err: maybe()}
	case 4:
		t := &Type{Kind: "tuple"}
		for range 1 + m.IntN(5) {
			t.Types = append(t.Types, sub())
		}
		return t
	case 5:
		t := &Type{Kind: "variant", Names: labels("case", 1+m.IntN(5))}
		for range t.Names {
			t.Types = append(t.Types, maybe())
		}
		return m.name(t)
	}
	t := &Type{Kind: "record", Names: labels("field", 1+m.IntN(6))}
	for range t.Names {
		t.Types = append(t.Types, sub())
	}
	return m.name(t)
}

func (m *maker) leaf(handles, borrows bool) *Type {
	n := 16
	if handles {
		n = 18
	}
	switch k := m.IntN(n); k {
	case 13:
		return m.name(&Type{Kind: "flags", Names: labels("bit", pick(m, 1, 2, 7, 8, 9, 16, 17, 31, 32))})
	case 14:
		return m.name(&Type{Kind: "enum", Names: labels("kind", pick(m, 1, 2, 3, 5, 256, 257))})
	case 15:
		return of("string")
	case 16, 17:
		kind := "own"
		if borrows && k == 17 {
			kind = "borrow"
		}
		return &Type{Kind: kind, Elem: pick(m, m.resources...)}
	default:
		return of([]string{"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"}[k])
	}
}

// labels makes n names; some have two words, as names are mapped to other cases elsewhere.
func labels(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = prefix + strconv.Itoa(i)
		if i%3 == 1 {
			out[i] = "the-" + out[i]
		}
	}
	return out
}

// value draws a value of t in its canonical form (see doc.go).
func (m *maker) value(t *Type) any {
	switch t.Kind {
	case "bool":
		return m.chance(2)
	case "s8":
		return int64(int8(m.integer()))
	case "u8":
		return int64(uint8(m.integer()))
	case "s16":
		return int64(int16(m.integer()))
	case "u16":
		return int64(uint16(m.integer()))
	case "s32":
		return int64(int32(m.integer()))
	case "u32":
		return int64(uint32(m.integer()))
	case "s64":
		return strconv.FormatInt(int64(m.integer()), 10)
	case "u64":
		return strconv.FormatUint(m.integer(), 10)
	case "f32":
		return f32Form(pick(m, uint32(m.Uint64()), 0, 1, 1<<31, 0x7f800000, 0xff800000, 0x7fc00000, 0x7fa00001, 0xffc12345, math.Float32bits(float32(m.NormFloat64()))))
	case "f64":
		return f64Form(pick(m, m.Uint64(), 0, 1, 1<<63, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0x7ff0000000000001, 0xfff8123456789abc, math.Float64bits(m.NormFloat64())))
	case "char":
		return int64(m.char())
	case "string":
		return m.text()
	case "list":
		l := make([]any, m.length())
		for i := range l {
			l[i] = m.value(t.Elem)
		}
		return l
	case "record", "tuple":
		l := make([]any, len(t.Types))
		for i, f := range t.Types {
			l[i] = m.value(f)
		}
		return l
	case "variant":
		i := m.IntN(len(t.Names))
		return map[string]any{t.Names[i]: m.payload(t.Types[i])}
	case "enum":
		return pick(m, t.Names...)
	case "option":
		if m.chance(2) {
			return nil
		}
		return map[string]any{"some": m.value(t.Elem)}
	case "result":
		if m.chance(2) {
			return map[string]any{"ok": m.payload(t.Elem)}
		}
		return map[string]any{"error": m.payload(t.Err)}
	case "flags":
		set := []any{}
		for _, n := range t.Names {
			if m.chance(2) {
				set = append(set, n)
			}
		}
		return set
	}
	m.reps++
	return map[string]any{t.Kind: m.reps - 1}
}

func (m *maker) payload(t *Type) any {
	if t == nil {
		return nil
	}
	return m.value(t)
}

func (m *maker) integer() uint64 {
	return pick(m, m.Uint64(), uint64(m.IntN(300)), ^uint64(0), 1<<63, 1<<31, 1<<15, 1<<7, 1<<7-1, 1<<63-1, 0)
}

func (m *maker) length() int { return pick(m, 0, 1, 2, 3, 1+m.IntN(6)) }

func (m *maker) char() rune {
	return pick(m, 0, 'a', '~', 0x7f, 0x80, 0xff, 0x100, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000, 0x1f600, 0x10ffff, rune(m.IntN(0xd800)))
}

// text draws strings that stay in one of the encodings, leave it late, or mix everything.
func (m *maker) text() string {
	var b strings.Builder
	n := pick(m, 0, 1, 2, m.IntN(40))
	switch m.IntN(5) {
	case 0:
		return strings.Repeat("plain ", n)
	case 1:
		for range n {
			b.WriteRune(rune(1 + m.IntN(255)))
		}
	case 2:
		for range n {
			b.WriteRune(rune(1 + m.IntN(255)))
		}
		b.WriteRune(m.char())
	default:
		for range n {
			b.WriteRune(m.char())
		}
	}
	return b.String()
}

func f32Form(bits uint32) any {
	if f := math.Float32frombits(bits); f != f {
		return "nan"
	}
	return fmt.Sprintf("%08x", bits)
}

func f64Form(bits uint64) any {
	if f := math.Float64frombits(bits); f != f {
		return "nan"
	}
	return fmt.Sprintf("%016x", bits)
}
