package rewrite

// Opcodes the rewriter acts on or emits (core specification 5.4).
const (
	opUnreachable        = 0x00
	opBlock              = 0x02
	opLoop               = 0x03
	opIf                 = 0x04
	opEnd                = 0x0b
	opBr                 = 0x0c
	opBrIf               = 0x0d
	opBrTable            = 0x0e
	opReturn             = 0x0f
	opCall               = 0x10
	opCallIndirect       = 0x11
	opReturnCall         = 0x12
	opReturnCallIndirect = 0x13
	opLocalGet           = 0x20
	opLocalTee           = 0x22
	opGlobalGet          = 0x23
	opGlobalSet          = 0x24
	opTableSet           = 0x26
	opI32Const           = 0x41
	opI64Const           = 0x42
	opI32LtS             = 0x48
	opI32GeU             = 0x4f
	opI64Ne              = 0x52
	opI64LtS             = 0x53
	opI32ShrU            = 0x76
	opI64Add             = 0x7c
	opI64Sub             = 0x7d
	opI64And             = 0x83
	opI64Or              = 0x84
	opI64Shl             = 0x86
	opI64ShrS            = 0x87
	opI32WrapI64         = 0xa7
	opI64ExtendI32U      = 0xad
	opRefFunc            = 0xd2
	opMisc               = 0xfc
	opVector             = 0xfd

	blockVoid = 0x40
)

// What follows opMisc.
const (
	miscMemoryInit = 8
	miscDataDrop   = 9
	miscMemoryCopy = 10
	miscMemoryFill = 11
	miscTableInit  = 12
	miscElemDrop   = 13
	miscTableCopy  = 14
	miscTableGrow  = 15
	miscTableSize  = 16
	miscTableFill  = 17
)

// Kinds of immediates.
const (
	immRefused = iota // the zero value: not a known instruction
	immNone
	immIndex // of a label or table
	immLocal
	immType
	immFunction
	immGlobal
	immCallIndirect
	immMemory
	immPage
	immTargets
	immTypes
	immI32
	immI64
	immF32
	immF64
	immReference
	immMisc
	immVector
)

// immediates says what follows each opcode.
var immediates = func() (t [256]byte) {
	for _, r := range []struct{ from, to, imm byte }{
		{0x00, 0x01, immNone}, {opBlock, opIf, immType}, {0x05, 0x05, immNone}, {opEnd, opEnd, immNone}, {opBr, opBrIf, immIndex},
		{opBrTable, opBrTable, immTargets}, {opReturn, opReturn, immNone}, {opCall, opCall, immFunction},
		{opCallIndirect, opCallIndirect, immCallIndirect}, {opReturnCall, opReturnCall, immFunction},
		{opReturnCallIndirect, opReturnCallIndirect, immCallIndirect}, {0x1a, 0x1b, immNone}, {0x1c, 0x1c, immTypes},
		{opLocalGet, opLocalTee, immLocal}, {opGlobalGet, opGlobalSet, immGlobal}, {0x25, opTableSet, immIndex},
		{0x28, 0x3e, immMemory}, {0x3f, 0x40, immPage}, {opI32Const, opI32Const, immI32}, {opI64Const, opI64Const, immI64},
		{0x43, 0x43, immF32}, {0x44, 0x44, immF64}, {0x45, 0xc4, immNone}, {0xd0, 0xd0, immReference}, {0xd1, 0xd1, immNone},
		{opRefFunc, opRefFunc, immFunction}, {opMisc, opMisc, immMisc}, {opVector, opVector, immVector},
	} {
		for op := int(r.from); op <= int(r.to); op++ {
			t[op] = r.imm
		}
	}
	return t
}()

// instruction reads one instruction with its immediates and returns its first byte and, for
// opMisc, the number that follows. It accepts the finished proposals up to the second version
// of the standard, tail calls and extended constants; everything else is refused by name.
// Indexes are checked against the module as it was written: what the rewriter adds is out of a
// guest's reach.
func (r *reader) instruction(m *Module) (op byte, misc uint32) {
	op = r.byte()
	switch immediates[op] {
	case immNone:
	case immIndex:
		r.u32()
	case immLocal:
		r.below(r.u32(), r.locals, "local")
	case immI32:
		r.s64(32)
	case immMemory:
		r.memoryArgument()
	case immType:
		r.blockType(m)
	case immFunction:
		r.below(r.u32(), len(m.funcs), "function")
	case immGlobal:
		r.below(r.u32(), m.globals, "global")
	case immI64:
		r.s64(64)
	case immTargets:
		for range r.count("branch targets", 1_000_000) + 1 {
			r.u32()
		}
	case immCallIndirect:
		r.below(r.u32(), len(m.types), "type")
		r.u32()
	case immTypes:
		for range r.count("select types", 1000) {
			valueType(r)
		}
	case immPage:
		if r.byte() != 0 {
			r.unsupported("a memory other than the first (multi-memory)")
		}
	case immF32:
		r.take(4)
	case immF64:
		r.take(8)
	case immReference:
		valueType(r)
	case immMisc:
		misc = r.miscellaneous()
	case immVector:
		r.vector()
	default:
		r.refuse(op)
	}
	return op, misc
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

// blockType reads nothing, one result, or a type by its index.
func (r *reader) blockType(m *Module) {
	if r.pos < len(r.b) && r.b[r.pos] == blockVoid {
		r.pos++
		return
	}
	at := r.pos
	t := r.s64(33)
	if t >= 0 {
		r.below(uint32(min(t, 1<<32-1)), len(m.types), "type")
		return
	}
	r.pos = at
	valueType(r)
}

func (r *reader) memoryArgument() {
	if r.u32()&0x40 != 0 {
		r.unsupported("a memory other than the first (multi-memory)")
	}
	r.u32()
}

func (r *reader) miscellaneous() uint32 {
	op := r.u32()
	switch {
	case op < miscMemoryInit: // saturating truncation
	case op == miscMemoryInit || op == miscMemoryCopy || op == miscTableInit || op == miscTableCopy:
		r.u32()
		r.u32()
	case op == miscDataDrop || op == miscMemoryFill || op == miscElemDrop || op >= miscTableGrow && op <= miscTableFill:
		r.u32()
	default:
		r.unsupported("instruction 0xfc %d", op)
	}
	return op
}

func (r *reader) vector() {
	switch op := r.u32(); {
	case op <= 11 || op == 92 || op == 93: // loads and stores
		r.memoryArgument()
	case op == 12 || op == 13: // v128.const, i8x16.shuffle
		r.take(16)
	case op >= 21 && op <= 34: // lanes
		r.byte()
	case op >= 84 && op <= 91: // loads and stores of lanes
		r.memoryArgument()
		r.byte()
	case op <= 255:
	default:
		r.unsupported("instruction 0xfd %d (relaxed vectors)", op)
	}
}
