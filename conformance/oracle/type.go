package oracle

import (
	"fmt"
	"math"
)

// Type is a value type as the generator, the runners and the corpus see it: the kind by its WIT
// name and the parts that kind has. Records, variants, enums, flags and resources have a name,
// under which the interface of types exports them.
type Type struct {
	Kind  string   `json:"kind"` // "bool", "u8", …, "list", "record", "own", …
	Name  string   `json:"name,omitempty"`
	Elem  *Type    `json:"elem,omitempty"`  // list, option; ok of a result
	Err   *Type    `json:"err,omitempty"`   // result
	Types []*Type  `json:"types,omitempty"` // record, tuple: fields; variant: payloads, nil for none
	Names []string `json:"names,omitempty"` // record, variant, enum, flags
}

// Func is a function type. Params are named p0, p1, …, save that of methods: self.
type Func struct {
	Params []*Type `json:"params,omitempty"`
	Result *Type   `json:"result,omitempty"`
}

// Core value types.
const (
	i32 = 0x7f
	i64 = 0x7e
	f32 = 0x7d
	f64 = 0x7c
)

// Limits of flat calls (spec: MAX_FLAT_PARAMS, MAX_FLAT_RESULTS).
const (
	maxParams  = 16
	maxResults = 1
)

// The layout below is written from the specification and shares nothing with wasm/canon, which
// it helps to judge.

// cases is the payload types of a variant or of what stands for one (spec: despecialize).
func (t *Type) cases() []*Type {
	switch t.Kind {
	case "enum":
		return make([]*Type, len(t.Names))
	case "option":
		return []*Type{nil, t.Elem}
	case "result":
		return []*Type{t.Elem, t.Err}
	}
	return t.Types
}

func discriminantSize(cases int) uint32 {
	switch {
	case cases <= 1<<8:
		return 1
	case cases <= 1<<16:
		return 2
	}
	return 4
}

// align is the alignment of t (spec: Alignment).
func (t *Type) align() uint32 {
	switch t.Kind {
	case "bool", "s8", "u8":
		return 1
	case "s16", "u16":
		return 2
	case "s64", "u64", "f64":
		return 8
	case "record", "tuple":
		return maxAlign(t.Types)
	case "variant", "enum", "option", "result":
		return max(discriminantSize(len(t.cases())), maxAlign(t.cases()))
	case "flags":
		return t.size()
	}
	return 4
}

func maxAlign(types []*Type) uint32 {
	a := uint32(1)
	for _, t := range types {
		if t != nil {
			a = max(a, t.align())
		}
	}
	return a
}

// size is the number of bytes of t in memory (spec: Element Size).
func (t *Type) size() uint32 {
	switch t.Kind {
	case "record", "tuple":
		s := uint32(0)
		for _, f := range t.Types {
			s = aligned(s, f.align()) + f.size()
		}
		return aligned(s, t.align())
	case "variant", "enum", "option", "result":
		s := uint32(0)
		for _, c := range t.cases() {
			if c != nil {
				s = max(s, c.size())
			}
		}
		return aligned(t.payload()+s, t.align())
	case "flags":
		switch n := len(t.Names); {
		case n <= 8:
			return 1
		case n <= 16:
			return 2
		}
		return 4
	case "string", "list":
		return 8
	}
	return t.align()
}

// payload is the offset of the payload of a variant.
func (t *Type) payload() uint32 {
	return aligned(discriminantSize(len(t.cases())), maxAlign(t.cases()))
}

func aligned(n, align uint32) uint32 { return (n + align - 1) / align * align }

// flat is the core types of t (spec: Flattening).
func (t *Type) flat() []byte {
	switch t.Kind {
	case "s64", "u64":
		return []byte{i64}
	case "f32":
		return []byte{f32}
	case "f64":
		return []byte{f64}
	case "string", "list":
		return []byte{i32, i32}
	case "record", "tuple":
		return flatAll(t.Types)
	case "variant", "enum", "option", "result":
		var joined []byte
		for _, c := range t.cases() {
			if c == nil {
				continue
			}
			for i, ct := range c.flat() {
				if i == len(joined) {
					joined = append(joined, ct)
				} else {
					joined[i] = join(joined[i], ct)
				}
			}
		}
		return append([]byte{i32}, joined...)
	}
	return []byte{i32}
}

func flatAll(types []*Type) (flat []byte) {
	for _, t := range types {
		flat = append(flat, t.flat()...)
	}
	return flat
}

func join(a, b byte) byte {
	switch {
	case a == b:
		return a
	case a|b == i32|f32 && a != i64 && b != i64 && a != f64 && b != f64:
		return i32
	}
	return i64
}

// lifted is the core type of a function that canon lift wraps, lowered of one that canon lower
// makes.
func (f *Func) lifted() (params, results []byte) {
	params = f.coreParams()
	if f.Result != nil {
		if results = f.Result.flat(); len(results) > maxResults {
			results = []byte{i32}
		}
	}
	return params, results
}

func (f *Func) lowered() (params, results []byte) {
	params, results = f.lifted()
	if f.spillsResult() {
		return append(params, i32), nil
	}
	return params, results
}

func (f *Func) coreParams() []byte {
	if f.spillsParams() {
		return []byte{i32}
	}
	return flatAll(f.Params)
}

// FlatParams is the number of core values that the parameters flatten to.
func (f *Func) FlatParams() int { return len(flatAll(f.Params)) }

func (f *Func) spillsParams() bool { return f.FlatParams() > maxParams }

func (f *Func) spillsResult() bool { return f.Result != nil && len(f.Result.flat()) > maxResults }

// has reports whether t is or contains a type that ok accepts.
func (t *Type) has(ok func(*Type) bool) bool {
	if t == nil {
		return false
	}
	if ok(t) || t.Elem.has(ok) || t.Err.has(ok) {
		return true
	}
	for _, x := range t.Types {
		if x.has(ok) {
			return true
		}
	}
	return false
}

func of(kind string) *Type { return &Type{Kind: kind} }

// bits reads a number of the canonical form back into the bits of its core value.
func (t *Type) bits(v any) uint64 {
	switch t.Kind {
	case "bool":
		if v.(bool) {
			return 1
		}
		return 0
	case "s64", "u64":
		var n uint64
		if t.Kind == "s64" {
			var s int64
			fmt.Sscan(v.(string), &s)
			n = uint64(s)
		} else {
			fmt.Sscan(v.(string), &n)
		}
		return n
	case "f32":
		if v == "nan" {
			return uint64(math.Float32bits(float32(math.NaN())))
		}
		return hexBits(v)
	case "f64":
		if v == "nan" {
			return math.Float64bits(math.NaN())
		}
		return hexBits(v)
	case "flags":
		var n uint64
		for _, name := range v.([]any) {
			for i, have := range t.Names {
				if have == name {
					n |= 1 << i
				}
			}
		}
		return n
	}
	return uint64(v.(int64))
}

func hexBits(v any) (n uint64) {
	fmt.Sscanf(v.(string), "%x", &n)
	return n
}
