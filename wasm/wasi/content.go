package wasi

import "slices"

const pageSize = 4096

// content is what a scratch file holds. Pages nobody wrote to are nil and read as zeroes, so
// that a size alone takes no memory.
type content struct {
	size  int64
	pages []*[pageSize]byte
}

// at copies what stands at an offset, at most n bytes.
func (f *content) at(offset int64, n int) []byte {
	if offset >= f.size {
		return []byte{}
	}
	b := make([]byte, min(int64(n), f.size-offset))
	for done := 0; done < len(b); {
		page, from := f.pages[offset/pageSize], int(offset%pageSize)
		part := min(pageSize-from, len(b)-done)
		if page != nil {
			copy(b[done:done+part], page[from:])
		}
		done, offset = done+part, offset+int64(part)
	}
	return b
}

// resize cuts the file or adds zeroes.
func (f *content) resize(size int64) {
	pages := int((size + pageSize - 1) / pageSize)
	if pages > len(f.pages) {
		f.pages = append(f.pages, make([]*[pageSize]byte, pages-len(f.pages))...)
	}
	clear(f.pages[pages:])
	f.pages = f.pages[:pages]
	if tail := size % pageSize; size < f.size && tail > 0 && f.pages[pages-1] != nil {
		clear(f.pages[pages-1][tail:])
	}
	if cap(f.pages) > 4*pages+64 {
		f.pages = slices.Clone(f.pages)
	}
	f.size = size
}

// put writes b at an offset; the file is long enough.
func (f *content) put(b []byte, offset int64) {
	for len(b) > 0 {
		i, from := offset/pageSize, offset%pageSize
		if f.pages[i] == nil {
			f.pages[i] = new([pageSize]byte)
		}
		n := copy(f.pages[i][from:], b)
		b, offset = b[n:], offset+int64(n)
	}
}
