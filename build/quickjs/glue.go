package quickjs

import (
	"fmt"
	"maps"
	"slices"

	"greentic.dev/wasm/canon"
	enc "greentic.dev/wasm/encode"
	"greentic.dev/wasm/wit"
)

// Numbers of the glue's functions that the kernel calls; those for imports follow.
const (
	opText = iota
	opUTF8
	opFree
	opAlloc
	opRandom
	firstImport
)

// Numbers of what the glue asks the kernel for; exports follow.
const (
	askResolve = iota
	askLoad
	askFinish
	firstExport
)

// The block of memory that glue and kernel share, from its beginning: 32 slots of eight bytes,
// the length of a string, then what only the glue uses.
const (
	lengthAt   = 256
	askAt      = 264
	dispatchAt = 272
	clockAt    = 280
	nameAt     = 296
	blockBytes = 304
)

// JavaScript values of the engine are 64 bits: a tag over what it is about. Small integers have
// the tag 0, and are themselves.
const (
	tagUndefined = 3
	tagException = 6
	undefined    = tagUndefined << 32
)

// genericMagic is the kind of a function that is called with the number it was made with.
const genericMagic = 1

// Slots of the shelf's table, and the type of what is called through each: the engine imports
// functions of the glue, which is only there after the engine.
var indirect = []struct {
	name string
	sig  enc.Signature
}{
	{"host_module_normalize", enc.Sig("ii", "i")},
	{"host_module_load", enc.Sig("ii", "i")},
	{"clock_time_get", enc.Sig("iIi", "i")},
	{"random_get", enc.Sig("ii", "i")},
}

// badFile and noSystem are errno values of WASI preview 1.
const badFile, noSystem = 8, 52

// shelf is the module that holds the script, in a memory of its own, and what the engine imports.
func shelf(script string) []byte {
	m := &enc.Module{}
	pages := (len(script) + 8 + 1<<16 - 1) >> 16
	m.Table("table", len(indirect))
	m.Memory(pages, []byte(script))
	m.Func("load", enc.Sig("i", "I"), nil, enc.Get(0), enc.Load(enc.I64, 0))
	for slot, f := range indirect {
		var body []byte
		for p := range f.sig.Params {
			body = append(body, enc.Get(p)...)
		}
		m.Func(f.name, f.sig, nil, body, enc.Const(int32(slot)), m.CallIndirect(f.sig))
	}
	m.Func("host_call", enc.Sig("iiiii", "i"), nil, enc.Unreachable) // the glue has functions of another kind
	m.Func("host_get_timezone_offset", enc.Sig("ii", "i"), nil, enc.Const(0))
	m.Func("host_interrupt", enc.Sig("", "i"), nil, enc.Const(0))
	m.Func("host_promise_rejection", enc.Sig("iii", ""), nil)
	m.Func("fd_close", enc.Sig("i", "i"), nil, enc.Const(badFile))
	m.Func("fd_fdstat_get", enc.Sig("ii", "i"), nil, enc.Const(badFile))
	m.Func("fd_seek", enc.Sig("iIii", "i"), nil, enc.Const(badFile))
	m.Func("fd_write", enc.Sig("iiii", "i"), nil, enc.Const(noSystem))
	return m.Bytes()
}

