package oracle

import "fmt"

// thingsName is the interface that scripts call: a resource and functions over its handles. The
// host offers it, or another guest that logs its own calls through note.
const thingsName = "oracle:host/things"

// things is the functions of the interface, in order.
type things struct {
	thing *Type
	names []string
	types map[string]*Func
}

func newThings() *things {
	thing := &Type{Kind: "resource", Name: "thing"}
	own, borrow, u32 := &Type{Kind: "own", Elem: thing}, &Type{Kind: "borrow", Elem: thing}, of("u32")
	t := &things{thing: thing, types: map[string]*Func{}}
	add := func(name string, result *Type, params ...*Type) {
		t.names = append(t.names, name)
		t.types[name] = &Func{Params: params, Result: result}
	}
	add("[constructor]thing", own, u32)
	add("[method]thing.poke", u32, borrow, u32)
	add("[static]thing.count", u32)
	add("take", nil, own)
	add("lend", u32, borrow)
	add("make", own)
	add("pair", nil, borrow, borrow)
	add("swap", own, own)
	add("trade", nil, borrow, own)
	return t
}

// script is one exported function: it calls what it imports in a drawn order, with handles
// that are good, used up or forged, and may trap on the way.
type script struct {
	name string
	typ  *Func
	code func(m *module, calls map[string]int) // adds the core function
	post bool                                  // its post-return calls out, which it may not
}

// writer draws the steps of a script.
type writer struct {
	*maker
	calls  map[string]int
	body   []byte
	locals int
	live   []int // locals with handles that should be good
	dead   []int
	marks  uint32
	params []*Type
	rogue  bool // uses forged, used up and borrowed handles where it may not
}

func (w *writer) emit(parts ...[]byte) { w.body = append(w.body, cat(parts...)...) }

// handle pushes a handle and gives its local, or -1 for a forged one.
func (w *writer) handle() int {
	switch {
	case w.rogue && w.chance(16):
		w.emit(i32Const(pick[uint32](w.maker, 0, 1, 2, 5, 0xffffffff)))
		return -1
	case w.rogue && len(w.dead) > 0 && w.chance(3):
		l := pick(w.maker, w.dead...)
		w.emit(localGet(l))
		return l
	case len(w.live) == 0:
		w.get("make")
	}
	l := pick(w.maker, w.live...)
	w.emit(localGet(l))
	return l
}

// owned pushes a handle that may be given away, unless the script is a rogue.
func (w *writer) owned() int {
	if w.rogue {
		return w.handle()
	}
	var own []int
	for _, l := range w.live {
		if l >= len(w.params) || w.params[l].Kind == "own" {
			own = append(own, l)
		}
	}
	if len(own) == 0 {
		w.get("make")
		own = []int{w.locals - 1}
	}
	l := pick(w.maker, own...)
	w.emit(localGet(l))
	return l
}

// get calls a function that gives a handle, whose arguments are pushed, and keeps it.
func (w *writer) get(name string) {
	w.emit(call(w.calls[name]), localSet(w.locals))
	w.live = append(w.live, w.locals)
	w.locals++
}

func (w *writer) gone(l int) {
	for i, have := range w.live {
		if have == l {
			w.live = append(w.live[:i:i], w.live[i+1:]...)
			w.dead = append(w.dead, l)
			return
		}
	}
}

// note logs what is on the stack.
func (w *writer) note() { w.emit(call(w.calls["note"])) }

// mark tells the host that a step is done.
func (w *writer) mark() {
	w.marks++
	w.emit(i32Const(w.marks))
	w.note()
}

func (w *writer) step() {
	switch w.IntN(12) {
	case 0:
		w.emit(i32Const(uint32(w.IntN(1000))))
		w.get("[constructor]thing")
	case 1:
		w.get("make")
	case 2, 3:
		w.handle()
		w.emit(i32Const(uint32(w.integer())), call(w.calls["[method]thing.poke"]))
		w.note()
	case 4:
		w.emit(call(w.calls["[static]thing.count"]))
		w.note()
	case 5:
		l := w.owned()
		w.emit(call(w.calls["take"]))
		w.gone(l)
	case 6:
		w.handle()
		w.emit(call(w.calls["lend"]))
		w.note()
	case 7:
		l := w.handle()
		w.emit(call(w.calls["drop"]))
		w.gone(l)
		w.mark()
	case 8:
		if w.chance(3) {
			w.handle()
			w.handle()
			w.emit(call(w.calls["pair"]))
		}
	case 9:
		l := w.owned()
		w.gone(l)
		w.get("swap")
	case 10:
		lent := w.handle()
		if !w.rogue {
			w.gone(lent)
		}
		l := w.owned() // for a rogue perhaps the one that is lent
		w.emit(call(w.calls["trade"]))
		w.gone(l)
		if !w.rogue {
			w.live = append(w.live, lent)
		}
	case 11:
		if w.chance(6) {
			w.emit(pick(w.maker, []byte{0x00}, cat(i32Const(1), i32Const(0), []byte{0x6e, 0x1a}), cat(i32Const(0xfffffff0), []byte{0x28, 2, 0, 0x1a})))
		}
		w.mark()
	}
}

