//go:build linux || darwin

package core

import "golang.org/x/sys/unix"

// region is address space without access, of which use makes a prefix readable and writable.
type region struct {
	space []byte
	open  int
}

// reserve takes address space; nothing is paid for until pages are touched. A failure shows
// when the region is used.
func reserve(size uint64) region {
	if size == 0 {
		return region{}
	}
	space, err := unix.Mmap(-1, 0, int(size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return region{}
	}
	return region{space: space}
}

// use returns the first size bytes, zero where they are new; nil when that is not possible.
func (r *region) use(size uint64) []byte {
	if size > uint64(len(r.space)) {
		return nil
	}
	if size == 0 {
		return []byte{}
	}
	if int(size) > r.open {
		if unix.Mprotect(r.space[:size], unix.PROT_READ|unix.PROT_WRITE) != nil {
			return nil
		}
		r.open = int(size)
	}
	return r.space[:size:size]
}

func (r *region) free() {
	if r.space != nil {
		_ = unix.Munmap(r.space)
		r.space = nil
	}
}
