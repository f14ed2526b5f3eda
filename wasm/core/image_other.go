//go:build !linux

package core

// pageFile exists where memory can be mapped copy-on-write.
type pageFile struct{}

// pageRegions is what only a mapping needs.
type pageRegions struct{}

func (pageFile) none() bool { return true }

func (img *Image) store(b []byte, _ Way) error {
	img.bytes = append([]byte(nil), b...)
	return nil
}

func (img *Image) free() error {
	img.bytes = nil
	return nil
}

func (r *region) clear(begin, end uint64, _ *Image) error { return r.zero(begin, end) }

func (r *region) mapImage(*Image) error { return nil }

func (r *region) dropWrites(*Image) error { return nil }
