package core

import (
	"strings"

	"github.com/tetratelabs/wazero/api"

	"greentic.dev/greentic/fault"
)

// Limits bounds what Parse accepts. A zero field takes the default named beside it.
type Limits struct {
	Size      int // bytes of the module; 64 MiB
	Types     int // 100,000
	Functions int // imported and defined; 200,000
	Globals   int // 100,000
	Exports   int // 100,000
	Segments  int // data and element segments each; 200,000
	Tables    int // 100
	Elements  int // of each table, also after growing; 1,000,000
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		v   *int
		def int
	}{{&l.Size, 64 << 20}, {&l.Types, 100_000}, {&l.Functions, 200_000}, {&l.Globals, 100_000}, {&l.Exports, 100_000}, {&l.Segments, 200_000}, {&l.Tables, 100}, {&l.Elements, 1_000_000}} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	return l
}

// Kind is the sort of an import or export (core specification 5.5.5).
type Kind byte

// The sorts.
const (
	Func Kind = iota
	Table
	Memory
	Global
)

// String is the word of the text format.
func (k Kind) String() string {
	if int(k) < 4 {
		return [...]string{"func", "table", "memory", "global"}[k]
	}
	return "unknown"
}

// FuncType is a core function type.
type FuncType struct{ Params, Results []api.ValueType }

// Import is one import of a module; Type is set for functions.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         *FuncType
	raw          []byte // the description, as it stands in the module
}

// Export is one export of a module; Type is set for functions.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
	Type  *FuncType
}

// Module is a parsed core module. It is immutable and refers to the bytes it was parsed from.
type Module struct {
	Imports []Import
	Exports []Export

	types     []FuncType
	funcs     []uint32 // type index of every function, imported first
	imported  [4]int   // imports by kind
	globals   int      // imported and defined
	tables    []table  // defined
	memories  int      // imported and defined
	sections  []section
	limits    Limits
	bulkData  bool // memory.init or data.drop may occur (a data count section exists)
	hasMemory bool // defines a memory
}

// section is a section as it stands in the module.
type section struct {
	id   byte
	body []byte
	base int
}

// section ids (core specification 5.5.2).
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
)

// sectionOrder is the place of each section: the data count comes before the code.
var sectionOrder = [13]int{secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6, secExport: 7,
	secStart: 8, secElement: 9, secDataCount: 10, secCode: 11, secData: 12}

// reserved begins the names of what the rewriter adds; a module may not use it itself.
const reserved = "\x00greentic:"

// Parse reads a core module. Errors are fault.Invalid (malformed), fault.Unsupported (a named
// feature) or fault.Exhausted (a limit) and give the offset in the module. Bodies and types of
// instructions are checked when the module is compiled.
func Parse(src []byte, lim Limits) (m *Module, err error) {
	defer recoverFailure(&err)
	m = &Module{limits: lim.orDefault()}
	if len(src) > m.limits.Size {
		return nil, fault.Newf(fault.Exhausted, "core module", "%d bytes, at most %d are allowed", len(src), m.limits.Size)
	}
	r := &reader{b: src}
	if string(r.take(8)) != "\x00asm\x01\x00\x00\x00" {
		r.pos = 0
		r.invalid("not a core module of version 1")
	}
	last := 0
	for r.more() {
		id := r.byte()
		body := r.sub(int(r.u32()))
		if id > secDataCount {
			body.unsupported("section %d (tags, strings or a later proposal)", id)
		}
		if id != secCustom {
			if sectionOrder[id] <= last {
				body.invalid("section %d occurs twice or too late", id)
			}
			last = sectionOrder[id]
		}
		m.sections = append(m.sections, section{id: id, body: body.b, base: body.base})
		if m.parseSection(id, body) && body.more() {
			body.invalid("section %d has bytes left over", id)
		}
	}
	return m, nil
}

func recoverFailure(err *error) {
	switch p := recover().(type) {
	case nil:
	case failure:
		*err = p.err
	default:
		panic(p)
	}
}

// parseSection reads what is needed before rewriting and says whether that is the whole section.
func (m *Module) parseSection(id byte, r *reader) bool {
	switch id {
	case secType:
		for range r.count("types", m.limits.Types) {
			m.types = append(m.types, m.parseType(r))
		}
	case secImport:
		for range r.count("imports", m.limits.Functions) {
			m.parseImport(r)
		}
	case secFunction:
		for range r.count("functions", m.limits.Functions) {
			m.addFunc(r, r.u32())
		}
	case secTable:
		n := r.count("tables", m.limits.Tables)
		if n+m.imported[Table] > m.limits.Tables {
			r.fail(fault.Exhausted, "more than %d tables", m.limits.Tables)
		}
		for range n {
			m.tables = append(m.tables, m.parseTable(r))
		}
	case secMemory:
		for range r.count("memories", 1<<20) {
			m.addMemory(r)
			m.hasMemory = true
			limits(r)
		}
	case secGlobal:
		m.globals += r.count("globals", m.limits.Globals)
		return false
	case secExport:
		m.parseExports(r)
	case secDataCount:
		m.bulkData = true
		r.u32()
	default:
		return false
	}
	return true
}

