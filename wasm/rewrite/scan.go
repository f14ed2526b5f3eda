package rewrite

import "greentic.dev/greentic/fault"

// body is what Parse found out about one function.
type body struct {
	bytes  []byte // local declarations and instructions
	base   int    // offset in the module
	code   int    // where in bytes the instructions begin
	locals int    // parameters included
	calls  bool   // calls a function
	refs   bool   // names a function by index
	bulk   bool   // moves memory or table elements in one instruction
	loops  bool
	lasts  bool // changes what cannot be put back, see lasting
}

// instructions returns a reader of the instructions of a body.
func (b *body) instructions() *reader {
	return &reader{b: b.bytes, pos: b.code, base: b.base, locals: b.locals}
}

// effects is what the instructions of a module may do that matters to restoring an instance.
type effects struct {
	segments bool // memory.init, data.drop
	lasts    bool // any lasting instruction
	grows    bool // table.grow
}

// parseCode walks every body once, so that what is not supported is refused here and by name.
func (m *Module) parseCode(r *reader) {
	defined := m.funcs[m.imported[Func]:]
	if n := r.count("bodies", m.limits.Functions); n != len(defined) {
		r.invalid("%d functions have %d bodies", len(defined), n)
	}
	m.bodies = make([]body, len(defined))
	for i := range m.bodies {
		size := r.u32()
		if int64(size) > int64(m.limits.Body) {
			r.fail(fault.Exhausted, "a function of %d bytes, at most %d are allowed", size, m.limits.Body)
		}
		src := r.sub(int(size))
		b := &m.bodies[i]
		b.bytes, b.base = src.b, src.base
		b.locals = len(m.types[defined[i]].Params)
		for range src.count("local declarations", m.limits.Locals) {
			n := src.u32()
			valueType(src)
			if int64(b.locals)+int64(n) > int64(m.limits.Locals) {
				src.fail(fault.Exhausted, "more than %d locals", m.limits.Locals)
			}
			b.locals += int(n)
		}
		b.code, src.locals = src.pos, b.locals
		m.scan(b, src)
	}
}

// scan walks the instructions of a body to its end.
func (m *Module) scan(b *body, r *reader) {
	for nesting, blocks := 0, 0; ; {
		start := r.pos
		op, misc := r.instruction(m)
		blocks += blockWeight(op, r.pos-start)
		switch op {
		case opBlock, opIf, opLoop:
			if nesting++; nesting > m.limits.Nesting {
				r.fail(fault.Exhausted, "blocks are nested deeper than %d", m.limits.Nesting)
			}
			b.loops = b.loops || op == opLoop
		case opEnd:
			if nesting--; nesting < 0 {
				if r.more() {
					r.invalid("instructions follow the end of a function")
				}
				m.effects.lasts = m.effects.lasts || b.lasts
				m.spend(r, blocks, b.locals)
				return
			}
		case opCall, opReturnCall, opCallIndirect, opReturnCallIndirect:
			b.calls = true
		case opRefFunc:
			b.refs = true
		case opTableSet:
			b.lasts = true
		case opMisc:
			m.scanMisc(b, r, misc)
		}
	}
}

// blockWeight is what an instruction of a length adds to the weight of its function.
func blockWeight(op byte, length int) int {
	switch op {
	case opBlock, opIf, opBrIf:
		return 1
	case opLoop:
		return loopWeight
	case opBrTable:
		return 1 + length/targetsWeight // a target is at least a byte
	}
	return 0
}

// spend refuses functions whose compilation would take out of all proportion to their size.
func (m *Module) spend(r *reader, blocks, locals int) {
	if blocks > m.limits.Blocks {
		r.fail(fault.Exhausted, "a function with blocks of weight %d, at most %d are allowed", blocks, m.limits.Blocks)
	}
	if m.Effort += effort(blocks, locals); m.Effort > m.limits.Effort {
		r.fail(fault.Exhausted, "functions too large to compile in reasonable time")
	}
}

func (m *Module) scanMisc(b *body, r *reader, op uint32) {
	switch op {
	case miscMemoryInit, miscDataDrop:
		if m.dataCount < 0 {
			r.invalid("an instruction names a data segment, but there is no data count section")
		}
		m.effects.segments = true
	}
	b.lasts = b.lasts || lasting(opMisc, op)
	m.effects.grows = m.effects.grows || op == miscTableGrow
	b.bulk = b.bulk || isBulk(op)
}

// lasting says whether an instruction changes what an engine cannot put back: a table, or which
// segments there are.
func lasting(op byte, misc uint32) bool {
	if op != opMisc {
		return op == opTableSet
	}
	switch misc {
	case miscDataDrop, miscTableInit, miscElemDrop, miscTableCopy, miscTableGrow, miscTableFill:
		return true
	}
	return false
}

// isBulk says whether an instruction works for as long as its last operand says.
func isBulk(misc uint32) bool {
	switch misc {
	case miscMemoryInit, miscMemoryCopy, miscMemoryFill, miscTableInit, miscTableCopy, miscTableFill:
		return true
	}
	return false
}
