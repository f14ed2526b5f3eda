package core

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pageFile is an image in memory that instances map copy-on-write: a sealed file without a
// name, and the table in which the kernel says which pages a mapping has copied.
type pageFile struct {
	file    *os.File
	pagemap *os.File // nil where the kernel does not show it
	scan    bool     // the kernel finds the pages itself
}

func (p pageFile) none() bool { return p.file == nil }

// store keeps b: in a file that can be mapped if the system lets us, else as a copy.
func (img *Image) store(b []byte, way Way) error {
	if len(b) == 0 {
		return nil
	}
	if way < ByCopying && img.storeFile(b) == nil {
		if way <= ByPageMap {
			img.pages.open(img, way)
		}
		return nil
	}
	img.bytes = append([]byte(nil), b...)
	return nil
}

func (img *Image) storeFile(b []byte) (err error) {
	fd, err := unix.MemfdCreate("guest-image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "guest-image")
	defer func() {
		if err != nil {
			_ = f.Close() // the first failure is the one to tell
		}
	}()
	if err = f.Truncate(int64(len(b))); err != nil {
		return err
	}
	for _, r := range img.runs {
		if _, err = f.WriteAt(b[r.begin:r.end], int64(r.begin)); err != nil {
			return err
		}
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if _, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return err
	}
	if img.bytes, err = unix.Mmap(fd, 0, len(b), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return err
	}
	img.pages.file = f
	return nil
}

func (img *Image) free() error {
	if img.pages.none() {
		img.bytes = nil
		return nil
	}
	errs := []error{unix.Munmap(img.bytes), img.pages.file.Close()}
	if img.pages.pagemap != nil {
		errs = append(errs, img.pages.pagemap.Close())
	}
	img.bytes, img.pages = nil, pageFile{}
	return errors.Join(errs...)
}

// mapImage puts the image over the first bytes of the space.
func (r *region) mapImage(img *Image) error {
	_, err := unix.MmapPtr(int(img.pages.file.Fd()), 0, unsafe.Pointer(&r.space[0]), uintptr(img.size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	return err
}

// keepPages is how many pages an instance may keep copied between calls: a page that stays is
// not copied by a fault again, but costs memory.
const keepPages = 1024

// dropWrites undoes what was written to the mapped image.
func (r *region) dropWrites(img *Image) error {
	mapped := r.space[:img.size]
	if img.pages.pagemap == nil {
		return unix.Madvise(mapped, unix.MADV_DONTNEED)
	}
	n, err := img.copyWritten(mapped, r.answers())
	if err == nil && n > keepPages {
		err = unix.Madvise(mapped, unix.MADV_DONTNEED)
	}
	return err
}

// answers is where the kernel may write.
func (r *region) answers() *pageRegions {
	if r.found == nil {
		r.found = newPageRegions()
	}
	return r.found
}

// clear makes the bytes from begin to end zero. A few pages are cleared where they are, for a
// guest that has grown once grows again; img, which may be nil, knows which were used.
func (r *region) clear(begin, end uint64, img *Image) error {
	if img != nil && img.pages.pagemap != nil && end-begin <= keepPages*uint64(os.Getpagesize()) {
		tail := r.space[begin:end]
		if _, err := img.pages.written(tail, r.answers(), func(begin, end int) { clear(tail[begin:end]) }); err == nil {
			return nil
		}
	}
	return r.zero(begin, end)
}
