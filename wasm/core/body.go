package core

// Weights of safe points. A point counts one, and one more for each pointBytes of code behind
// it: what a guest can do between two looks at its context stays small, whatever its code.
const (
	pointBytes = 2048
	leafBytes  = 32   // a function up to this size that neither calls nor loops needs no safe point
	bulkFree   = 1024 // bytes or elements one instruction may move without counting
	bulkShift  = 9    // 1<<bulkShift of them count as one point
)

// code rewrites every function body and adds those of yield and charge.
func (w *rewriter) code() []byte {
	size := 0
	for i := range w.m.bodies {
		size += len(w.m.bodies[i].bytes)
	}
	out := appendU32(make([]byte, 0, size+size/2), uint32(len(w.m.bodies)+addedFuncs))
	var buf []byte
	for i := range w.m.bodies {
		results := w.m.types[w.m.funcs[w.m.imported[Func]+i]].Results
		buf = w.body(buf[:0], &w.m.bodies[i], results)
		out = append(appendU32(out, uint32(len(buf))), buf...)
	}
	out = append(out, w.yieldBody()...)
	return append(out, w.chargeBody()...)
}

// body rewrites one function.
func (w *rewriter) body(out []byte, b *body, results []byte) []byte {
	entry := b.calls || len(b.bytes) > leafBytes
	if !entry && !b.refs && !b.bulk && len(b.loops) == 0 {
		return append(out, b.bytes...)
	}
	r := &reader{b: b.bytes, base: b.base}
	groups := r.u32()
	out = append(appendU32(out, groups+1), b.bytes[r.pos:b.code]...)
	out = append(out, 1, byte(0x7f)) // the scratch local
	w.scratch = uint32(b.locals)
	cost := int64(1 + len(b.bytes)/pointBytes)
	r.pos = b.code
	switch {
	case b.calls:
		out = w.appendBlock(w.appendEnter(out, cost), results)
		out = w.instructions(out, r, b)
		return append(w.appendLeave(append(out, opEnd)), opEnd)
	case entry:
		out = w.appendPoint(out, cost)
	}
	return append(w.instructions(out, r, b), opEnd)
}

// instructions copies the instructions of a body without its final end, moving function
// indexes, inserting safe points at loop heads and before bulk instructions and, in a body that
// counts its depth, sending every return through the end of the wrapping block.
func (w *rewriter) instructions(out []byte, r *reader, b *body) []byte {
	nesting, loop, copied := uint32(0), 0, r.pos
	for {
		start := r.pos
		op, misc := r.instruction(w.m)
		switch op {
		case opBlock, opIf:
			nesting++
		case opLoop:
			nesting++
			out = append(out, r.b[copied:r.pos]...)
			copied = r.pos
			out = w.appendPoint(out, int64(1+b.loops[loop]/pointBytes))
			loop++
		case opEnd:
			if nesting == 0 {
				return append(out, r.b[copied:start]...)
			}
			nesting--
		case opCall, opRefFunc, opReturnCall:
			out = append(out, r.b[copied:start]...)
			if op == opReturnCall {
				out = w.appendLeave(out)
			}
			index := &reader{b: r.b[start+1 : r.pos]}
			out = appendU32(append(out, op), w.fn(index.u32()))
			copied = r.pos
		case opReturnCallIndirect:
			out = w.appendLeave(append(out, r.b[copied:start]...))
			copied = start
		case opReturn:
			if b.calls {
				out = appendU32(append(append(out, r.b[copied:start]...), opBr), nesting)
				copied = r.pos
			}
		case opMisc:
			if isBulk(misc) {
				out = w.appendCharge(append(out, r.b[copied:start]...))
				copied = start
			}
		}
	}
}

// appendPoint appends a safe point: slice -= cost, and below zero the call that leaves to Go.
func (w *rewriter) appendPoint(b []byte, cost int64) []byte {
	b = w.appendSpend(b, cost)
	return w.appendYieldIfNegative(b)
}