// drawScript draws a script; with params it begins with handles of the embedder.
func (m *maker) drawScript(i int, t *things, params bool) *script {
	s := &script{name: fmt.Sprintf("g%d", i), typ: &Func{Result: of("u32")}, post: m.chance(30)}
	if params {
		for range m.IntN(3) {
			s.typ.Params = append(s.typ.Params, &Type{Kind: pick(m, "own", "borrow", "borrow"), Elem: t.thing})
		}
	}
	steps, rogue := 2+m.IntN(10), m.chance(3)
	s.code = func(core *module, calls map[string]int) {
		w := &writer{maker: m, calls: calls, params: s.typ.Params, rogue: rogue}
		for range s.typ.Params {
			w.live = append(w.live, w.locals)
			w.locals++
		}
		for range steps {
			w.step()
		}
		for l, p := range s.typ.Params {
			if p.Kind == "borrow" && !(rogue && m.chance(4)) {
				for _, have := range w.live {
					if have == l {
						w.emit(localGet(l), call(calls["drop"]))
						w.mark()
					}
				}
			}
		}
		w.emit(i32Const(w.marks))
		params, results := s.typ.lifted()
		locals := make([]byte, w.locals-len(params))
		for i := range locals {
			locals[i] = i32
		}
		core.fn(s.name, params, results, locals, w.body)
		if s.post {
			core.fn("post-"+s.name, results, nil, nil, i32Const(99), call(calls["note"]))
		}
	}
	return s
}

// buildScripts makes the component of scripts, which imports the things and note.
func buildScripts(t *things, scripts []*script) []byte {
	c := newComponent()
	s := newInstanceType()
	s.exportType(t.thing, []byte{1})
	for _, n := range t.names {
		s.exportFunc(n, t.types[n])
	}
	inst := c.take(thingsName, sortInstance, c.define(s.bytes()))
	c.index[t.thing] = c.alias(sortType, inst, "thing")
	note := c.take("note", sortFunc, funcType(c, "", noteFunc()))
	none := options{memory: -1, realloc: -1, postReturn: -1}

	core, calls := &module{}, map[string]int{}
	var names []string
	var lowered []int
	need := func(name string, f *Func, fn int) {
		params, results := f.lowered()
		calls[name] = core.importFunc("things", name, params, results)
		names, lowered = append(names, name), append(lowered, fn)
	}
	for _, n := range t.names {
		need(n, t.types[n], c.lower(c.alias(sortFunc, inst, n), none))
	}
	need("note", noteFunc(), c.lower(note, none))
	need("drop", noteFunc(), c.resource(resourceDrop, c.index[t.thing]))
	core.memories = [][]byte{{0, 1}}
	for _, s := range scripts {
		s.code(core, calls)
	}
	code := c.coreInstance(c.module(core), map[string]int{"things": c.coreBag(names, lowered)}, "things")
	var run []arg
	for _, s := range scripts {
		o := none
		if s.post {
			o.postReturn = c.coreFunc(code, "post-"+s.name)
		}
		run = append(run, arg{s.name, sortFunc, c.lift(c.coreFunc(code, s.name), o, funcType(c, "", s.typ))})
	}
	c.export(runName, sortInstance, c.bag(run...))
	return c.out
}

// scripts makes a world of scripts over things of the host, or of a guest nested beside them.
func (m *maker) scripts(w *World, nested bool) {
	t := newThings()
	var all []*script
	for i := range 12 {
		all = append(all, m.drawScript(i, t, !nested))
	}
	w.Home, w.Imports = thingsName, []Import{{Name: "note", Type: noteFunc()}}
	w.Component = buildScripts(t, all)
	if nested {
		w.Component = beside(t, w.Component, all)
	} else {
		w.Resources = []string{"thing"}
		for _, n := range t.names {
			w.Imports = append(w.Imports, Import{Interface: thingsName, Name: n, Type: t.types[n]})
		}
	}
	for _, s := range all {
		c := &Case{Interface: runName, Func: s.name, Type: s.typ, Args: []any{}, Answers: map[string][]any{}}
		for _, p := range s.typ.Params {
			c.Args = append(c.Args, m.value(p))
		}
		for _, n := range t.names {
			for i := 0; i < 5 && !nested && t.types[n].Result != nil; i++ {
				c.Answers[thingsName+"#"+n] = append(c.Answers[thingsName+"#"+n], m.value(t.types[n].Result))
			}
		}
		w.Cases = append(w.Cases, c)
	}
}
