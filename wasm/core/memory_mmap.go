//go:build linux || darwin

package core

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// region is address space without access, of which use makes a prefix readable and writable.
type region struct {
	space []byte
	open  int
	found *pageRegions // pages that were written to; see dropWrites
}

var errTooBig = errors.New("past the space reserved for it")

// reserve takes address space; nothing is paid for until pages are touched.
func reserve(size uint64) (region, error) {
	if size == 0 {
		return region{}, nil
	}
	if uint64(int(size)) != size || int(size) < 0 {
		return region{}, errTooBig
	}
	space, err := unix.Mmap(-1, 0, int(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	return region{space: space}, err
}

// use returns the first size bytes, zero where they are new.
func (r *region) use(size uint64) ([]byte, error) {
	if size > uint64(len(r.space)) {
		return nil, errTooBig
	}
	if size == 0 {
		return []byte{}, nil
	}
	if int(size) > r.open {
		if err := unix.Mprotect(r.space[r.open:size], unix.PROT_READ|unix.PROT_WRITE); err != nil {
			return nil, err
		}
		r.open = int(size)
	}
	return r.space[:size:size], nil
}

// bytes returns the first size bytes, which are in use.
func (r *region) bytes(size uint64) []byte { return r.space[:size:size] }

// zero clears the bytes from begin to end and gives back their pages. They may be part of a
// mapped image.
func (r *region) zero(begin, end uint64) error {
	_, err := unix.MmapPtr(-1, 0, unsafe.Pointer(&r.space[begin]), uintptr(end-begin),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_FIXED)
	return err
}

func (r *region) free() {
	if r.space != nil {
		_ = unix.Munmap(r.space) // fails only for arguments that are not a mapping
		r.space = nil
	}
}