// arena is the module that gives out memory for what crosses: all of it is free again when a call
// of the component has ended. What fits lies side by side in one block; the rest is allocated,
// and each such piece begins with where the one before it is.
func arena() []byte {
	const header = 16 // keeps the alignment of malloc
	const room = 16 << 10
	m := &enc.Module{}
	malloc := m.ImportFunc("q", "malloc", enc.Sig("i", "i"))
	free := m.ImportFunc("q", "free", enc.Sig("i", ""))
	m.ImportMemory("q", "memory")
	last, block, next, end := m.Global(0), m.Global(0), m.Global(0), m.Global(0)
	const old, oldSize, size, piece = 0, 1, 3, 4
	m.Func("prepare", enc.Sig("", ""), nil,
		enc.Const(room+8), enc.Call(malloc), enc.SetGlobal(block), enc.GetGlobal(block), enc.SetGlobal(next),
		enc.GetGlobal(block), enc.Const(room), enc.Add, enc.SetGlobal(end))
	m.Func("realloc", enc.Sig("iiii", "i"), []byte{enc.I32},
		enc.Get(old), enc.Eqz, enc.Get(size), enc.GetGlobal(end), enc.GetGlobal(next), enc.Sub, enc.LessU, enc.And, enc.If(
			enc.GetGlobal(next),
			enc.GetGlobal(next), enc.Get(size), enc.Add, enc.Const(7), enc.Add, enc.Const(-8), enc.And, enc.SetGlobal(next),
			enc.Return),
		enc.Get(size), enc.Const(header), enc.Add, enc.Call(malloc), enc.Tee(piece), enc.Eqz, enc.If(enc.Unreachable),
		enc.Get(piece), enc.GetGlobal(last), enc.Store(enc.I32, 0), enc.Get(piece), enc.SetGlobal(last),
		enc.Get(old), enc.If(
			enc.Get(piece), enc.Const(header), enc.Add, enc.Get(old),
			enc.Get(oldSize), enc.Get(size), enc.Get(oldSize), enc.Get(size), enc.LessU, enc.Select, enc.Copy),
		enc.Get(piece), enc.Const(header), enc.Add)
	m.Func("release", enc.Sig("", ""), []byte{enc.I32},
		enc.GetGlobal(block), enc.SetGlobal(next),
		enc.While(enc.GetGlobal(last),
			enc.GetGlobal(last), enc.Tee(0), enc.Load(enc.I32, 0), enc.SetGlobal(last), enc.Get(0), enc.Call(free)))
	return m.Bytes()
}

// gluing is the glue being made.
type gluing struct {
	enc.Module
	q                map[string]int // functions of the engine
	load             int
	prepare          int
	realloc, release int
	now, random      int
	imported         []canonical // in the order of their numbers
	block, context   int         // globals
	started, enter   int
}

type canonical struct {
	fn     int
	signed enc.Signature
}

// engineFuncs are what the glue calls of the engine, with their types.
func engineFuncs() map[string]enc.Signature {
	return map[string]enc.Signature{"_initialize": enc.Sig("", ""), "malloc": enc.Sig("i", "i"), "free": enc.Sig("i", ""), "strdup": enc.Sig("i", "i"), "strlen": enc.Sig("i", "i"),
		"qjs_init": enc.Sig("", "i"), "qjs_set_module_loader": enc.Sig("i", ""), "qjs_set_max_stack_size": enc.Sig("i", ""), "qjs_eval": enc.Sig("iiii", "i"),
		"qjs_is_exception": enc.Sig("i", "i"), "qjs_is_job_pending": enc.Sig("", "i"), "qjs_execute_pending_job": enc.Sig("", "i"), "qjs_get_context_ptr": enc.Sig("", "i"),
		"qjs_run_gc": enc.Sig("", ""), "qjs_set_gc_threshold": enc.Sig("i", ""), "JS_NewArrayBuffer": enc.Sig("iiiiiii", "I"), "JS_NewCFunction2": enc.Sig("iiiiii", "I"),
		"JS_Call": enc.Sig("iIIii", "I"), "JS_NewStringLen": enc.Sig("iii", "I"), "JS_ToCStringLen2": enc.Sig("iiIi", "i"), "JS_FreeCString": enc.Sig("ii", "")}
}

func (g *gluing) call(name string) []byte { return enc.Call(g.q[name]) }

// blockAt pushes the address of the shared block.
func (g *gluing) blockAt() []byte { return enc.GetGlobal(g.block) }

