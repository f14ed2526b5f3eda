package rewrite

import (
	"cmp"
	"slices"
)

// mergeGap is how many zero bytes may be written to join two data segments: each segment
// costs the engine memory and time per instance.
const mergeGap = 64

// segment is a data segment.
type segment struct {
	raw    []byte // as it stands in the module
	bytes  []byte // its contents
	offset uint32 // where in memory 0
	fixed  bool   // active, at the constant offset
	copied bool   // bytes are the rewriter's own and may grow
}

// parseData reads the data section.
func (m *Module) parseData(r *reader) {
	same := &rewriter{m: m, point: 1<<32 - 1}
	for range r.count("data segments", m.limits.Segments) {
		start := r.pos
		var s segment
		switch flags := r.u32(); flags {
		case 2:
			r.below(r.u32(), m.memories, "memory")
			fallthrough
		case 0:
			r.below(0, m.memories, "memory")
			expr := &reader{b: same.constant(r, nil)}
			if s.fixed = expr.byte() == opI32Const; s.fixed {
				s.offset = uint32(expr.s64(32))
				s.fixed = expr.byte() == opEnd
			}
		case 1:
		default:
			r.invalid("data segment of form %d", flags)
		}
		s.bytes = r.take(r.count("bytes of data", 1<<30))
		s.raw = r.b[start:r.pos]
		m.segments = append(m.segments, s)
	}
}

// data is the data section, with neighbouring segments merged where nobody can tell. Merged ones
// are passive: begin writes them.
func (w *rewriter) data() []byte {
	if w.late {
		out := appendU32(nil, uint32(len(w.merged)))
		for _, s := range w.merged {
			out = append(appendU32(append(out, 1), uint32(len(s.bytes))), s.bytes...)
		}
		return out
	}
	out := appendU32(nil, uint32(len(w.m.segments)))
	for _, s := range w.m.segments {
		out = append(out, s.raw...)
	}
	return out
}

// merge joins segments that touch or nearly touch, in the order of their offsets. That is sound
// when no instruction addresses segments, the memory is the module's own and therefore zero, and
// no two of them overlap: then neither their order nor the zeros between them make a difference.
func (w *rewriter) merge() (merged []segment, ok bool) {
	if w.m.effects.segments || w.m.memory == nil || len(w.m.segments) == 0 {
		return nil, false
	}
	sorted := slices.Clone(w.m.segments)
	slices.SortStableFunc(sorted, func(a, b segment) int { return cmp.Compare(a.offset, b.offset) })
	for _, s := range sorted {
		if !s.fixed {
			return nil, false
		}
		if len(merged) == 0 {
			merged = append(merged, s)
			continue
		}
		last := &merged[len(merged)-1]
		end := uint64(last.offset) + uint64(len(last.bytes))
		switch gap := uint64(s.offset) - end; {
		case uint64(s.offset) < end:
			return nil, false
		case gap <= mergeGap:
			last.join(int(gap), s.bytes)
		default:
			merged = append(merged, s)
		}
	}
	return merged, true
}

// join appends gap zeros and bytes.
func (s *segment) join(gap int, bytes []byte) {
	if !s.copied {
		s.bytes, s.copied = append([]byte{}, s.bytes...), true
	}
	s.bytes = append(append(s.bytes, make([]byte, gap)...), bytes...)
}
