package core

// code rewrites every function body and adds the one that ends a slice.
func (w *rewriter) code(r *reader) []byte {
	n := r.count("bodies", w.m.limits.Functions)
	if n+w.m.imported[Func] != len(w.m.funcs) {
		r.invalid("%d functions have %d bodies", len(w.m.funcs)-w.m.imported[Func], n)
	}
	out := appendU32(make([]byte, 0, len(r.b)+len(r.b)/4), uint32(n+1))
	var body []byte
	for i := range n {
		src := r.sub(int(r.u32()))
		results := w.m.types[w.m.funcs[w.m.imported[Func]+i]].Results
		body = w.body(body[:0], src, results)
		out = append(appendU32(out, uint32(len(body))), body...)
	}
	return append(out, w.yieldBody()...)
}

// yieldBody is the added function, with its length: tell the host, count and refill.
func (w *rewriter) yieldBody() []byte {
	b := []byte{0, 0x41, pointSlice, 0x10}
	b = appendU32(b, w.point)
	b = appendU32(append(b, 0x23), w.used)
	b = append(appendS64(append(b, 0x42), Slice), 0x7c)
	b = appendU32(append(b, 0x24), w.used)
	b = appendS64(append(b, 0x41), Slice)
	b = appendU32(append(b, 0x24), w.slice)
	b = append(b, 0x0b)
	return append(appendU32(nil, uint32(len(b))), b...)
}

// appendPoint appends a safe point: slice--, and at zero the call that leaves to Go.
func (w *rewriter) appendPoint(b []byte) []byte {
	b = appendU32(append(b, 0x23), w.slice)
	b = appendU32(append(b, 0x41, 1, 0x6b, 0x24), w.slice)
	b = appendU32(append(b, 0x23), w.slice)
	b = appendU32(append(b, 0x45, 0x04, 0x40, 0x10), w.yield)
	return append(b, 0x0b)
}

// appendEnter appends depth--, and at zero the call that refuses.
func (w *rewriter) appendEnter(b []byte) []byte {
	b = appendU32(append(b, 0x23), w.depth)
	b = appendU32(append(b, 0x41, 1, 0x6b, 0x24), w.depth)
	b = appendU32(append(b, 0x23), w.depth)
	b = appendU32(append(b, 0x45, 0x04, 0x40, 0x41, pointDepth, 0x10), w.point)
	return append(b, 0x00, 0x0b)
}

// appendLeave appends depth++.
func (w *rewriter) appendLeave(b []byte) []byte {
	b = appendU32(append(b, 0x23), w.depth)
	return appendU32(append(b, 0x41, 1, 0x6a, 0x24), w.depth)
}

// appendBlock appends the block that a counted body is wrapped in, so that every way out of the
// function but a trap passes the end of it.
func (w *rewriter) appendBlock(b, results []byte) []byte {
	b = append(b, 0x02)
	switch len(results) {
	case 0:
		return append(b, 0x40)
	case 1:
		return append(b, results[0])
	}
	t, ok := w.blocks[string(results)]
	if !ok {
		t = w.addType(append(appendU32([]byte{0x60, 0}, uint32(len(results))), results...))
		w.blocks[string(results)] = t
	}
	return appendS64(b, int64(t))
}

// body rewrites one function. One that neither calls nor loops ends by itself, and soon: it
// stays as it is.
func (w *rewriter) body(out []byte, r *reader, results []byte) []byte {
	for range r.count("local declarations", 50_000) {
		r.u32()
		valueType(r)
	}
	head := r.pos
	calls, loops := w.scan(r)
	out = append(out, r.b[:head]...)
	if !calls && !loops {
		return append(out, r.b[head:]...)
	}
	if calls {
		out = w.appendBlock(w.appendPoint(w.appendEnter(out)), results)
	}
	r.pos = head
	out = w.instructions(out, r, calls)
	if calls {
		out = append(w.appendLeave(append(out, 0x0b)), 0x0b)
	} else {
		out = append(out, 0x0b)
	}
	return out
}

// scan walks a body to its end and says what it contains.
func (w *rewriter) scan(r *reader) (calls, loops bool) {
	depth := 0
	for r.more() {
		switch op := r.instruction(w.m); op {
		case opBlock, opIf:
			depth++
		case opLoop:
			depth++
			loops = true
		case opCall, opCallIndirect, opReturnCall, opReturnCallIndirect:
			calls = true
		case opRefFunc:
			calls = true // its index moves
		case opEnd:
			if depth--; depth < 0 && r.more() {
				r.invalid("instructions follow the end of a function")
			}
		}
	}
	if depth != -1 {
		r.invalid("a function body has no end")
	}
	return calls, loops
}

// instructions copies the instructions of a body without its final end, moving function
// indexes, inserting safe points at loop heads and, in a counted body, sending every return
// through the end of the wrapping block.
func (w *rewriter) instructions(out []byte, r *reader, counted bool) []byte {
	nesting := uint32(0)
	for {
		start := r.pos
		op := r.instruction(w.m)
		raw := r.b[start:r.pos]
		switch op {
		case opBlock, opIf:
			nesting++
		case opLoop:
			nesting++
			out = w.appendPoint(append(out, raw...))
			continue
		case opEnd:
			if nesting == 0 {
				return out
			}
			nesting--
		case opCall, opRefFunc:
			out = w.moved(append(out, op), raw)
			continue
		case opReturnCall:
			out = w.moved(append(w.appendLeave(out), op), raw)
			continue
		case opReturnCallIndirect:
			out = w.appendLeave(out)
		case opReturn:
			if counted {
				out = appendU32(append(out, opBr), nesting)
				continue
			}
		}
		out = append(out, raw...)
	}
}

// moved appends the new index of the function that an instruction names.
func (w *rewriter) moved(out, raw []byte) []byte {
	index := &reader{b: raw[1:]}
	return appendU32(out, w.fn(index.u32()))
}
