package encode

// Value types of core WebAssembly.
const (
	I32 byte = 0x7f
	I64 byte = 0x7e
	F32 byte = 0x7d
	F64 byte = 0x7c
)

// Signature is the type of a core function.
type Signature struct{ Params, Results []byte }

// Sig is a signature by letters: "iIfF" are i32, i64, f32 and f64; Sig("iI", "i") takes two and
// gives one.
func Sig(params, results string) Signature { return Signature{letters(params), letters(results)} }

func letters(s string) (types []byte) {
	for _, c := range s {
		types = append(types, map[rune]byte{'i': I32, 'I': I64, 'f': F32, 'F': F64}[c])
	}
	return types
}

// Module is a core module being assembled. Imports come before what is defined.
type Module struct {
	types, imports, funcs, tables, memories, globals, exports, elems, code, data [][]byte

	known    map[string]int // type by its bytes
	start    []byte
	imported int // functions
}

// Kinds of what modules import and export.
const (
	kindFunc   byte = 0
	kindTable  byte = 1
	kindMemory byte = 2
)

func (m *Module) typ(s Signature) []byte {
	def := cat([]byte{0x60}, num(len(s.Params)), s.Params, num(len(s.Results)), s.Results)
	i, ok := m.known[string(def)]
	if !ok {
		if m.known == nil {
			m.known = map[string]int{}
		}
		i = len(m.types)
		m.known[string(def)] = i
		m.types = append(m.types, def)
	}
	return num(i)
}

func (m *Module) take(from, name string, kind byte, desc []byte) {
	m.imports = append(m.imports, cat(text(from), text(name), []byte{kind}, desc))
}

// ImportFunc imports a function and gives its index. It must not follow a Func.
func (m *Module) ImportFunc(from, name string, s Signature) int {
	m.take(from, name, kindFunc, m.typ(s))
	m.imported++
	return m.imported - 1
}

// ImportMemory imports the memory.
func (m *Module) ImportMemory(from, name string) { m.take(from, name, kindMemory, []byte{0, 0}) }

// ImportTable imports a table of at least n functions.
func (m *Module) ImportTable(from, name string, n int) {
	m.take(from, name, kindTable, cat([]byte{0x70, 0}, num(n)))
}

// Func adds a function with locals of these types behind its parameters, and gives its index. A
// name exports it.
func (m *Module) Func(name string, s Signature, locals []byte, body ...[]byte) int {
	m.funcs = append(m.funcs, m.typ(s))
	decl := num(len(locals))
	for _, l := range locals {
		decl = append(decl, 1, l)
	}
	b := cat(decl, cat(body...), []byte{0x0b})
	m.code = append(m.code, cat(num(len(b)), b))
	i := m.imported + len(m.funcs) - 1
	if name != "" {
		m.export(name, kindFunc, i)
	}
	return i
}

func (m *Module) export(name string, kind byte, i int) {
	m.exports = append(m.exports, cat(text(name), []byte{kind}, num(i)))
}

// Global adds a mutable i32 and gives its index.
func (m *Module) Global(v int32) int {
	m.globals = append(m.globals, cat([]byte{I32, 1}, Const(v), []byte{0x0b}))
	return len(m.globals) - 1
}

// Table defines and exports a table of n functions.
func (m *Module) Table(name string, n int) {
	m.tables = append(m.tables, cat([]byte{0x70, 1}, num(n), num(n)))
	m.export(name, kindTable, 0)
}

// Memory defines the memory: so many pages, never more, with data at its beginning.
func (m *Module) Memory(pages int, data []byte) {
	m.memories = append(m.memories, cat([]byte{1}, num(pages), num(pages)))
	m.data = append(m.data, cat([]byte{0}, Const(0), []byte{0x0b}, num(len(data)), data))
}

// Fill puts functions into a table from its beginning.
func (m *Module) Fill(table int, funcs ...int) {
	items := make([][]byte, len(funcs))
	for i, f := range funcs {
		items[i] = num(f)
	}
	kind := []byte{0}
	if table > 0 {
		kind = cat([]byte{2}, num(table))
	}
	body := cat(kind, Const(0), []byte{0x0b})
	if table > 0 {
		body = append(body, 0) // functions
	}
	m.elems = append(m.elems, cat(body, vector(items)))
}

// Start names the function that runs when the module is instantiated.
func (m *Module) Start(f int) { m.start = num(f) }

// Bytes is the module in the binary format.
func (m *Module) Bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	vec := func(id byte, items [][]byte) {
		if len(items) > 0 {
			out = append(out, section(id, vector(items))...)
		}
	}
	vec(1, m.types)
	vec(2, m.imports)
	vec(3, m.funcs)
	vec(4, m.tables)
	vec(5, m.memories)
	vec(6, m.globals)
	vec(7, m.exports)
	if m.start != nil {
		out = append(out, section(8, m.start)...)
	}
	vec(9, m.elems)
	vec(10, m.code)
	vec(11, m.data)
	return out
}
