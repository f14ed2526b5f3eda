package encode

// Instructions, as far as builders of guests need them. Memory operands take an address from the
// stack and add offset.

// Const pushes an i32.
func Const(v int32) []byte { return cat([]byte{0x41}, sleb(int64(v))) }

// Const64 pushes an i64.
func Const64(v int64) []byte { return cat([]byte{0x42}, sleb(v)) }

// Get pushes a local.
func Get(local int) []byte { return cat([]byte{0x20}, num(local)) }

// Set pops into a local.
func Set(local int) []byte { return cat([]byte{0x21}, num(local)) }

// Tee stores the top of the stack in a local and leaves it there.
func Tee(local int) []byte { return cat([]byte{0x22}, num(local)) }

// GetGlobal pushes a global.
func GetGlobal(i int) []byte { return cat([]byte{0x23}, num(i)) }

// SetGlobal pops into a global.
func SetGlobal(i int) []byte { return cat([]byte{0x24}, num(i)) }

// Call calls a function.
func Call(f int) []byte { return cat([]byte{0x10}, num(f)) }

// CallIndirect calls the function whose slot of the table is on the stack.
func (m *Module) CallIndirect(s Signature) []byte { return cat([]byte{0x11}, m.typ(s), []byte{0}) }

// Load pushes a value of a core type from memory.
func Load(t byte, offset int) []byte {
	return access(map[byte]byte{I32: 0x28, I64: 0x29, F32: 0x2a, F64: 0x2b}[t], offset)
}

// Store pops a value of a core type into memory.
func Store(t byte, offset int) []byte {
	return access(map[byte]byte{I32: 0x36, I64: 0x37, F32: 0x38, F64: 0x39}[t], offset)
}

func access(op byte, offset int) []byte { return cat([]byte{op, 0}, num(offset)) }

// If runs the body when the top of the stack is not zero.
func If(body ...[]byte) []byte { return cat([]byte{0x04, 0x40}, cat(body...), []byte{0x0b}) }

// IfElse leaves a value of a core type: one, or the other when the top of the stack is zero.
func IfElse(t byte, one, other []byte) []byte {
	return cat([]byte{0x04, t}, one, []byte{0x05}, other, []byte{0x0b})
}

// While repeats the body as long as the condition leaves something else than zero.
func While(condition []byte, body ...[]byte) []byte {
	return cat([]byte{0x02, 0x40, 0x03, 0x40}, condition, Eqz, []byte{0x0d, 1}, cat(body...), []byte{0x0c, 0, 0x0b, 0x0b})
}

// Instructions without operands.
var (
	Unreachable = []byte{0x00}
	Return      = []byte{0x0f}
	Drop        = []byte{0x1a}
	Eqz         = []byte{0x45}
	Eq          = []byte{0x46}
	LessU       = []byte{0x49}
	Add         = []byte{0x6a}
	Sub         = []byte{0x6b}
	And         = []byte{0x71}
	Add64       = []byte{0x7c}
	Mul64       = []byte{0x7e}
	Shift64     = []byte{0x88} // i64.shr_u
	Wrap        = []byte{0xa7} // i32.wrap_i64
	ToI64       = []byte{0xad} // i64.extend_i32_u
	Copy        = []byte{0xfc, 0x0a, 0, 0}
	Store8      = []byte{0x3c, 0, 0} // i64.store8
	Select      = []byte{0x1b}
)
