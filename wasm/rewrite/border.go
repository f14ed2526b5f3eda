package rewrite

import (
	"math"

	"github.com/tetratelabs/wazero/api"
)

// Shape is the type of a table, memory or global that a module imports or exports, as the
// module declares it. The zero value stands for a function.
type Shape struct {
	Value    api.ValueType // of a table's elements or of a global; 0 for a memory
	Mutable  bool          // a global
	Min, Max uint32        // elements of a table, pages of a memory
	Bounded  bool          // Max is given
}

// Fits says whether something of shape s may stand where want is declared (core specification
// 3.4, import matching). Both are of one kind.
func (s Shape) Fits(want Shape) bool {
	return s.Value == want.Value && s.Mutable == want.Mutable && s.Min >= want.Min &&
		(!want.Bounded || s.Bounded && s.Max <= want.Max)
}

// Border gives the shapes of the imports and of the exports, in order.
func (m *Module) Border() (imports, exports []Shape, err error) {
	defer recoverFailure(&err)
	var all [Global + 1][]Shape // by kind and index
	for i := range m.Imports {
		imp := &m.Imports[i]
		s := Shape{}
		if imp.Kind != Func {
			s = shape(&reader{b: imp.raw, pos: 1}, imp.Kind)
			all[imp.Kind] = append(all[imp.Kind], s)
		}
		imports = append(imports, s)
	}
	for _, s := range m.sections {
		r := &reader{b: s.body, base: s.base}
		switch s.id {
		case secTable:
			for range r.count("tables", m.limits.Tables) {
				all[Table] = append(all[Table], shape(r, Table))
			}
		case secMemory:
			for range r.count("memories", 1) {
				all[Memory] = append(all[Memory], shape(r, Memory))
			}
		}
	}
	for _, g := range m.defined {
		all[Global] = append(all[Global], Shape{Value: g.valueType, Mutable: g.mutable})
	}
	for _, e := range m.Exports {
		s := Shape{}
		if e.Kind != Func {
			s = all[e.Kind][e.Index]
		}
		exports = append(exports, s)
	}
	return imports, exports, nil
}

func shape(r *reader, k Kind) (s Shape) {
	switch k {
	case Global:
		return Shape{Value: valueType(r), Mutable: mutability(r)}
	case Table:
		s.Value = valueType(r)
	}
	s.Bounded = r.pos < len(r.b) && r.b[r.pos]&1 != 0
	s.Min, s.Max = limits(r, math.MaxUint32)
	if !s.Bounded {
		s.Max = 0
	}
	return s
}
