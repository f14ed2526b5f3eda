package abi

import "testing"

// newArena gives blocks made-up addresses.
func newArena() *Arena {
	next := uint32(1024)
	return &Arena{addr: func(b []byte) uint32 {
		p := next
		next += uint32(len(b)+7) &^ 7
		return p
	}}
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	a := newArena()
	w := a.Write(64)
	w.String("ä")
	w.OptString("")
	w.Bool(true)
	w.U64(1 << 40)
	w.List(2, 8, func(w *Writer, i int) { w.String([]string{"x", "yz"}[i]) })
	r := a.Read(w.Addr(), 64)
	text, none, yes, big := r.String(), r.OptString(), r.Tag(1), r.U64()
	at, n := r.U32(), r.U32()
	items := a.Read(at, 8*n)
	if text != "ä" || none != "" || yes != 1 || big != 1<<40 || n != 2 || items.String() != "x" || items.String() != "yz" {
		t.Errorf("%q %q %d %d %d", text, none, yes, big, n)
	}
}

func TestForgedAddressesReadAsNothing(t *testing.T) {
	a := newArena()
	p, _ := a.Alloc(8)
	if a.Bytes(p, 9) != nil || a.Bytes(p+1, 1) != nil || len(a.Bytes(p, 8)) != 8 {
		t.Error("bytes outside of a block were given")
	}
	if r := a.Read(99, 100); r.String() != "" || r.U64() != 0 {
		t.Error("a record that is not there has content")
	}
}

func TestReallocKeepsTheContent(t *testing.T) {
	a := newArena()
	p, b := a.Alloc(3)
	copy(b, "abc")
	q := a.Grow(p, 10)
	if string(a.Bytes(q, 3)) != "abc" {
		t.Error("the content was lost")
	}
	a.Free()
	if a.Bytes(q, 1) != nil {
		t.Error("a freed block is still there")
	}
}

// The componentiser's realloc puts blocks there and counts them in the first word.
func TestWhatTheHostHandsOverIsReadWhereItLies(t *testing.T) {
	a := newArena()
	a.handover, a.handoverAt = make([]byte, HandoverSize), 4096
	copy(a.handover[HandoverBegin:], "abcdef")
	a.handover[0] = 8
	at := a.handoverAt + HandoverBegin
	if string(a.Bytes(at, 3)) != "abc" || string(a.Bytes(at+3, 3)) != "def" || a.Bytes(at, HandoverSize) != nil || a.Bytes(a.handoverAt, 4) != nil {
		t.Error("the blocks are read otherwise")
	}
	if string(a.Bytes(a.Grow(at, 4), 4)) != "abcd" {
		t.Error("realloc lost the content")
	}
	a.Free()
	if a.handover[0] != 0 {
		t.Error("the room is not given back")
	}
	old, _ := a.Alloc(8)
	a.handover[4] = 1 // the componentiser's post-return
	if p, _ := a.Alloc(8); a.Bytes(old, 1) != nil || a.Bytes(p, 8) == nil || a.handover[4] != 0 {
		t.Error("a block outlives its call")
	}
}
