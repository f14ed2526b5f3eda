package rewrite

import (
	"math"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"greentic.dev/greentic/fault"
)

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

	types    []FuncType
	funcs    []uint32 // type index of every function, imported first
	imported [4]int   // imports by kind
	globals  int      // imported and defined
	defined  []global // defined globals
	tables   []table  // defined
	memories int      // imported and defined
	memory   *MemoryType
	bodies   []body
	segments []segment
	passive  int    // elements of segments that are not put into a table at the start
	start    uint32 // the start function, when it starts
	starts   bool

	sections  []section
	limits    Limits
	dataCount int // of the data count section; -1 when there is none
	effects   effects
	Effort    int // of compiling its functions, about 10 to 50 ns each; see Limits
}

// global is the type of a defined global.
type global struct {
	valueType api.ValueType
	mutable   bool
}

// MemoryType is a defined memory, in pages of 64 KiB.
type MemoryType struct{ Min, Max uint32 }

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
// feature) or fault.Exhausted (a limit) and give the offset in the module. Types of
// instructions are checked when the module is compiled.
func Parse(src []byte, lim Limits) (m *Module, err error) {
	defer recoverFailure(&err)
	m = &Module{limits: lim.orDefault(), dataCount: -1}
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
			body.unsupported("section %d (%s)", id, laterSection(id))
		}
		if id != secCustom {
			if sectionOrder[id] <= last {
				body.invalid("section %d occurs twice or too late", id)
			}
			last = sectionOrder[id]
		}
		m.sections = append(m.sections, section{id: id, body: body.b, base: body.base})
		m.parseSection(id, body)
		if id != secCustom && body.more() {
			body.invalid("section %d has bytes left over", id)
		}
	}
	m.complete(r)
	return m, nil
}

// complete checks what only the whole module shows.
func (m *Module) complete(r *reader) {
	if defined := len(m.funcs) - m.imported[Func]; defined != len(m.bodies) {
		r.invalid("%d functions have %d bodies", defined, len(m.bodies))
	}
	if m.dataCount >= 0 && m.dataCount != len(m.segments) {
		r.invalid("%d data segments are announced, there are %d", m.dataCount, len(m.segments))
	}
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

func (m *Module) parseSection(id byte, r *reader) {
	same := &rewriter{m: m, point: math.MaxUint32} // moves nothing: it only checks
	switch id {
	case secCustom:
		r.name()
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
		m.parseTables(r)
	case secMemory:
		for range r.count("memories", 1<<20) {
			m.addMemory(r)
			m.memory = &MemoryType{}
			m.memory.Min, m.memory.Max = limits(r, 65536)
		}
	case secGlobal:
		for range r.count("globals", m.limits.Globals-min(m.globals, m.limits.Globals)) {
			m.defined = append(m.defined, global{valueType: valueType(r), mutable: mutability(r)})
			same.constant(r, nil)
		}
		m.globals += len(m.defined)
	case secExport:
		m.parseExports(r)
	case secStart:
		m.start = same.ref(r)
		m.starts = true
	case secElement:
		same.elements(r)
		m.passive = same.passive
	case secDataCount:
		m.dataCount = int(r.u32())
	case secCode:
		m.parseCode(r)
	case secData:
		m.parseData(r)
	}
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
	switch t {
	case 0x63, 0x64:
		r.unsupported("value type %#x (typed function references)", t)
	case 0x68, 0x69, 0x74:
		r.unsupported("value type %#x (exception handling)", t)
	case 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73:
		r.unsupported("value type %#x (garbage collection)", t)
	}
	r.unsupported("value type %#x", t)
	return 0
}

// laterSection names the proposal of a section that is not of WebAssembly 2.
func laterSection(id byte) string {
	if id == 13 {
		return "exception handling: tags"
	}
	return "a later proposal"
}

func mutability(r *reader) bool {
	b := r.byte()
	if b > 1 {
		r.unsupported("a global of form %#x (shared globals)", b)
	}
	return b == 1
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
		limits(r, math.MaxUint32)
		if m.imported[Table] >= m.limits.Tables {
			r.fail(fault.Exhausted, "more than %d tables", m.limits.Tables)
		}
	case Memory:
		m.addMemory(r)
		limits(r, 65536)
	case Global:
		valueType(r)
		mutability(r)
		if m.globals++; m.globals > m.limits.Globals {
			r.fail(fault.Exhausted, "more than %d globals", m.limits.Globals)
		}
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

// table is a defined table.
type table struct {
	element  api.ValueType
	min, max uint32
}

// parseTables reads the tables. Each costs memory of the host, so all of them together stay
// within the limit, also after growing: max is lowered to what the limit leaves.
func (m *Module) parseTables(r *reader) {
	n := r.count("tables", m.limits.Tables)
	if n+m.imported[Table] > m.limits.Tables {
		r.fail(fault.Exhausted, "more than %d tables", m.limits.Tables)
	}
	left := m.limits.Elements
	for range n {
		if r.more() && r.b[r.pos] == 0x40 {
			r.unsupported("a table with an initial value (function references)")
		}
		t := table{element: valueType(r)}
		t.min, t.max = limits(r, math.MaxUint32)
		if int64(t.min) > int64(left) {
			r.fail(fault.Exhausted, "tables of more than %d elements", m.limits.Elements)
		}
		left -= int(t.min)
		m.tables = append(m.tables, t)
	}
	for i := range m.tables {
		t := &m.tables[i]
		if share := uint32(left / len(m.tables)); t.max-t.min > share {
			t.max = t.min + share
		}
	}
}

func (m *Module) addMemory(r *reader) {
	if m.memories++; m.memories > 1 {
		r.unsupported("more than one memory (multi-memory)")
	}
}

// limits reads a table's or memory's limits; without an upper one high is most.
func limits(r *reader, most uint32) (low, high uint32) {
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
	low, high = r.u32(), most
	if flags&1 != 0 {
		high = r.u32()
	}
	if low > high || high > most {
		r.invalid("limits from %d to %d", low, high)
	}
	return low, high
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
		switch e.Kind {
		case Func:
			r.below(e.Index, len(m.funcs), "function")
			e.Type = &m.types[m.funcs[e.Index]]
		case Table:
			r.below(e.Index, len(m.tables)+m.imported[Table], "table")
		case Memory:
			r.below(e.Index, m.memories, "memory")
		case Global:
			r.below(e.Index, m.globals, "global")
		}
		m.Exports = append(m.Exports, e)
	}
}
