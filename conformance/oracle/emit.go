package oracle

// A small encoder of core modules and components (Component Model, Binary.md). Everything is
// made of byte strings; index spaces are counted as items are added.

func uleb(v uint64) (b []byte) {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func sleb(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func num(n int) []byte { return uleb(uint64(n)) }

func str(s string) []byte { return append(num(len(s)), s...) }

func cat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func vec(items ...[]byte) []byte { return cat(num(len(items)), cat(items...)) }

func section(id byte, body []byte) []byte { return cat([]byte{id}, num(len(body)), body) }

// module is a core module being made.
type module struct {
	types, imports, funcs, memories, globals, exports, code, data [][]byte
	imported                                                      int // functions
}

func (m *module) typ(params, results []byte) []byte {
	m.types = append(m.types, cat([]byte{0x60}, num(len(params)), params, num(len(results)), results))
	return num(len(m.types) - 1)
}

// importFunc adds a function import and returns its index; all of them come before func.
func (m *module) importFunc(from, name string, params, results []byte) int {
	m.imports = append(m.imports, cat(str(from), str(name), []byte{0}, m.typ(params, results)))
	m.imported++
	return m.imported - 1
}

// fn adds a function of the given instructions, without the final end, exported under name
// when it has one.
func (m *module) fn(name string, params, results, locals []byte, body ...[]byte) int {
	m.funcs = append(m.funcs, m.typ(params, results))
	decl := num(len(locals))
	for _, l := range locals {
		decl = append(decl, 1, l)
	}
	b := cat(decl, cat(body...), []byte{0x0b})
	m.code = append(m.code, cat(num(len(b)), b))
	index := m.imported + len(m.funcs) - 1
	if name != "" {
		m.exports = append(m.exports, cat(str(name), []byte{0}, num(index)))
	}
	return index
}

func (m *module) bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []struct {
		id    byte
		items [][]byte
	}{{1, m.types}, {2, m.imports}, {3, m.funcs}, {5, m.memories}, {6, m.globals}, {7, m.exports}, {10, m.code}, {11, m.data}} {
		if len(s.items) > 0 {
			out = append(out, section(s.id, vec(s.items...))...)
		}
	}
	return out
}

// Core instructions, as far as guests need them.

func i32Const(v uint32) []byte { return cat([]byte{0x41}, sleb(int64(int32(v)))) }
func localGet(i int) []byte    { return cat([]byte{0x20}, num(i)) }
func localSet(i int) []byte    { return cat([]byte{0x21}, num(i)) }
func call(f int) []byte        { return cat([]byte{0x10}, num(f)) }

// constant pushes a value of a core type given by its bits.
func constant(t byte, bits uint64) []byte {
	switch t {
	case i32:
		return i32Const(uint32(bits))
	case i64:
		return cat([]byte{0x42}, sleb(int64(bits)))
	case f32:
		return []byte{0x43, byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}
	}
	b := []byte{0x44}
	for i := range 8 {
		b = append(b, byte(bits>>(8*i)))
	}
	return b
}

// Sorts in the binary format.
const (
	sortFunc     = 0x01
	sortType     = 0x03
	sortInstance = 0x05
)

// component is a component being made.
type component struct {
	out                                             []byte
	types, funcs, instances, components             int
	modules, coreInstances, coreFuncs, coreMemories int
	index                                           map[*Type]int
}

func newComponent() *component {
	return &component{out: []byte("\x00asm\x0d\x00\x01\x00"), index: map[*Type]int{}}
}

// add writes a section with one item and numbers it in its index space.
func (c *component) add(id byte, space *int, item []byte) int {
	c.out = append(c.out, section(id, vec(item))...)
	*space++
	return *space - 1
}

func (c *component) module(m *module) int {
	c.out = append(c.out, section(1, m.bytes())...)
	c.modules++
	return c.modules - 1
}

func (c *component) nested(code []byte) int {
	c.out = append(c.out, section(4, code)...)
	c.components++
	return c.components - 1
}

// coreInstance instantiates a module with core instances by name.
func (c *component) coreInstance(module int, args map[string]int, order ...string) int {
	var items [][]byte
	for _, name := range order {
		items = append(items, cat(str(name), []byte{0x12}, num(args[name])))
	}
	return c.add(2, &c.coreInstances, cat([]byte{0}, num(module), vec(items...)))
}

// coreBag makes a core instance of functions.
func (c *component) coreBag(names []string, funcs []int) int {
	var items [][]byte
	for i, name := range names {
		items = append(items, cat(str(name), []byte{0}, num(funcs[i])))
	}
	return c.add(2, &c.coreInstances, cat([]byte{1}, vec(items...)))
}

func (c *component) coreFunc(instance int, name string) int {
	return c.add(6, &c.coreFuncs, cat([]byte{0, 0, 1}, num(instance), str(name)))
}

func (c *component) coreMemory(instance int, name string) int {
	return c.add(6, &c.coreMemories, cat([]byte{0, 2, 1}, num(instance), str(name)))
}

// arg is a named item: an argument of an instance or an export.
type arg struct {
	name  string
	sort  byte
	index int
}

func (a arg) bytes() []byte { return cat(str(a.name), []byte{a.sort}, num(a.index)) }

func (c *component) instance(component int, args ...arg) int {
	var items [][]byte
	for _, a := range args {
		items = append(items, a.bytes())
	}
	return c.add(5, &c.instances, cat([]byte{0}, num(component), vec(items...)))
}

// bag makes an instance of items; its names are extern names.
func (c *component) bag(items ...arg) int {
	var all [][]byte
	for _, a := range items {
		all = append(all, cat([]byte{0}, a.bytes()))
	}
	return c.add(5, &c.instances, cat([]byte{1}, vec(all...)))
}

func (c *component) space(sort byte) *int {
	switch sort {
	case sortFunc:
		return &c.funcs
	case sortType:
		return &c.types
	}
	return &c.instances
}

// alias names an export of an instance.
func (c *component) alias(sort byte, instance int, name string) int {
	return c.add(6, c.space(sort), cat([]byte{sort, 0}, num(instance), str(name)))
}

// take imports an item of a type that is already defined.
func (c *component) take(name string, sort byte, typ int) int {
	return c.add(10, c.space(sort), cat([]byte{0}, str(name), []byte{sort}, num(typ)))
}

func (c *component) export(name string, sort byte, index int) int {
	return c.add(11, c.space(sort), cat([]byte{0}, arg{name, sort, index}.bytes(), []byte{0}))
}

// options are the canonical options of a guest.
type options struct {
	encoding                    byte
	memory, realloc, postReturn int // -1: none
}

func (o options) bytes() []byte {
	items := [][]byte{{o.encoding}}
	if o.memory >= 0 {
		items = append(items, cat([]byte{3}, num(o.memory)))
	}
	if o.realloc >= 0 {
		items = append(items, cat([]byte{4}, num(o.realloc)))
	}
	if o.postReturn >= 0 {
		items = append(items, cat([]byte{5}, num(o.postReturn)))
	}
	return vec(items...)
}

func (c *component) lift(coreFunc int, o options, typ int) int {
	return c.add(8, &c.funcs, cat([]byte{0, 0}, num(coreFunc), o.bytes(), num(typ)))
}

func (c *component) lower(fn int, o options) int {
	o.postReturn = -1
	return c.add(8, &c.coreFuncs, cat([]byte{1, 0}, num(fn), o.bytes()))
}

// Canonical definitions for resources.
const (
	resourceNew  = 2
	resourceDrop = 3
	resourceRep  = 4
)

func (c *component) resource(op byte, typ int) int {
	return c.add(8, &c.coreFuncs, cat([]byte{op}, num(typ)))
}