// glue is the module that stands between the engine and the functions of the component. Its
// imports "h" are the lowered functions of the imported interfaces by number, its exports "call0",
// "post0" and so on those of the exported ones.
func glue(scriptBytes int, imports, exports []*wit.Interface) []byte {
	g := &gluing{q: map[string]int{}}
	funcs := engineFuncs()
	for _, name := range slices.Sorted(maps.Keys(funcs)) {
		g.q[name] = g.ImportFunc("q", name, funcs[name])
	}
	g.load = g.ImportFunc("s", "load", enc.Sig("i", "I"))
	g.prepare = g.ImportFunc("a", "prepare", enc.Sig("", ""))
	g.realloc = g.ImportFunc("a", "realloc", enc.Sig("iiii", "i"))
	g.release = g.ImportFunc("a", "release", enc.Sig("", ""))
	for _, i := range imports {
		for _, f := range i.Funcs {
			params, results := canon.Compile(f.Type).CoreLowered()
			sig := enc.Signature{Params: params, Results: results}
			g.imported = append(g.imported, canonical{g.ImportFunc("h", fmt.Sprint(len(g.imported)), sig), sig})
		}
	}
	g.ImportMemory("q", "memory")
	g.ImportTable("s", "table", len(indirect))
	g.ImportTable("q", "__indirect_function_table", 1)
	g.block, g.context, g.started = g.Global(0), g.Global(0), g.Global(0)
	g.now, g.random = g.imported[0].fn, g.imported[1].fn
	g.enter = g.entering()
	g.Fill(0, g.resolving(), g.loading(), g.clock(), g.chance())
	g.Fill(1, g.prim()) // the place of no function, which C never calls
	g.exports(exports)
	g.Start(g.start(scriptBytes))
	return g.Bytes()
}

// isException says whether a value that a local holds is none: something was thrown.
func isException(local int) []byte {
	return slices.Concat(enc.Get(local), enc.Const64(32), enc.Shift64, enc.Wrap, enc.Const(tagException), enc.Eq)
}

// entering is the function that asks the kernel, and lets promises go on until none can. It gives
// what the kernel answered, 0 for an exception, which the kernel does not let happen but when
// there is no memory.
func (g *gluing) entering() int {
	const op, answer = 0, 1
	ask := enc.Sig("i", "i")
	once := g.Func("", ask, []byte{enc.I64},
		g.blockAt(), enc.Get(op), enc.ToI64, enc.Store(enc.I64, askAt),
		enc.GetGlobal(g.context), g.blockAt(), enc.Load(enc.I64, dispatchAt), enc.Const64(undefined), enc.Const(1), g.blockAt(), enc.Const(askAt), enc.Add, g.call("JS_Call"), enc.Set(answer),
		isException(answer), enc.If(enc.Const(0), enc.Return),
		enc.Get(answer), enc.Wrap)
	return g.Func("", ask, []byte{enc.I32},
		enc.Get(op), enc.Call(once), enc.Set(answer),
		g.drain(),
		enc.Get(answer), enc.Eqz, enc.If(enc.Const(askFinish), enc.Call(once), enc.Set(answer)),
		enc.Get(answer))
}

// drain runs the jobs of promises.
func (g *gluing) drain() []byte {
	return enc.While(g.call("qjs_is_job_pending"), g.call("qjs_execute_pending_job"), enc.Drop)
}