// appendSpend leaves slice - cost, which is also the new slice, on the stack.
func (w *rewriter) appendSpend(b []byte, cost int64) []byte {
	b = append(appendU32(append(b, opGlobalGet), w.slice), opI32Const)
	b = append(appendS64(b, cost), opI32Sub)
	b = appendU32(append(b, opLocalTee), w.scratch)
	b = appendU32(append(b, opGlobalSet), w.slice)
	return appendU32(append(b, opLocalGet), w.scratch)
}

func (w *rewriter) appendYieldIfNegative(b []byte) []byte {
	b = appendU32(append(b, opI32Const, 0, opI32LtS, opIf, blockVoid, opCall), w.yield)
	return append(b, opEnd)
}

// appendEnter appends depth -= 1 and a safe point, with one branch for both: yield finds out
// which of the two is below zero.
func (w *rewriter) appendEnter(b []byte, cost int64) []byte {
	b = append(appendU32(append(b, opGlobalGet), w.depth), opI32Const, 1, opI32Sub)
	b = appendU32(append(b, opLocalTee), w.scratch)
	b = appendU32(append(b, opGlobalSet), w.depth)
	b = appendU32(append(b, opLocalGet), w.scratch)
	return w.appendYieldIfNegative(append(w.appendSpend(b, cost), opI32Or))
}

// appendLeave appends depth += 1.
func (w *rewriter) appendLeave(b []byte) []byte {
	b = append(appendU32(append(b, opGlobalGet), w.depth), opI32Const, 1, opI32Add)
	return appendU32(append(b, opGlobalSet), w.depth)
}

// appendCharge appends the count of a bulk instruction, whose length is on the stack.
func (w *rewriter) appendCharge(b []byte) []byte {
	b = appendU32(append(b, opLocalTee), w.scratch)
	b = appendU32(append(b, opLocalGet), w.scratch)
	b = append(appendS64(append(b, opI32Const), bulkFree), opI32GeU, opIf, blockVoid)
	b = appendU32(append(b, opLocalGet), w.scratch)
	return append(appendU32(append(b, opCall), w.charge), opEnd)
}

// appendBlock appends the block that a body that counts its depth is wrapped in, so that every
// way out of the function but a trap passes the end of it. Labels keep their numbers.
func (w *rewriter) appendBlock(b, results []byte) []byte {
	b = append(b, opBlock)
	switch len(results) {
	case 0:
		return append(b, blockVoid)
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

// yieldBody is the added function that ends a slice: tell the host, count, refill. The host
// does not return when the guest must end.
func (w *rewriter) yieldBody() []byte {
	b := append(appendU32([]byte{0, opGlobalGet}, w.depth), opI32Const, 0, opI32LtS, opIf, blockVoid, opI32Const, pointDepth)
	b = append(appendU32(append(b, opCall), w.point), opUnreachable, opEnd)
	b = appendU32(append(b, opI32Const, pointSlice, opCall), w.point)
	b = appendU32(append(b, opGlobalGet), w.used)
	b = appendS64(append(b, opI32Const), Slice)
	b = append(appendU32(append(b, opGlobalGet), w.slice), opI32Sub, opI64ExtendI32S, opI64Add)
	b = appendU32(append(b, opGlobalSet), w.used)
	b = appendS64(append(b, opI32Const), Slice)
	b = append(appendU32(append(b, opGlobalSet), w.slice), opEnd)
	return append(appendU32(nil, uint32(len(b))), b...)
}

// chargeBody is the added function that counts a bulk instruction of the given length.
func (w *rewriter) chargeBody() []byte {
	b := appendU32([]byte{0, opGlobalGet}, w.slice)
	b = append(b, opLocalGet, 0, opI32Const, bulkShift, opI32ShrU, opI32Sub, opLocalTee, 0)
	b = appendU32(append(b, opGlobalSet), w.slice)
	b = w.appendYieldIfNegative(append(b, opLocalGet, 0))
	b = append(b, opEnd)
	return append(appendU32(nil, uint32(len(b))), b...)
}
