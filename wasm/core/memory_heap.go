//go:build !linux && !darwin

package core

// region is memory of the Go heap, where address space cannot be reserved.
type region struct {
	limit uint64
	bytes []byte
}

func reserve(size uint64) region { return region{limit: size} }

// use returns the first size bytes, zero where they are new; nil when that is not possible.
func (r *region) use(size uint64) []byte {
	if size > r.limit {
		return nil
	}
	if size > uint64(len(r.bytes)) {
		grown := make([]byte, size)
		copy(grown, r.bytes)
		r.bytes = grown
	}
	if r.bytes == nil {
		r.bytes = []byte{}
	}
	return r.bytes[:size:size]
}

func (r *region) free() { r.bytes = nil }