// prim is the function behind all functions of the glue that JavaScript calls: (context, this,
// argc, argv, number). Arguments and results are values of the engine; those that are numbers are
// small integers.
func (g *gluing) prim() int {
	const context, argv, op = 0, 3, 4
	arg := func(i int) []byte { return slices.Concat(enc.Get(argv), enc.Load(enc.I64, 8*i)) }
	number := func(i int) []byte { return slices.Concat(enc.Get(argv), enc.Load(enc.I32, 8*i)) }
	when := func(n int, body ...[]byte) []byte {
		return slices.Concat(enc.Get(op), enc.Const(int32(n)), enc.Eq, enc.If(append(body, enc.Return)...))
	}
	nothing := enc.Const64(undefined)
	body := [][]byte{
		when(opText, enc.Get(context), number(0), number(1), g.call("JS_NewStringLen")),
		when(opUTF8, enc.Get(context), g.blockAt(), enc.Const(lengthAt), enc.Add, arg(0), enc.Const(0), g.call("JS_ToCStringLen2"), enc.ToI64),
		when(opFree, enc.Get(context), number(0), g.call("JS_FreeCString"), nothing),
		when(opAlloc, enc.Const(0), enc.Const(0), enc.Const(8), number(0), enc.Call(g.realloc), enc.ToI64),
		when(opRandom, g.blockAt(), enc.Call(g.random), enc.Store(enc.I64, 0), nothing),
	}
	for n, f := range g.imported[2:] {
		var do []byte
		if len(f.signed.Results) > 0 {
			do = append(do, g.blockAt()...)
		}
		for i, t := range f.signed.Params {
			do = append(do, slices.Concat(g.blockAt(), enc.Load(t, 8*i))...)
		}
		do = append(do, enc.Call(f.fn)...)
		if len(f.signed.Results) > 0 {
			do = append(do, enc.Store(f.signed.Results[0], 0)...)
		}
		body = append(body, when(firstImport+n, do, nothing))
	}
	return g.Func("", enc.Sig("iIiii", "I"), nil, append(body, enc.Unreachable)...)
}

// resolving gives the name of a module, loading its source: both belong to the engine.
func (g *gluing) resolving() int {
	return g.Func("", indirect[0].sig, nil,
		g.blockAt(), enc.Get(0), enc.Store(enc.I32, 0), g.blockAt(), enc.Get(1), enc.Store(enc.I32, 8),
		enc.Const(askResolve), enc.Call(g.enter), g.call("strdup"))
}

func (g *gluing) loading() int {
	return g.Func("", indirect[1].sig, []byte{enc.I32},
		g.blockAt(), enc.Get(0), enc.Store(enc.I32, 0),
		enc.Const(askLoad), enc.Call(g.enter), g.call("strdup"), enc.Set(2),
		enc.Get(1), enc.Get(2), g.call("strlen"), enc.Store(enc.I32, 0),
		enc.Get(2))
}

// clock stores the time in nanoseconds since 1970; at the start it is 1970.
func (g *gluing) clock() int {
	const place = 2
	return g.Func("", indirect[2].sig, nil,
		enc.Get(place), enc.Const64(0), enc.Store(enc.I64, 0),
		enc.GetGlobal(g.started), enc.If(
			g.blockAt(), enc.Const(clockAt), enc.Add, enc.Call(g.now),
			enc.Get(place), g.blockAt(), enc.Load(enc.I64, clockAt), enc.Const64(1_000_000_000), enc.Mul64,
			g.blockAt(), enc.Load(enc.I32, clockAt+8), enc.ToI64, enc.Add64, enc.Store(enc.I64, 0)),
		enc.Const(0))
}

// chance fills memory with random bytes, at the start with zeros.
func (g *gluing) chance() int {
	const place, left = 0, 1
	value := slices.Concat(enc.GetGlobal(g.started), enc.IfElse(enc.I64, enc.Call(g.random), enc.Const64(0)))
	return g.Func("", indirect[3].sig, nil, enc.While(enc.Get(left),
		enc.Get(place), value, enc.Store8,
		enc.Get(place), enc.Const(1), enc.Add, enc.Set(place),
		enc.Get(left), enc.Const(-1), enc.Add, enc.Set(left)),
		enc.Const(0))
}

// exports are the functions that are lifted: arguments into slots, the kernel, the result out.
func (g *gluing) exports(exports []*wit.Interface) {
	n := 0
	for _, i := range exports {
		for _, f := range i.Funcs {
			sig := canon.Compile(f.Type)
			params, results := sig.CoreLifted()
			var body []byte
			for p, t := range params {
				body = append(body, slices.Concat(g.blockAt(), enc.Get(p), enc.Store(t, 8*p))...)
			}
			answer := len(params)
			body = append(body, slices.Concat(enc.Const(int32(firstExport+n)), enc.Call(g.enter), enc.Tee(answer), enc.Eqz, enc.If(enc.Unreachable))...)
			if _, spilled := sig.Spills(); spilled {
				body = append(body, enc.Get(answer)...)
			} else if len(results) > 0 {
				body = append(body, slices.Concat(g.blockAt(), enc.Load(results[0], 0))...)
			}
			g.Func(fmt.Sprint("call", n), enc.Signature{Params: params, Results: results}, []byte{enc.I32}, body)
			g.Func(fmt.Sprint("post", n), enc.Signature{Params: results}, nil, enc.Call(g.release))
			n++
		}
	}
}

