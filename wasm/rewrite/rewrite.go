package rewrite

import (
	"strconv"

	"greentic.dev/greentic/fault"
)

// Rename says under which module and name an import is resolved.
type Rename struct{ Module, Name string }

// Slice is how many points a guest passes before it leaves to Go once.
const Slice = 8192

// DefaultDepth is how many calls may be nested in one module when the invocation does not say.
const DefaultDepth = 10_000

// Names of what every rewritten module imports and exports besides its own.
const (
	PointModule  = reserved + "host"    // imported, with these two functions
	PointName    = "point"              // (i32) -> (): PointSlice or PointDepth
	StartName    = "start"              // () -> i32: 0 for an instance that will be put into an image, which must not start
	Gauge        = reserved + "gauge"   // i64: upper half points left in this slice, lower half calls that may still be nested
	Used         = reserved + "used"    // i64: points of finished slices
	Lasted       = reserved + "lasted"  // i32: 1 once the module has changed a table or dropped a segment
	exportGlobal = reserved + "global." // a defined mutable global, by its index
)

// What a guest tells the host at a safe point.
const (
	PointSlice = 0 // a slice has ended
	PointDepth = 1 // calls are nested too deeply; the host must not return
)

// How many functions the rewriter imports, and how many functions and globals it adds behind
// those of the module.
const (
	addedImports = 2
	addedFuncs   = 3
	addedGlobals = 3
)

// rewriter holds the new indexes of one rewriting.
type rewriter struct {
	m       *Module
	point   uint32 // the imported functions of the host; defined functions move up by addedImports
	yield   uint32 // added functions
	charge  uint32
	begin   uint32
	gauge   uint32 // added globals
	used    uint32
	lasted  uint32
	scratch uint32 // added locals of the body being rewritten: i64, i32
	length  uint32
	counted bool    // that body counts its depth
	loops   []int64 // costs of its loops, in the order of their heads
	passive int     // elements of segments met that are not active
	work    []int   // of each defined function; see weigh
	nest    []int   // scratch: for each open block the loop it is, or -1

	types  [][]byte          // added types, encoded
	blocks map[string]uint32 // block type by its results
	voidTy uint32            // () -> ()
	i32Ty  uint32            // (i32) -> ()
	askTy  uint32            // () -> i32

	merged []segment // data segments that begin writes; see merge
	late   bool      // there are such
}

// Rewrite returns the module with its imports renamed (one Rename per import, in order), its
// mutable globals exported and safe points inserted. Errors are those of Parse.
func (m *Module) Rewrite(imports []Rename) (out []byte, err error) {
	defer recoverFailure(&err)
	if len(imports) != len(m.Imports) {
		return nil, fault.Newf(fault.Internal, "core module", "%d renames for %d imports", len(imports), len(m.Imports))
	}
	w := &rewriter{m: m, blocks: map[string]uint32{}, work: make([]int, len(m.bodies))}
	w.point = uint32(m.imported[Func])
	w.yield = uint32(len(m.funcs)) + addedImports
	w.charge, w.begin = w.yield+1, w.yield+2
	w.merged, w.late = w.merge()
	w.gauge, w.used, w.lasted = uint32(m.globals), uint32(m.globals)+1, uint32(m.globals)+2
	w.voidTy = w.addType([]byte{0x60, 0, 0})
	w.i32Ty = w.addType([]byte{0x60, 1, 0x7f, 0})
	w.askTy = w.addType([]byte{0x60, 0, 1, 0x7f})

	bodies := map[byte][]byte{
		secFunction: w.functions(), secExport: w.exports(), secImport: w.imports(imports), secCode: w.code(),
	}
	for _, s := range m.sections {
		if body := w.section(s); body != nil {
			bodies[s.id] = body
		}
	}
	if bodies[secGlobal] == nil {
		bodies[secGlobal] = append([]byte{addedGlobals}, newGlobals()...)
	}
	if w.late {
		bodies[secDataCount] = appendU32(nil, uint32(len(w.merged)))
	}
	if w.begins() {
		bodies[secStart] = appendU32(nil, w.begin)
	}
	bodies[secType] = w.allTypes() // last: rewriting bodies may have added some
	out = []byte("\x00asm\x01\x00\x00\x00")
	for _, id := range []byte{secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secStart, secElement, secDataCount, secCode, secData, secCustom} {
		if body, ok := bodies[id]; ok {
			out = append(appendU32(append(out, id), uint32(len(body))), body...)
		}
	}
	return out, nil
}

func (w *rewriter) addType(encoded []byte) uint32 {
	w.types = append(w.types, encoded)
	return uint32(len(w.m.types) + len(w.types) - 1)
}

// fn is the new index of a function.
func (w *rewriter) fn(index uint32) uint32 {
	if index >= w.point {
		return index + addedImports
	}
	return index
}

// ref reads a function index and moves it.
func (w *rewriter) ref(r *reader) uint32 {
	index := r.u32()
	r.below(index, len(w.m.funcs), "function")
	return w.fn(index)
}

// section rewrites one of the sections that a module need not have; nil drops it.
func (w *rewriter) section(s section) []byte {
	r := &reader{b: s.body, base: s.base}
	switch s.id {
	case secCustom:
		if r.name() == "name" {
			return w.names(r)
		}
	case secTable:
		return w.tables()
	case secMemory:
		return s.body
	case secGlobal:
		return w.globals(r)
	case secElement:
		return w.elements(r)
	case secDataCount:
		if w.m.effects.segments {
			return s.body
		}
	case secData:
		return w.data()
	}
	return nil
}

