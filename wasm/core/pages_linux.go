package core

import (
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// written calls f with each run of pages of b that were written to and returns their number. A
// page that was is present or swapped out and not a page of a file. b is a mapping of whole pages.
func (p *pageFile) written(b []byte, found *pageRegions, f func(begin, end int)) (pages int, err error) {
	if p.scan {
		return p.scanPages(b, found, f)
	}
	return p.readPages(b, f)
}

// copyWritten copies back the pages of a mapping of img that were written to.
func (img *Image) copyWritten(mapped []byte, found *pageRegions) (pages int, err error) {
	return img.pages.written(mapped, found, func(begin, end int) { copy(mapped[begin:end], img.bytes[begin:]) })
}

// The ioctl PAGEMAP_SCAN of Linux 6.7 (include/uapi/linux/fs.h): the kernel answers with the
// regions that fit instead of an entry for each page.
const (
	pagemapScan = 0xc0606610
	pageIsFile  = 1 << 2
	pageIsThere = 1<<3 | 1<<4 // present, swapped
)

type pageScan struct {
	size, flags, start, end, walkEnd, vec, vecLen, maxPages uint64

	inverted, all, any, wanted uint64 // categories
}

// pageRegions is where the kernel writes its answer. It must not move, so it lives on the heap.
type pageRegions [32]struct{ start, end, categories uint64 }

//go:noinline
func newPageRegions() *pageRegions { return new(pageRegions) } // not inlined: on the heap for sure

func (p *pageFile) scanPages(b []byte, found *pageRegions, f func(begin, end int)) (pages int, err error) {
	base := uint64(uintptr(unsafe.Pointer(&b[0])))
	scan := pageScan{
		start: base, end: base + uint64(len(b)), vec: uint64(uintptr(unsafe.Pointer(found))), vecLen: uint64(len(found)),
		inverted: pageIsFile, all: pageIsFile, any: pageIsThere, wanted: pageIsThere,
	}
	scan.size = uint64(unsafe.Sizeof(scan))
	defer runtime.KeepAlive(found)
	for scan.start < scan.end {
		n, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(p.pagemap.Fd()), pagemapScan, uintptr(unsafe.Pointer(&scan)))
		if errno != 0 {
			return pages, errno
		}
		for _, r := range found[:n] {
			f(int(r.start-base), int(r.end-base))
			pages += int(r.end-r.start) / os.Getpagesize()
		}
		if scan.walkEnd <= scan.start {
			return pages, errors.New("the scan of pages does not come to its end")
		}
		scan.start = scan.walkEnd
	}
	return pages, nil
}

// Bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst).
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageOfFile  = 1 << 61 // not copied
)

func (p *pageFile) readPages(b []byte, f func(begin, end int)) (written int, err error) {
	var entries [4096]byte
	size := os.Getpagesize()
	first := int64(uintptr(unsafe.Pointer(&b[0])) / uintptr(size))
	for page, pages := 0, len(b)/size; page < pages; {
		want := min(len(entries), (pages-page)*8)
		n, err := unix.Pread(int(p.pagemap.Fd()), entries[:want], (first+int64(page))*8)
		if err != nil {
			return written, err
		}
		if n < 8 {
			return written, errors.New("the page map ends too early")
		}
		for at := 0; at+8 <= n; at, page = at+8, page+1 {
			e := binary.NativeEndian.Uint64(entries[at:])
			if e&(pagePresent|pageSwapped) != 0 && e&pageOfFile == 0 {
				f(page*size, (page+1)*size)
				written++
			}
		}
	}
	return written, nil
}

// open finds the first way from way on to learn which pages of a mapping of img were written
// to, if there is one that tells the truth.
func (p *pageFile) open(img *Image, way Way) {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return
	}
	for _, scan := range []bool{true, false} {
		probe := &Image{bytes: img.bytes, pages: pageFile{file: p.file, pagemap: f, scan: scan}}
		if (!scan || way == ByScanning) && probe.truthful() {
			p.pagemap, p.scan = f, scan
			return
		}
	}
	_ = f.Close() // read only
}

// truthful writes to a page of a mapping and sees whether that page is found, and no other.
func (img *Image) truthful() bool {
	size := len(img.bytes)
	b, err := unix.Mmap(int(img.pages.file.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Munmap(b) }()
	last := size - 1
	_ = b[0]           // read: must not count
	b[last] = ^b[last] // written: must
	n, err := img.copyWritten(b, newPageRegions())
	return err == nil && n == 1 && b[last] == img.bytes[last]
}
