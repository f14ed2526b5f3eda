package rewrite

// Weights of bulk instructions.
const (
	bulkFree  = 1024 // bytes or elements one instruction may move without counting
	bulkShift = 9    // 1<<bulkShift of them count as one point
)

// The gauge is one global for two numbers, so that a safe point reads and writes once: the
// upper half is what is left of the slice, the lower half how many calls may still be nested.
// belowZero are the signs of both.
const belowZero = -1<<63 | 1<<31

// code rewrites every function body and adds those of yield, charge and begin.
func (w *rewriter) code() []byte {
	size := 0
	for i := range w.m.bodies {
		size += len(w.m.bodies[i].bytes)
	}
	out := appendU32(make([]byte, 0, size+size/2), uint32(len(w.m.bodies)+addedFuncs))
	var buf []byte
	for i := range w.m.bodies {
		results := w.m.types[w.m.funcs[w.m.imported[Func]+i]].Results
		buf = w.body(buf[:0], i, results)
		out = append(appendU32(out, uint32(len(buf))), buf...)
	}
	out = append(out, w.yieldBody()...)
	out = append(out, w.chargeBody()...)
	return append(out, w.beginBody()...)
}

// body rewrites one function.
func (w *rewriter) body(out []byte, i int, results []byte) []byte {
	b := &w.m.bodies[i]
	entry := w.weigh(i, 0) == heavy
	if !entry && !b.calls && !b.refs && !b.bulk && !b.loops && !b.lasts {
		return append(out, b.bytes...)
	}
	declared := &reader{b: b.bytes}
	groups := declared.u32()
	out = append(appendU32(out, groups+2), b.bytes[declared.pos:b.code]...)
	out = append(out, 1, 0x7e, 1, 0x7f) // the scratch locals
	w.scratch, w.length = uint32(b.locals), uint32(b.locals)+1
	cost := w.measure(b)
	r := b.instructions()
	w.counted = entry && b.calls
	if w.counted {
		out = w.appendBlock(w.appendEnter(out, cost), results)
		out = w.instructions(out, r)
		return append(w.appendLeave(append(out, opEnd)), opEnd)
	}
	if entry {
		out = w.appendPoint(out, cost)
	}
	return append(w.instructions(out, r), opEnd)
}

// instructions copies the instructions of a body without its final end, moving function
// indexes, inserting safe points at loop heads and before bulk instructions and, in a body that
// counts its depth, sending every return through the end of the wrapping block.
func (w *rewriter) instructions(out []byte, r *reader) []byte {
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
			out = w.appendPoint(out, w.loops[loop])
			loop++
		case opEnd:
			if nesting == 0 {
				return append(out, r.b[copied:start]...)
			}
			nesting--
		case opCall, opRefFunc, opReturnCall:
			out = append(out, r.b[copied:start]...)
			if op == opReturnCall && w.counted {
				out = w.appendLeave(out)
			}
			index := &reader{b: r.b[start+1 : r.pos]}
			out = appendU32(append(out, op), w.fn(index.u32()))
			copied = r.pos
		case opReturnCallIndirect: // such a function is always counted
			out = w.appendLeave(append(out, r.b[copied:start]...))
			copied = start
		case opReturn:
			if w.counted {
				out = appendU32(append(append(out, r.b[copied:start]...), opBr), nesting)
				copied = r.pos
			}
		case opMisc:
			if isBulk(misc) {
				out = w.appendCharge(append(out, r.b[copied:start]...))
				copied = start
			}
		}
		if lasting(op, misc) {
			out = append(append(out, r.b[copied:start]...), opI32Const, 1, opGlobalSet)
			out = appendU32(out, w.lasted)
			copied = start
		}
	}
}

// appendPoint appends a safe point: slice -= cost, and below zero the call that leaves to Go.
func (w *rewriter) appendPoint(b []byte, cost int64) []byte {
	b = w.appendSpend(b, cost<<32)
	return w.appendYield(append(b, opI64Const, 0, opI64LtS))
}