// start brings the script into the engine's memory and runs it. The engine has no more than the
// script in mind when it is done: the copy goes, and so does garbage.
func (g *gluing) start(size int) int {
	const script, i, args, f = 0, 1, 2, 3
	const base, limit = 16, 0x7fff0000 // as in kernel.js
	const collect = 32 << 20           // memory from which cycles are looked for; references are counted anyway
	const stack = 768 << 10            // the engine has 1 MiB of stack, below which there is nothing
	prims := firstImport + len(g.imported) - 2
	put := func(n int, value ...[]byte) []byte {
		return slices.Concat(enc.Get(args), slices.Concat(value...), enc.Store(enc.I64, 8*n))
	}
	context := enc.GetGlobal(g.context)
	body := [][]byte{
		g.call("_initialize"), g.call("qjs_init"), enc.If(enc.Unreachable),
		g.call("qjs_get_context_ptr"), enc.SetGlobal(g.context),
		enc.Const(1), g.call("qjs_set_module_loader"),
		enc.Const(stack), g.call("qjs_set_max_stack_size"),
		enc.Const(blockBytes), g.call("malloc"), enc.SetGlobal(g.block), enc.Call(g.prepare),
		enc.Const(int32(size + 8)), g.call("malloc"), enc.Tee(script), enc.Eqz, enc.If(enc.Unreachable),
		enc.While(slices.Concat(enc.Get(i), enc.Const(int32(size)), enc.LessU),
			enc.Get(script), enc.Get(i), enc.Add, enc.Get(i), enc.Call(g.load), enc.Store(enc.I64, 0),
			enc.Get(i), enc.Const(8), enc.Add, enc.Set(i)),
		enc.Get(script), enc.Const(int32(size)), enc.Add, enc.Const(0), enc.Store(enc.I32, 0), // the engine wants a zero at the end
		g.blockAt(), enc.Const64(0x6c656e72656b), enc.Store(enc.I64, nameAt), // "kernel"
		enc.Get(script), enc.Const(int32(size)), g.blockAt(), enc.Const(nameAt), enc.Add, enc.Const(0), g.call("qjs_eval"), enc.Tee(i),
		g.call("qjs_is_exception"), enc.If(enc.Unreachable),
		enc.Get(script), g.call("free"),
		enc.Const(int32(8 * (2 + prims))), g.call("malloc"), enc.Set(args),
		put(0, context, enc.Const(base), enc.Const(limit), enc.Const(0), enc.Const(0), enc.Const(0), enc.Const(0), g.call("JS_NewArrayBuffer")),
		put(1, g.blockAt(), enc.ToI64),
	}
	for n := range prims {
		body = append(body, put(2+n, context, enc.Const(0), enc.Const(0), enc.Const(2), enc.Const(genericMagic), enc.Const(int32(n)), g.call("JS_NewCFunction2")))
	}
	body = append(body,
		context, enc.Get(i), enc.Load(enc.I64, 0), enc.Const64(undefined), enc.Const(int32(2+prims)), enc.Get(args), g.call("JS_Call"), enc.Set(f),
		isException(f), enc.If(enc.Unreachable),
		g.blockAt(), enc.Get(f), enc.Store(enc.I64, dispatchAt),
		g.drain(), g.call("qjs_run_gc"), enc.Const(collect), g.call("qjs_set_gc_threshold"), enc.Call(g.release),
		enc.Const(1), enc.SetGlobal(g.started))
	return g.Func("", enc.Sig("", ""), []byte{enc.I32, enc.I32, enc.I32, enc.I64}, body...)
}
