package canon

import "greentic.dev/wasm/binary"

// Shape is how a value lies in memory: for whoever writes guests. Sizes and offsets are bytes.
type Shape struct {
	Size, Align  int
	Offsets      []int // Record, Tuple: of the fields
	Discriminant int   // Variant, Option, Result, Enum: its size
	Payload      int   // the same: where the payload is
}

// ShapeOf computes the shape of t (spec: "Alignment", "Element Size").
func ShapeOf(t *binary.Type) Shape {
	c := compiler{seen: map[*binary.Type]*node{}}
	n := c.node(t)
	s := Shape{Size: int(n.size), Align: int(n.align), Discriminant: int(n.discSize), Payload: int(n.payload)}
	for _, f := range n.fields {
		s.Offsets = append(s.Offsets, int(f.offset))
	}
	return s
}

// TupleOf computes the shape of parameters that are passed in memory.
func TupleOf(fields []binary.Field) Shape {
	return ShapeOf(&binary.Type{Kind: binary.Tuple, Fields: fields})
}

// Spills says whether parameters go by one pointer to where they lie, and whether the result lies
// in memory: where the last core parameter of a lowered function says, or at what a lifted
// function returns.
func (s *Signature) Spills() (params, result bool) { return s.spillParams, s.spillResult }
