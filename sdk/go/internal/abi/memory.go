package abi

import (
	"encoding/binary"
	"unsafe"
)

// Arena is the memory the host and the component hand each other during one call: blocks by address. A block lives
// until Free. Small blocks from the host lie in handover, which the componentiser's realloc fills.
type Arena struct {
	blocks []block
	addr   func([]byte) uint32 // where a block lies

	handover   []byte // begins with the two words of its header; may be nil
	handoverAt uint32
}

type block struct {
	at uint32
	b  []byte
}

// Alloc gives n zeroed bytes on an 8-byte boundary and their address; the address of no bytes
// is 8.
func (a *Arena) Alloc(n uint32) (uint32, []byte) {
	if n == 0 {
		return 8, nil
	}
	if a.handover != nil && a.handover[4] != 0 {
		a.handover[4] = 0
		a.forget()
	}
	b := aligned(n)
	p := a.addr(b)
	a.blocks = append(a.blocks, block{p, b})
	return p, b
}

// Grow is realloc: it keeps what was in the block at old.
func (a *Arena) Grow(old, size uint32) uint32 {
	p, b := a.Alloc(size)
	if old != 0 {
		copy(b, a.whole(old))
	}
	return p
}

// whole is the block that begins at p, to its end.
func (a *Arena) whole(p uint32) []byte {
	if off := p - a.handoverAt; p >= a.handoverAt+HandoverBegin && uint64(off) < uint64(len(a.handover)) {
		return a.handover[off:]
	}
	for i := len(a.blocks) - 1; i >= 0; i-- {
		if a.blocks[i].at == p {
			return a.blocks[i].b
		}
	}
	return nil
}

// Bytes is what the host wrote at p: n bytes of a block that starts there. It is nil when
// there is no such block.
func (a *Arena) Bytes(p, n uint32) []byte {
	if b := a.whole(p); uint32(len(b)) >= n {
		return b[:n:n]
	}
	return nil
}

// Free forgets every block.
func (a *Arena) Free() {
	a.forget()
	if a.handover != nil {
		clear(a.handover[:8])
	}
}

func (a *Arena) forget() {
	clear(a.blocks)
	a.blocks = a.blocks[:0]
}

// Reader walks a canonical record in memory; every read aligns itself.
type Reader struct {
	a   *Arena
	b   []byte
	off uint32
}

// Read begins at the n bytes at p.
func (a *Arena) Read(p, n uint32) *Reader { return &Reader{a: a, b: a.Bytes(p, n)} }

func (r *Reader) take(n, align uint32) []byte {
	at := (r.off + align - 1) &^ (align - 1)
	r.off = at + n
	if uint32(len(r.b)) < r.off {
		return make([]byte, n)
	}
	return r.b[at:r.off]
}

// U32 reads a u32.
func (r *Reader) U32() uint32 { return binary.LittleEndian.Uint32(r.take(4, 4)) }

// U64 reads a u64.
func (r *Reader) U64() uint64 { return binary.LittleEndian.Uint64(r.take(8, 8)) }

// Bytes reads a list<u8>, without a copy.
func (r *Reader) Bytes() []byte {
	p := r.U32()
	return r.a.Bytes(p, r.U32())
}

// String reads a string.
func (r *Reader) String() string { return string(r.Bytes()) }

// OptString reads an option<string>; none is empty.
func (r *Reader) OptString() string {
	some := r.take(4, 4)[0] == 1
	s := r.String()
	if !some {
		return ""
	}
	return s
}

// Tag reads the discriminant of a variant whose payload has the given alignment.
func (r *Reader) Tag(align uint32) byte { return r.take(align, align)[0] }

// Writer builds a canonical record in memory; every write aligns itself.
type Writer struct {
	a   *Arena
	p   uint32
	b   []byte
	off uint32
}

// Write begins a record of n bytes.
func (a *Arena) Write(n uint32) *Writer {
	p, b := a.Alloc(n)
	return &Writer{a: a, p: p, b: b}
}

// Addr is where the record lies.
func (w *Writer) Addr() uint32 { return w.p }

func (w *Writer) place(n, align uint32) []byte {
	at := (w.off + align - 1) &^ (align - 1)
	w.off = at + n
	return w.b[at:w.off]
}

// U32 writes a u32.
func (w *Writer) U32(v uint32) { binary.LittleEndian.PutUint32(w.place(4, 4), v) }

// U64 writes a u64.
func (w *Writer) U64(v uint64) { binary.LittleEndian.PutUint64(w.place(8, 8), v) }

// Bool writes a bool.
func (w *Writer) Bool(v bool) {
	if b := w.place(1, 1); v {
		b[0] = 1
	}
}

// Tag writes the discriminant of a variant whose payload has the given alignment.
func (w *Writer) Tag(v byte, align uint32) { w.place(align, align)[0] = v }

// Bytes writes a list<u8>.
func (w *Writer) Bytes(v []byte) {
	p, b := w.a.Alloc(uint32(len(v)))
	copy(b, v)
	w.U32(p)
	w.U32(uint32(len(v)))
}

// String writes a string.
func (w *Writer) String(v string) { w.Bytes([]byte(v)) }

// OptString writes an option<string>; empty is none.
func (w *Writer) OptString(v string) {
	if v == "" {
		w.Skip(12, 4)
		return
	}
	w.Tag(1, 4)
	w.String(v)
}

// Skip leaves n bytes zero: none of an option of that size.
func (w *Writer) Skip(n, align uint32) { w.place(n, align) }

// List writes a list of count records of size bytes each, with each writing one.
func (w *Writer) List(count int, size uint32, each func(w *Writer, i int)) {
	items := w.a.Write(uint32(count) * size)
	for i := range count {
		items.off = uint32(i) * size
		each(items, i)
	}
	w.U32(items.p)
	w.U32(uint32(count))
}

// Pointer is the record for a call out of the guest; it stays valid while w does.
func (w *Writer) Pointer() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(w.b)) }