// appendEnter appends depth -= 1 and a safe point, with one branch for both: yield finds out
// which of the two is below zero.
func (w *rewriter) appendEnter(b []byte, cost int64) []byte {
	b = append(w.appendSpend(b, cost<<32+1), opI64Const)
	b = append(appendS64(b, belowZero), opI64And, opI64Const, 0, opI64Ne)
	return w.appendYield(b)
}

// appendSpend subtracts from the gauge and leaves it on the stack.
func (w *rewriter) appendSpend(b []byte, amount int64) []byte {
	b = append(appendU32(append(b, opGlobalGet), w.gauge), opI64Const)
	b = append(appendS64(b, amount), opI64Sub)
	b = appendU32(append(b, opLocalTee), w.scratch)
	b = appendU32(append(b, opGlobalSet), w.gauge)
	return appendU32(append(b, opLocalGet), w.scratch)
}

// appendYield appends the call of yield if the value on the stack is not zero.
func (w *rewriter) appendYield(b []byte) []byte {
	return append(appendU32(append(b, opIf, blockVoid, opCall), w.yield), opEnd)
}

// appendLeave appends depth += 1.
func (w *rewriter) appendLeave(b []byte) []byte {
	b = append(appendU32(append(b, opGlobalGet), w.gauge), opI64Const, 1, opI64Add)
	return appendU32(append(b, opGlobalSet), w.gauge)
}

// appendCharge appends the count of a bulk instruction, whose length is on the stack.
func (w *rewriter) appendCharge(b []byte) []byte {
	b = appendU32(append(b, opLocalTee), w.length)
	b = appendU32(append(b, opLocalGet), w.length)
	b = append(appendS64(append(b, opI32Const), bulkFree), opI32GeU, opIf, blockVoid)
	b = appendU32(append(b, opLocalGet), w.length)
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

// yieldBody is the added function that ends a slice: refuse when the depth is below zero, else
// tell the host, count what was spent and refill. The host does not return when the guest must
// end.
func (w *rewriter) yieldBody() []byte {
	b := append(appendU32([]byte{0, opGlobalGet}, w.gauge), opI32WrapI64, opI32Const, 0, opI32LtS, opIf, blockVoid, opI32Const, PointDepth)
	b = append(appendU32(append(b, opCall), w.point), opUnreachable, opEnd)
	b = appendU32(append(b, opI32Const, PointSlice, opCall), w.point)
	// used += Slice - slice
	b = append(appendU32(append(b, opGlobalGet), w.used), opI64Const)
	b = appendU32(append(appendS64(b, Slice), opGlobalGet), w.gauge)
	b = append(b, opI64Const, 32, opI64ShrS, opI64Sub, opI64Add)
	b = appendU32(append(b, opGlobalSet), w.used)
	// gauge = Slice<<32 | depth
	b = append(appendU32(append(b, opGlobalGet), w.gauge), opI64Const)
	b = append(appendS64(b, 1<<32-1), opI64And, opI64Const)
	b = append(appendS64(b, Slice<<32), opI64Or)
	b = append(appendU32(append(b, opGlobalSet), w.gauge), opEnd)
	return append(appendU32(nil, uint32(len(b))), b...)
}

// chargeBody is the added function that counts a bulk instruction of the given length.
func (w *rewriter) chargeBody() []byte {
	b := appendU32([]byte{0, opGlobalGet}, w.gauge)
	b = append(b, opLocalGet, 0, opI32Const, bulkShift, opI32ShrU, opI64ExtendI32U, opI64Const, 32, opI64Shl, opI64Sub)
	b = appendU32(append(b, opGlobalSet), w.gauge)
	b = append(appendU32(append(b, opGlobalGet), w.gauge), opI64Const, 0, opI64LtS)
	b = append(w.appendYield(b), opEnd)
	return append(appendU32(nil, uint32(len(b))), b...)
}
