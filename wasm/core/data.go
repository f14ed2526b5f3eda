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

// data merges neighbouring active segments. That is sound when segments are not addressed by
// instructions (no data count section), the memory is the module's own and therefore zero, and
// offsets ascend, so that no segment writes into a gap.
func (w *rewriter) data(r *reader) []byte {
	whole := append([]byte{}, r.b...)
	if w.m.bulkData || !w.m.hasMemory {
		return whole
	}
	var merged []segment
	for range r.count("data segments", w.m.limits.Segments) {
		if r.u32() != 0 || r.byte() != 0x41 {
			return whole
		}
		offset := uint32(r.s64(32))
		if r.byte() != 0x0b {
			return whole
		}
		bytes := r.take(r.count("bytes of data", 1<<30))
		last := len(merged) - 1
		if last < 0 {
			merged = append(merged, segment{offset: offset, bytes: bytes})
			continue
		}
		end := uint64(merged[last].offset) + uint64(len(merged[last].bytes))
		if uint64(offset) < end {
			return whole
		}
		if gap := uint64(offset) - end; gap <= mergeGap {
			merged[last].join(int(gap), bytes)
			continue
		}
		merged = append(merged, segment{offset: offset, bytes: bytes})
	}
	if r.more() {
		return whole
	}
	out := appendU32(nil, uint32(len(merged)))
	for _, s := range merged {
		out = append(append(out, 0, 0x41), appendS64(nil, int64(int32(s.offset)))...)
		out = append(appendU32(append(out, 0x0b), uint32(len(s.bytes))), s.bytes...)
	}
	return out
}

// join appends gap zeros and bytes.
func (s *segment) join(gap int, bytes []byte) {
	if !s.copied {
		s.bytes, s.copied = append([]byte{}, s.bytes...), true
	}
	s.bytes = append(append(s.bytes, make([]byte, gap)...), bytes...)
}
