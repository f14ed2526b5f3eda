package core

// Opcodes the rewriter acts on (core specification 5.4).
const (
	opBlock              = 0x02
	opLoop               = 0x03
	opIf                 = 0x04
	opEnd                = 0x0b
	opBr                 = 0x0c
	opReturn             = 0x0f
	opCall               = 0x10
	opCallIndirect       = 0x11
	opReturnCall         = 0x12
	opReturnCallIndirect = 0x13
	opRefFunc            = 0xd2
)

// instruction reads one instruction with its immediates and returns its first byte. It accepts
// the finished proposals up to the second version of the standard, tail calls and extended
// constants; everything else is refused by name. Indexes are checked against the module as it
// was written: what the rewriter adds is out of a guest's reach.
func (r *reader) instruction(m *Module) byte {
	op := r.byte()
	switch {
	case op == opBlock || op == opLoop || op == opIf:
		if t := r.s64(33); t >= 0 {
			r.below(uint32(t), len(m.types), "type")
		}
	case op == 0x0e: // br_table
		for range r.count("branch targets", 1_000_000) + 1 {
			r.u32()
		}
	case op == opCallIndirect || op == opReturnCallIndirect:
		r.below(r.u32(), len(m.types), "type")
		r.u32()
	case op == opCall || op == opReturnCall || op == opRefFunc:
		r.below(r.u32(), len(m.funcs), "function")
	case op == 0x23 || op == 0x24:
		r.below(r.u32(), m.globals, "global")
	case op == 0x0c || op == 0x0d || op >= 0x20 && op <= 0x22 || op == 0x25 || op == 0x26:
		r.u32()
	case op == 0x1c:
		for range r.count("select types", 1000) {
			valueType(r)
		}
	case op >= 0x28 && op <= 0x3e:
		r.memoryArgument()
	case op == 0x3f || op == 0x40:
		if r.byte() != 0 {
			r.unsupported("a memory other than the first (multi-memory)")
		}
	case op == 0x41:
		r.s64(32)
	case op == 0x42:
		r.s64(64)
	case op == 0x43:
		r.take(4)
	case op == 0x44:
		r.take(8)
	case op == 0xd0:
		valueType(r)
	case op == 0xfc:
		r.miscellaneous()
	case op == 0xfd:
		r.vector()
	case op <= 0x01 || op == 0x05 || op == opEnd || op == opReturn || op == 0x1a || op == 0x1b || op >= 0x45 && op <= 0xc4 || op == 0xd1:
	default:
		r.refuse(op)
	}
	return op
}

// below refuses an index that names nothing.
func (r *reader) below(index uint32, count int, what string) {
	if int64(index) >= int64(count) {
		r.invalid("%s %d does not exist", what, index)
	}
}

func (r *reader) refuse(op byte) {
	switch {
	case op >= 0x06 && op <= 0x0a || op == 0x18 || op == 0x19 || op == 0x1f:
		r.unsupported("instruction %#x (exception handling)", op)
	case op == 0x14 || op == 0x15 || op >= 0xd3 && op <= 0xd6:
		r.unsupported("instruction %#x (typed function references)", op)
	case op == 0xfb:
		r.unsupported("instruction %#x (garbage collection)", op)
	case op == 0xfe:
		r.unsupported("instruction %#x (threads)", op)
	}
	r.unsupported("unknown instruction %#x", op)
}

func (r *reader) memoryArgument() {
	if r.u32()&0x40 != 0 {
		r.unsupported("a memory other than the first (multi-memory)")
	}
	r.u32()
}

func (r *reader) miscellaneous() {
	switch op := r.u32(); {
	case op <= 7:
	case op == 8 || op == 10 || op == 12 || op == 14:
		r.u32()
		r.u32()
	case op == 9 || op == 11 || op == 13 || op >= 15 && op <= 17:
		r.u32()
	default:
		r.unsupported("instruction 0xfc %d", op)
	}
}

func (r *reader) vector() {
	switch op := r.u32(); {
	case op <= 11 || op == 92 || op == 93:
		r.memoryArgument()
	case op == 12 || op == 13:
		r.take(16)
	case op >= 21 && op <= 34:
		r.byte()
	case op >= 84 && op <= 91:
		r.memoryArgument()
		r.byte()
	case op <= 255:
	default:
		r.unsupported("instruction 0xfd %d (relaxed vectors)", op)
	}
}
