package core

import (
	"sort"

	"greentic.dev/greentic/fault"
)

// Rename says under which module and name an import is resolved.
type Rename struct{ Module, Name string }

// Slice is how many safe points a guest passes before it leaves to Go once.
const Slice = 8192

// DefaultDepth is how many calls may be nested in one module when the invocation does not say.
const DefaultDepth = 10_000

// Names of what every rewritten module imports and exports besides its own.
const (
	pointModule = reserved + "host"
	pointName   = "point"
	exportSlice = reserved + "slice" // i32: safe points left in this slice
	exportUsed  = reserved + "used"  // i64: safe points of finished slices
	exportDepth = reserved + "depth" // i32: calls that may still be nested
)

// What a guest tells the host at a safe point.
const (
	pointSlice = 0
	pointDepth = 1
)

// rewriter holds the new indexes of one rewriting.
type rewriter struct {
	m     *Module
	point uint32 // the imported function that safe points call; defined functions move up by one
	yield uint32 // the added function that ends a slice
	slice uint32 // added globals
	used  uint32
	depth uint32

	types  [][]byte          // added types, encoded
	blocks map[string]uint32 // block type by its results
	voidTy uint32            // () -> ()
}

// Rewrite returns the module with its imports renamed (one Rename per import, in order) and
// safe points inserted. Errors are those of Parse.
func (m *Module) Rewrite(imports []Rename) (out []byte, err error) {
	defer recoverFailure(&err)
	if len(imports) != len(m.Imports) {
		return nil, fault.Newf(fault.Internal, "core module", "%d renames for %d imports", len(imports), len(m.Imports))
	}
	w := &rewriter{m: m, blocks: map[string]uint32{}}
	w.point = uint32(m.imported[Func])
	w.yield = uint32(len(m.funcs)) + 1
	w.slice, w.used, w.depth = uint32(m.globals), uint32(m.globals)+1, uint32(m.globals)+2
	w.voidTy = w.addType([]byte{0x60, 0, 0})
	pointTy := w.addType([]byte{0x60, 1, 0x7f, 0})

	bodies := map[byte][]byte{}
	for _, s := range m.sections {
		if body := w.section(s, imports, pointTy); body != nil {
			bodies[s.id] = body
		}
	}
	w.complete(bodies, imports, pointTy)
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
		return index + 1
	}
	return index
}

// ref reads a function index and moves it.
func (w *rewriter) ref(r *reader) uint32 {
	index := r.u32()
	r.below(index, len(w.m.funcs), "function")
	return w.fn(index)
}

// section rewrites one section; nil drops it.
func (w *rewriter) section(s section, imports []Rename, pointTy uint32) []byte {
	r := &reader{b: s.body, base: s.base}
	switch s.id {
	case secCustom:
		if r.name() == "name" {
			return w.names(r)
		}
		return nil
	case secType, secImport:
		return nil // made in complete
	case secFunction:
		n := r.u32()
		return appendU32(append(appendU32(nil, n+1), s.body[r.pos:]...), w.voidTy)
	case secTable:
		return w.tables()
	case secGlobal:
		return w.whole(r, w.globals(r))
	case secExport:
		return w.exports()
	case secStart:
		return w.whole(r, appendU32(nil, w.ref(r)))
	case secElement:
		return w.whole(r, w.elements(r))
	case secCode:
		return w.whole(r, w.code(r))
	case secData:
		return w.whole(r, w.data(r))
	}
	return s.body
}

// whole refuses a section that was not read to its end.
func (w *rewriter) whole(r *reader, out []byte) []byte {
	if r.more() {
		r.invalid("a section has bytes left over")
	}
	return out
}

// complete makes the sections that every rewritten module has.
func (w *rewriter) complete(bodies map[byte][]byte, imports []Rename, pointTy uint32) {
	m := w.m
	if bodies[secFunction] == nil {
		bodies[secFunction] = appendU32([]byte{1}, w.voidTy)
	}
	if bodies[secCode] == nil {
		bodies[secCode] = append([]byte{1}, w.yieldBody()...)
	}
	if bodies[secGlobal] == nil {
		bodies[secGlobal] = append([]byte{3}, addedGlobals()...)
	}
	if bodies[secExport] == nil {
		bodies[secExport] = w.exports()
	}
	imp := appendU32(nil, uint32(len(m.Imports)+1))
	for i, it := range m.Imports {
		imp = append(appendName(appendName(imp, imports[i].Module), imports[i].Name), it.raw...)
	}
	bodies[secImport] = appendU32(append(appendName(appendName(imp, pointModule), pointName), 0), pointTy)

	// Types last: rewriting bodies may have added some.
	types := appendU32(nil, uint32(len(m.types)+len(w.types)))
	for _, t := range m.types {
		types = append(types, 0x60)
		types = append(appendU32(types, uint32(len(t.Params))), t.Params...)
		types = append(appendU32(types, uint32(len(t.Results))), t.Results...)
	}
	for _, t := range w.types {
		types = append(types, t...)
	}
	bodies[secType] = types
}

func (w *rewriter) tables() []byte {
	out := appendU32(nil, uint32(len(w.m.tables)))
	for _, t := range w.m.tables {
		out = appendU32(appendU32(append(out, t.element, 1), t.min), t.max)
	}
	return out
}

func addedGlobals() []byte {
	b := append([]byte{0x7f, 1, 0x41}, appendS64(nil, Slice)...)
	b = append(b, 0x0b, 0x7e, 1, 0x42, 0, 0x0b, 0x7f, 1, 0x41)
	return append(appendS64(b, DefaultDepth), 0x0b)
}

func (w *rewriter) globals(r *reader) []byte {
	n := r.u32()
	out := appendU32(nil, n+3)
	for range n {
		out = append(out, r.byte(), r.byte())
		out = w.constant(r, out)
	}
	return append(out, addedGlobals()...)
}

func (w *rewriter) exports() []byte {
	out := appendU32(nil, uint32(len(w.m.Exports)+3))
	for _, e := range w.m.Exports {
		index := e.Index
		if e.Kind == Func {
			index = w.fn(index)
		}
		out = appendU32(append(appendName(out, e.Name), byte(e.Kind)), index)
	}
	for _, e := range []struct {
		name  string
		index uint32
	}{{exportSlice, w.slice}, {exportUsed, w.used}, {exportDepth, w.depth}} {
		out = appendU32(append(appendName(out, e.name), byte(Global)), e.index)
	}
	return out
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
	out := appendU32(nil, uint32(n))
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
		items := r.count("elements", 10_000_000)
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

// names keeps the module name and the function names, with their new indexes: backtraces are
// made of them. A malformed section is dropped; it means nothing to execution.
func (w *rewriter) names(r *reader) (out []byte) {
	defer func() {
		if _, bad := recover().(failure); bad {
			out = nil
		}
	}()
	out = appendName(nil, "name")
	for r.more() {
		id := r.byte()
		sub := r.sub(int(r.u32()))
		switch id {
		case 0:
			out = append(appendU32(append(out, id), uint32(len(sub.b))), sub.b...)
		case 1:
			type named struct {
				index uint32
				name  string
			}
			var list []named
			for range sub.count("names", w.m.limits.Functions) {
				list = append(list, named{w.fn(sub.u32()), sub.name()})
			}
			sort.Slice(list, func(i, j int) bool { return list[i].index < list[j].index })
			body := appendU32(nil, uint32(len(list)))
			for _, n := range list {
				body = appendName(appendU32(body, n.index), n.name)
			}
			out = append(appendU32(append(out, id), uint32(len(body))), body...)
		}
	}
	return out
}
