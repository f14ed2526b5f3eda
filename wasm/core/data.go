package core

// mergeGap is how many zero bytes may be written to join two data segments: each segment
// costs the engine memory and time per instance.
const mergeGap = 64

// segment is an active data segment of memory 0 at a constant offset.
type segment struct {
	offset uint32
	bytes  []byte
	copied bool // bytes are the rewriter's own and may grow
}

// data reads the data section to its end, so that the engine never sees a false count, and
// merges neighbouring active segments. That is sound when segments are not addressed by
// instructions (no data count section), the memory is the module's own and therefore zero, and
// offsets ascend, so that no segment writes into a gap.
func (w *rewriter) data(r *reader) []byte {
	merged, ok := []segment{}, !w.m.bulkData && w.m.hasMemory
	for range r.count("data segments", w.m.limits.Segments) {
		offset, constant := w.segmentOffset(r)
		bytes := r.take(r.count("bytes of data", 1<<30))
		ok = ok && constant
		if !ok {
			continue
		}
		last := len(merged) - 1
		if last < 0 {
			merged = append(merged, segment{offset: offset, bytes: bytes})
			continue
		}
		end := uint64(merged[last].offset) + uint64(len(merged[last].bytes))
		gap := uint64(offset) - end
		switch {
		case uint64(offset) < end:
			ok = false
		case gap <= mergeGap:
			merged[last].join(int(gap), bytes)
		default:
			merged = append(merged, segment{offset: offset, bytes: bytes})
		}
	}
	if !ok {
		return append([]byte{}, r.b...)
	}
	out := appendU32(nil, uint32(len(merged)))
	for _, s := range merged {
		out = append(append(out, 0, 0x41), appendS64(nil, int64(int32(s.offset)))...)
		out = append(appendU32(append(out, 0x0b), uint32(len(s.bytes))), s.bytes...)
	}
	return out
}

// segmentOffset reads the head of a segment; constant says that it is active at a known place.
func (w *rewriter) segmentOffset(r *reader) (offset uint32, constant bool) {
	switch flags := r.u32(); flags {
	case 1:
		return 0, false
	case 2:
		r.below(r.u32(), w.m.memories, "memory")
	case 0:
	default:
		r.invalid("data segment of form %d", flags)
	}
	expr := &reader{b: w.constant(r, nil)}
	if expr.byte() != 0x41 {
		return 0, false
	}
	offset = uint32(expr.s64(32))
	return offset, expr.byte() == 0x0b
}

// join appends gap zeros and bytes.
func (s *segment) join(gap int, bytes []byte) {
	if !s.copied {
		s.bytes, s.copied = append([]byte{}, s.bytes...), true
	}
	s.bytes = append(append(s.bytes, make([]byte, gap)...), bytes...)
}