func (w *rewriter) imports(names []Rename) []byte {
	out := appendU32(nil, uint32(len(w.m.Imports)+addedImports))
	for i, it := range w.m.Imports {
		out = append(appendName(appendName(out, names[i].Module), names[i].Name), it.raw...)
	}
	out = appendU32(append(appendName(appendName(out, PointModule), PointName), 0), w.i32Ty)
	return appendU32(append(appendName(appendName(out, PointModule), StartName), 0), w.askTy)
}

func (w *rewriter) functions() []byte {
	defined := w.m.funcs[w.m.imported[Func]:]
	out := appendU32(nil, uint32(len(defined)+addedFuncs))
	for _, t := range defined {
		out = appendU32(out, t)
	}
	return appendU32(appendU32(appendU32(out, w.voidTy), w.i32Ty), w.voidTy)
}

func (w *rewriter) allTypes() []byte {
	out := appendU32(nil, uint32(len(w.m.types)+len(w.types)))
	for _, t := range w.m.types {
		out = append(out, 0x60)
		out = append(appendU32(out, uint32(len(t.Params))), t.Params...)
		out = append(appendU32(out, uint32(len(t.Results))), t.Results...)
	}
	for _, t := range w.types {
		out = append(out, t...)
	}
	return out
}

func (w *rewriter) tables() []byte {
	out := appendU32(nil, uint32(len(w.m.tables)))
	for _, t := range w.m.tables {
		out = appendU32(appendU32(append(out, t.element, 1), t.min), t.max)
	}
	return out
}

// newGlobals are gauge, used and lasted, encoded.
func newGlobals() []byte {
	b := appendS64([]byte{0x7e, 1, opI64Const}, Slice<<32|DefaultDepth)
	b = append(b, opEnd, 0x7e, 1, opI64Const, 0, opEnd)
	return append(b, 0x7f, 1, opI32Const, 0, opEnd)
}

func (w *rewriter) globals(r *reader) []byte {
	n := r.u32()
	out := appendU32(nil, n+addedGlobals)
	for range n {
		out = append(out, r.byte(), r.byte())
		out = w.constant(r, out)
	}
	return append(out, newGlobals()...)
}

func (w *rewriter) exports() []byte {
	n := uint32(len(w.m.Exports) + addedGlobals)
	var out []byte
	for _, e := range w.m.Exports {
		index := e.Index
		if e.Kind == Func {
			index = w.fn(index)
		}
		out = appendU32(append(appendName(out, e.Name), byte(e.Kind)), index)
	}
	add := func(name string, index uint32) {
		out = appendU32(append(appendName(out, name), byte(Global)), index)
	}
	for i, g := range w.m.defined {
		if g.mutable {
			index := w.m.imported[Global] + i
			add(globalName(index), uint32(index))
			n++
		}
	}
	add(Gauge, w.gauge)
	add(Used, w.used)
	add(Lasted, w.lasted)
	return append(appendU32(nil, n), out...)
}

// globalName is the name under which a mutable global is exported.
func globalName(index int) string { return exportGlobal + strconv.Itoa(index) }

// mutableGlobals are the names of the defined mutable globals.
func (m *Module) mutableGlobals() (names []string) {
	for i, g := range m.defined {
		if g.mutable {
			names = append(names, globalName(m.imported[Global]+i))
		}
	}
	return names
}

// constant copies a constant expression with function references moved.
func (w *rewriter) constant(r *reader, out []byte) []byte {
	for {
		start := r.pos
		op := r.byte()
		switch op {
		case 0x0b:
			return append(out, op)
		case 0xd2:
			out = appendU32(append(out, op), w.ref(r))
			continue
		case 0x41:
			r.s64(32)
		case 0x42:
			r.s64(64)
		case 0x43:
			r.take(4)
		case 0x44:
			r.take(8)
		case 0x23:
			r.below(r.u32(), w.m.globals, "global")
		case 0xd0:
			valueType(r)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e:
		case 0xfd:
			if r.u32() != 12 {
				r.invalid("a constant expression holds another vector instruction than v128.const")
			}
			r.take(16)
		default:
			r.unsupported("instruction %#x in a constant expression", op)
		}
		out = append(out, r.b[start:r.pos]...)
	}
}

func (w *rewriter) elements(r *reader) []byte {
	n := r.count("element segments", w.m.limits.Segments)
	out, left := appendU32(nil, uint32(n)), w.m.limits.Elements
	for range n {
		flags := r.u32()
		if flags > 7 {
			r.invalid("element segment of form %d", flags)
		}
		out = appendU32(out, flags)
		if flags&1 == 0 {
			if flags&2 != 0 {
				out = appendU32(out, r.u32())
			}
			out = w.constant(r, out)
		}
		if flags&3 != 0 {
			out = append(out, r.byte()) // element kind or reference type
		}
		items := r.count("elements", left)
		w.passive += items * int(flags&1)
		left -= items // the engine keeps more than 64 bytes for each
		out = appendU32(out, uint32(items))
		for range items {
			if flags&4 != 0 {
				out = w.constant(r, out)
			} else {
				out = appendU32(out, w.ref(r))
			}
		}
	}
	return out
}
