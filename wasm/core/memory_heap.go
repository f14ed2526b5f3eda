//go:build !linux && !darwin

package core

import "errors"

// region is memory of the Go heap, where address space cannot be reserved. It moves when it
// grows, which the engine notices.
type region struct {
	limit uint64
	heap  []byte
}

var errTooBig = errors.New("past the most it may grow to")

func reserve(size uint64) (region, error) { return region{limit: size}, nil }

// use returns the first size bytes, zero where they are new.
func (r *region) use(size uint64) ([]byte, error) {
	if size > r.limit {
		return nil, errTooBig
	}
	if size > uint64(len(r.heap)) {
		grown := make([]byte, size)
		copy(grown, r.heap)
		r.heap = grown
	}
	if size == 0 {
		return []byte{}, nil
	}
	return r.heap[:size:size], nil
}

// bytes returns the first size bytes, which are in use.
func (r *region) bytes(size uint64) []byte { return r.heap[:size:size] }

// zero clears the bytes from begin to end, which are in use.
func (r *region) zero(begin, end uint64) error {
	clear(r.heap[begin:end])
	return nil
}

func (r *region) free() { r.heap = nil }
