package rewrite

// What a guest can do between two looks at its context is bounded by weighing code in bytes. A
// function needs a safe point at its entry unless it is light: it and all it calls, however
// deeply, come to at most lightWork bytes, loops counted once, because their heads have safe
// points of their own. A safe point counts one, and one more for each pointBytes of code that
// may run before the next, light functions included.
const (
	lightWork  = 4096
	pointBytes = 512
	maxChain   = 100 // light functions within light functions
)

// Values of rewriter.work other than bytes.
const (
	unknown = 0
	open    = -1 // being weighed: meeting it again is recursion
	heavy   = -2
)

// weigh returns the work of a light function or heavy.
func (w *rewriter) weigh(i, chain int) int {
	b := &w.m.bodies[i]
	switch {
	case w.work[i] == open:
		return heavy
	case w.work[i] != unknown:
		return w.work[i]
	case len(b.bytes) > lightWork || chain == maxChain:
		w.work[i] = heavy
		return heavy
	}
	w.work[i] = open
	work := len(b.bytes)
	if b.calls {
		work = w.weighCalls(b, work, chain)
	}
	w.work[i] = work
	return work
}

// weighCalls adds the work of what b calls.
func (w *rewriter) weighCalls(b *body, work, chain int) int {
	r := b.instructions()
	for r.more() {
		start := r.pos
		switch op, _ := r.instruction(w.m); op {
		case opCallIndirect, opReturnCallIndirect:
			return heavy
		case opCall, opReturnCall:
			callee := w.callee(r.b[start+1:])
			if callee < 0 {
				return heavy
			}
			called := w.weigh(callee, chain+1)
			if work += called; called == heavy || work > lightWork {
				return heavy
			}
		}
	}
	return work
}

// callee is the defined function that an instruction calls; negative for an imported one.
func (w *rewriter) callee(index []byte) int {
	r := &reader{b: index}
	return int(r.u32()) - w.m.imported[Func]
}

// measure sets the costs of the safe points of a body and returns that of its entry.
func (w *rewriter) measure(b *body) int64 {
	w.loops = w.loops[:0]
	total, nest := len(b.bytes), w.nest[:0]
	defer func() { w.nest = nest }()
	if !b.loops && !b.calls {
		return int64(1 + total/pointBytes)
	}
	r := b.instructions()
	called := 0
	for r.more() {
		start := r.pos
		switch op, _ := r.instruction(w.m); op {
		case opBlock, opIf:
			nest = append(nest, -1)
		case opLoop:
			nest = append(nest, len(w.loops))
			w.loops = append(w.loops, int64(-start-called))
		case opCall, opReturnCall:
			if i := w.callee(r.b[start+1:]); i >= 0 {
				called += max(0, w.weigh(i, 0))
			}
		case opEnd:
			if len(nest) == 0 {
				break
			}
			if l := nest[len(nest)-1]; l >= 0 {
				w.loops[l] = 1 + (w.loops[l]+int64(r.pos+called))/pointBytes
			}
			nest = nest[:len(nest)-1]
		}
	}
	return int64(1 + (total+called)/pointBytes)
}
