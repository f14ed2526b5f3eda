package rewrite

// An instance that will be put into an image gets all of its memory and globals from there, and
// what its start had to do was done when the image was made. So the added function begin, which
// takes the place of the start function, asks the host whether to start at all; and it is begin
// that writes the data segments, which the engine would write in any case.

// begins says whether there is anything to begin with.
func (w *rewriter) begins() bool { return w.late || w.m.starts }

// beginBody is the added function that starts an instance.
func (w *rewriter) beginBody() []byte {
	b := appendU32([]byte{0, opCall}, w.point+1)
	b = append(b, opIf, blockVoid)
	for i, s := range w.merged {
		b = appendS64(append(b, opI32Const), int64(int32(s.offset)))
		b = appendS64(append(b, opI32Const, 0, opI32Const), int64(int32(len(s.bytes))))
		b = append(appendU32(append(b, opMisc, miscMemoryInit), uint32(i)), 0)
	}
	if w.m.starts {
		b = appendU32(append(b, opCall), w.fn(w.m.start))
	}
	b = append(b, opEnd, opEnd)
	return append(appendU32(nil, uint32(len(b))), b...)
}
