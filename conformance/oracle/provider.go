package oracle

// The guest that offers the things itself: its resource has a destructor, and every function
// tells the host through note which it is and of which representation.

// tell pushes op<<16 | rep and logs it; rep is what the instructions in between push.
func tell(note int, op uint32, rep ...[]byte) []byte {
	return cat(cat(rep...), i32Const(0xffff), []byte{0x71}, i32Const(op<<16), []byte{0x72}, call(note))
}

func (t *things) provider() []byte {
	c := newComponent()
	none := options{memory: -1, realloc: -1, postReturn: -1}
	note := c.lower(c.take("note", sortFunc, funcType(c, "", noteFunc())), none)

	destroy := &module{}
	noteIn := destroy.importFunc("h", "note", []byte{i32}, nil)
	destroy.fn("destroy", []byte{i32}, nil, nil, tell(noteIn, 9, localGet(0)))
	d := c.coreInstance(c.module(destroy), map[string]int{"h": c.coreBag([]string{"note"}, []int{note})}, "h")
	thing := c.define(cat([]byte{0x3f, 0x7f, 1}, num(c.coreFunc(d, "destroy"))))

	names := []string{"note", "new", "rep", "drop"}
	bag := c.coreBag(names, []int{note, c.resource(resourceNew, thing), c.resource(resourceRep, thing), c.resource(resourceDrop, thing)})
	code := c.coreInstance(c.module(t.core()), map[string]int{"h": bag}, "h")
	c.index[t.thing] = c.export("thing", sortType, thing)
	for _, n := range t.names {
		c.export(n, sortFunc, c.lift(c.coreFunc(code, n), none, funcType(c, n, t.types[n])))
	}
	return c.out
}

func (t *things) core() *module {
	m := &module{}
	note := m.importFunc("h", "note", []byte{i32}, nil)
	make := m.importFunc("h", "new", []byte{i32}, []byte{i32})
	rep := m.importFunc("h", "rep", []byte{i32}, []byte{i32})
	drop := m.importFunc("h", "drop", []byte{i32}, nil)
	m.globals = [][]byte{cat([]byte{i32, 1}, i32Const(0), []byte{0x0b})}
	count := cat([]byte{0x23, 0}, i32Const(1), []byte{0x6a, 0x24, 0})
	bodies := map[string][]byte{
		"[constructor]thing":  cat(count, tell(note, 1, localGet(0)), localGet(0), call(make)),
		"[method]thing.poke":  cat(tell(note, 2, localGet(0)), localGet(0), localGet(1), []byte{0x6a}),
		"[static]thing.count": {0x23, 0},
		"take":                cat(tell(note, 4, localGet(0), call(rep)), localGet(0), call(drop)),
		"lend":                cat(tell(note, 5, localGet(0)), localGet(0)),
		"make":                cat(count, []byte{0x23, 0}, i32Const(0x700), []byte{0x6a}, call(make)),
		"pair":                tell(note, 6, localGet(0), i32Const(8), []byte{0x74}, localGet(1), []byte{0x73}),
		"trade":               cat(tell(note, 8, localGet(0), i32Const(8), []byte{0x74}, localGet(1), call(rep), []byte{0x73}), localGet(1), call(drop)),
		"swap":                cat(localGet(0), call(rep), localSet(1), localGet(0), call(drop), localGet(1), i32Const(1), []byte{0x6a}, call(make)),
	}
	for _, n := range t.names {
		params, results := t.types[n].lifted()
		var locals []byte
		if n == "swap" {
			locals = []byte{i32}
		}
		m.fn(n, params, results, locals, bodies[n])
	}
	return m
}

// beside nests the provider and the component of the scripts that use it.
func beside(t *things, scripts []byte, all []*script) []byte {
	c := newComponent()
	note := c.take("note", sortFunc, funcType(c, "", noteFunc()))
	given := arg{"note", sortFunc, note}
	provider := c.instance(c.nested(t.provider()), given)
	guest := c.instance(c.nested(scripts), arg{thingsName, sortInstance, provider}, given)
	run := c.alias(sortInstance, guest, runName)
	var exports []arg
	for _, s := range all {
		exports = append(exports, arg{s.name, sortFunc, c.alias(sortFunc, run, s.name)})
	}
	c.export(runName, sortInstance, c.bag(exports...))
	return c.out
}