func (m *Module) parseType(r *reader) FuncType {
	if form := r.byte(); form != 0x60 {
		r.unsupported("type form %#x (garbage collection)", form)
	}
	return FuncType{Params: valueTypes(r), Results: valueTypes(r)}
}

func valueTypes(r *reader) []api.ValueType {
	n := r.count("value types", 1000)
	out := make([]api.ValueType, n)
	for i := range out {
		out[i] = valueType(r)
	}
	return out
}

func valueType(r *reader) api.ValueType {
	t := r.byte()
	switch t {
	case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f:
		return t
	}
	r.unsupported("value type %#x", t)
	return 0
}

func (m *Module) parseImport(r *reader) {
	i := Import{Module: r.name(), Name: r.name()}
	start := r.pos
	i.Kind = Kind(r.byte())
	switch i.Kind {
	case Func:
		t := r.u32()
		m.addFunc(r, t)
		i.Type = &m.types[t]
	case Table:
		valueType(r)
		limits(r)
		if m.imported[Table] >= m.limits.Tables {
			r.fail(fault.Exhausted, "more than %d tables", m.limits.Tables)
		}
	case Memory:
		m.addMemory(r)
		limits(r)
	case Global:
		valueType(r)
		r.byte()
		m.globals++
	default:
		r.unsupported("import of kind %d (exception tags)", i.Kind)
	}
	i.raw = r.b[start:r.pos]
	m.imported[i.Kind]++
	m.Imports = append(m.Imports, i)
}

func (m *Module) addFunc(r *reader, t uint32) {
	if int(t) >= len(m.types) {
		r.invalid("type %d does not exist", t)
	}
	m.funcs = append(m.funcs, t)
	if len(m.funcs) > m.limits.Functions {
		r.fail(fault.Exhausted, "more than %d functions", m.limits.Functions)
	}
}

// table is a defined table; max is clamped to the limit, so that it cannot grow past it.
type table struct {
	element  api.ValueType
	min, max uint32
}

func (m *Module) parseTable(r *reader) table {
	t := table{element: valueType(r)}
	start := r.pos
	t.min = limits(r)
	t.max = uint32(m.limits.Elements)
	if r.b[start]&1 != 0 {
		again := &reader{b: r.b[start+1 : r.pos]}
		again.u32()
		t.max = min(t.max, again.u32())
	}
	if int64(t.min) > int64(m.limits.Elements) {
		r.fail(fault.Exhausted, "a table of %d elements, at most %d are allowed", t.min, m.limits.Elements)
	}
	return t
}

func (m *Module) addMemory(r *reader) {
	if m.memories++; m.memories > 1 {
		r.unsupported("more than one memory (multi-memory)")
	}
}

// limits reads a table's or memory's limits and returns the minimum.
func limits(r *reader) uint32 {
	flags := r.byte()
	switch {
	case flags&^1 == 0:
	case flags&2 != 0:
		r.unsupported("shared memory (threads)")
	case flags&4 != 0:
		r.unsupported("64-bit memory (memory64)")
	default:
		r.unsupported("limits of form %#x (custom page sizes)", flags)
	}
	low := r.u32()
	if flags&1 != 0 {
		r.u32()
	}
	return low
}

func (m *Module) parseExports(r *reader) {
	for range r.count("exports", m.limits.Exports) {
		e := Export{Name: r.name(), Kind: Kind(r.byte()), Index: r.u32()}
		if strings.HasPrefix(e.Name, reserved) {
			r.invalid("export %q uses a reserved name", e.Name)
		}
		if e.Kind > Global {
			r.unsupported("export of kind %d (exception tags)", e.Kind)
		}
		if e.Kind == Func {
			if int(e.Index) >= len(m.funcs) {
				r.invalid("export %q names function %d, which does not exist", e.Name, e.Index)
			}
			e.Type = &m.types[m.funcs[e.Index]]
		}
		if e.Kind == Global {
			r.below(e.Index, m.globals, "global")
		}
		m.Exports = append(m.Exports, e)
	}
}
