package oracle

// Interfaces and functions that worlds of values consist of.
const (
	typesName = "oracle:host/types" // the named types and the resources
	apiName   = "oracle:host/api"   // what guests call
	runName   = "oracle:guest/run"  // what guests export
)

// pass is one function of a guest: exported with a type, it calls the import of the same name.
type pass struct {
	name   string
	typ    *Func // as exported
	target *Func // as imported; nil when nothing is called
	world  bool  // imported and exported at world level, outside any interface

	forward  bool     // hands its core parameters and the results on
	args     []uint64 // otherwise: core values to call the import with
	results  []uint64 // core results when there is no import
	skew     uint32   // added to the pointer to where the import puts its result
	keep     bool     // does not drop what it borrowed
	post     bool     // has a post-return function
	mutation []string // how args or results were spoiled
}

// guest is a component of such functions over a memory and a bump allocator of its own.
type guest struct {
	options // encoding
	named   []*Type
	funcs   []*pass
	image   *image
	nested  bool   // exports the types too, for the next guest
	chained bool   // its api is that of another guest, which counts its post-returns
	crooked uint32 // what realloc adds to the pointers it gives
	area    uint32
	pages   uint32
}

const imageBase = 1024

// memory makes the module that the canonical options refer to: the memory with the image, a
// realloc that bumps and grows, post-return functions that count, and their counter.
func (g *guest) memory() *module {
	m := &module{}
	end := aligned(g.image.base+uint32(len(g.image.bytes)), 16)
	area := uint32(0)
	for _, f := range g.funcs {
		for _, t := range []*Func{f.typ, f.target} {
			if t != nil && t.spillsResult() {
				area = max(area, t.Result.size())
			}
		}
	}
	g.area = end
	heap := aligned(end+area, 16)
	g.pages = heap>>16 + 1
	m.memories = [][]byte{cat([]byte{0}, num(int(g.pages)))}
	mutable := func(v uint32) []byte { return cat([]byte{i32, 1}, i32Const(v), []byte{0x0b}) }
	m.globals = [][]byte{mutable(heap), mutable(0)}
	m.exports = [][]byte{cat(str("memory"), []byte{2, 0})}
	m.data = [][]byte{cat([]byte{0}, i32Const(g.image.base), []byte{0x0b}, num(len(g.image.bytes)), g.image.bytes)}
	const old, oldSize, align, size, ptr = 0, 1, 2, 3, 4
	m.fn("realloc", []byte{i32, i32, i32, i32}, []byte{i32}, []byte{i32},
		// ptr = (heap + align - 1) & -align; heap = ptr + size
		[]byte{0x23, 0}, localGet(align), []byte{0x6a}, i32Const(1), []byte{0x6b}, i32Const(0), localGet(align), []byte{0x6b, 0x71}, localSet(ptr),
		localGet(ptr), localGet(size), []byte{0x6a, 0x24, 0},
		// while heap > memory.size << 16: if memory.grow(1) == -1: unreachable
		[]byte{0x03, 0x40, 0x23, 0, 0x3f, 0}, i32Const(16), []byte{0x74, 0x4b, 0x04, 0x40},
		i32Const(1), []byte{0x40, 0}, i32Const(0xffffffff), []byte{0x46, 0x04, 0x40, 0x00, 0x0b, 0x0c, 1, 0x0b, 0x0b},
		localGet(ptr), i32Const(g.crooked), []byte{0x6a}, localSet(ptr),
		// memory.copy(ptr, old, min(oldSize, size))
		localGet(ptr), localGet(old), localGet(oldSize), localGet(size), localGet(oldSize), localGet(size), []byte{0x49, 0x1b},
		[]byte{0xfc, 10, 0, 0}, localGet(ptr))
	for _, f := range g.funcs {
		if f.post {
			_, results := f.typ.lifted()
			m.fn("post-"+f.name, results, nil, nil, []byte{0x23, 1}, i32Const(1), []byte{0x6a, 0x24, 1})
		}
	}
	m.fn("posts", nil, []byte{i32}, nil, []byte{0x23, 1})
	return m
}

// code makes the module of the functions. drops names the resources it can drop.
func (g *guest) code(drops []*Type) *module {
	m := &module{}
	m.imports = [][]byte{cat(str("m"), str("memory"), []byte{2, 0}, num(int(g.pages)))}
	imports, drop := map[*pass]int{}, map[*Type]int{}
	for _, f := range g.funcs {
		if f.target != nil {
			params, results := f.target.lowered()
			imports[f] = m.importFunc("api", f.name, params, results)
		}
	}
	for _, r := range drops {
		drop[r] = m.importFunc("api", "drop-"+r.Name, []byte{i32}, nil)
	}
	posts, note := -1, -1
	if g.chained {
		posts = m.importFunc("api", "posts", nil, []byte{i32})
		note = m.importFunc("api", "note", []byte{i32}, nil)
	}
	for _, f := range g.funcs {
		g.function(m, f, imports[f], drop, posts, note)
	}
	return m
}

func (g *guest) function(m *module, f *pass, target int, drop map[*Type]int, posts, note int) {
	params, results := f.typ.lifted()
	var body []byte
	emit := func(parts ...[]byte) { body = append(body, cat(parts...)...) }
	if f.target == nil {
		for i, r := range results {
			emit(constant(r, f.results[i]))
		}
		m.fn(f.name, params, results, nil, body)
		return
	}
	lowered, got := f.target.lowered()
	for i, p := range lowered {
		switch {
		case i == len(lowered)-1 && f.target.spillsResult():
			emit(i32Const(g.area + f.skew))
		case f.forward:
			emit(localGet(i))
		default:
			emit(constant(p, f.args[i]))
		}
	}
	emit(call(target))
	if !f.forward {
		for range got {
			emit([]byte{0x1a}) // drop
		}
		m.fn(f.name, params, results, nil, body)
		return
	}
	for range got {
		emit(localSet(len(params)))
	}
	if !f.keep {
		emit(g.dropBorrows(f.typ, drop))
	}
	if g.chained {
		emit(call(posts), call(note))
	}
	for range got {
		emit(localGet(len(params)))
	}
	if f.target.spillsResult() {
		emit(i32Const(g.area))
	}
	m.fn(f.name, params, results, got, body)
}

// dropBorrows drops the borrowed handles among the parameters, as far as they are parameters
// themselves; a function with others in its depths traps when it returns.
func (g *guest) dropBorrows(f *Func, drop map[*Type]int) (body []byte) {
	at, offset := 0, uint32(0)
	for _, p := range f.Params {
		offset = aligned(offset, p.align())
		if p.Kind == "borrow" {
			if f.spillsParams() {
				body = append(body, cat(localGet(0), []byte{0x28, 2}, num(int(offset)))...)
			} else {
				body = append(body, localGet(at)...)
			}
			body = append(body, call(drop[p.Elem])...)
		}
		at += len(p.flat())
		offset += p.size()
	}
	return body
}
