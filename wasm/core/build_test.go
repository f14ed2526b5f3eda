package core_test

// A tiny assembler for test modules.

type wasmModule struct {
	dataCount                                                                              bool // write a data count section
	types, imports, funcs, tables, memories, globals, exports, start, elements, code, data [][]byte
}

const (
	i32 = 0x7f
	i64 = 0x7e
)

func uleb(v uint64) (b []byte) {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func str(s string) []byte { return append(uleb(uint64(len(s))), s...) }

func cat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// fn adds a function of type params -> results with the given instructions (without the final
// end), exported under name when it is not empty, and returns its index among defined functions.
func (m *wasmModule) fn(name string, params, results []byte, locals []byte, body ...byte) int {
	m.types = append(m.types, cat([]byte{0x60}, uleb(uint64(len(params))), params, uleb(uint64(len(results))), results))
	m.funcs = append(m.funcs, uleb(uint64(len(m.types)-1)))
	decl := uleb(uint64(len(locals)))
	for _, l := range locals {
		decl = append(decl, 1, l)
	}
	b := cat(decl, body, []byte{0x0b})
	m.code = append(m.code, cat(uleb(uint64(len(b))), b))
	index := len(m.imports) + len(m.funcs) - 1
	if name != "" {
		m.exports = append(m.exports, cat(str(name), []byte{0}, uleb(uint64(index))))
	}
	return index
}

func (m *wasmModule) bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id    byte
		items [][]byte
	}{{1, m.types}, {2, m.imports}, {3, m.funcs}, {4, m.tables}, {5, m.memories}, {6, m.globals}, {7, m.exports}, {8, m.start}, {9, m.elements}, {12, nil}, {10, m.code}, {11, m.data}} {
		if s.id == 12 && m.dataCount {
			out = cat(out, []byte{12}, uleb(uint64(len(uleb(uint64(len(m.data)))))), uleb(uint64(len(m.data))))
		}
		if len(s.items) == 0 {
			continue
		}
		body := cat(s.items...)
		if s.id != 8 {
			body = cat(uleb(uint64(len(s.items))), body)
		}
		out = cat(out, []byte{s.id}, uleb(uint64(len(body))), body)
	}
	return out
}
