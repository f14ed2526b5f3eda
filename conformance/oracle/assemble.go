package oracle

// build makes the component of a guest. It imports the types, and the api interface or world
// level functions, and exports the run interface or world level functions.
func (g *guest) build() []byte {
	c := newComponent()
	types := c.importTypes(g.named)
	calls := c.importCalls(g)
	mem := c.coreInstance(c.module(g.memory()), nil)
	g.options.memory, g.options.realloc = c.coreMemory(mem, "memory"), c.coreFunc(mem, "realloc")

	var names []string
	var funcs []int
	lower := func(name string, fn int) {
		names, funcs = append(names, name), append(funcs, c.lower(fn, g.options))
	}
	for _, f := range g.funcs {
		if f.target != nil {
			lower(f.name, calls[f.name])
		}
	}
	var drops []*Type
	for _, t := range g.named {
		if t.Kind == "resource" {
			drops = append(drops, t)
			names, funcs = append(names, "drop-"+t.Name), append(funcs, c.resource(resourceDrop, c.index[t]))
		}
	}
	if g.chained {
		lower("posts", calls["posts"])
		lower("note", calls["note"])
	}
	bag := c.coreBag(names, funcs)
	code := c.coreInstance(c.module(g.code(drops)), map[string]int{"m": mem, "api": bag}, "m", "api")

	var run []arg
	for _, f := range g.funcs {
		fn := g.liftPass(c, f, code, mem)
		if f.world {
			c.export("out-"+f.name, sortFunc, fn)
		} else {
			run = append(run, arg{f.name, sortFunc, fn})
		}
	}
	o := options{memory: -1, realloc: -1, postReturn: -1}
	run = append(run, arg{"posts", sortFunc, c.lift(c.coreFunc(mem, "posts"), o, funcType(c, "", &Func{Result: of("u32")}))})
	if g.nested {
		run = append(run, types...)
	}
	c.export(runName, sortInstance, c.bag(run...))
	return c.out
}

func (g *guest) liftPass(c *component, f *pass, code, mem int) int {
	o := g.options
	o.postReturn = -1
	if f.post {
		o.postReturn = c.coreFunc(mem, "post-"+f.name)
	}
	return c.lift(c.coreFunc(code, f.name), o, funcType(c, "", f.typ))
}

// importTypes imports the interface of types, makes its types known and gives them as exports.
func (c *component) importTypes(named []*Type) (exports []arg) {
	s := newInstanceType()
	for _, t := range named {
		if t.Kind == "resource" {
			s.exportType(t, []byte{1})
		} else {
			s.exportType(t, cat([]byte{0}, num(s.define(definition(s, t)))))
		}
	}
	i := c.take(typesName, sortInstance, c.define(s.bytes()))
	for _, t := range named {
		c.index[t] = c.alias(sortType, i, t.Name)
		exports = append(exports, arg{t.Name, sortType, c.index[t]})
	}
	return exports
}

// importCalls imports what g calls and gives the functions by name.
func (c *component) importCalls(g *guest) map[string]int {
	calls := map[string]int{}
	s := newInstanceType()
	for _, t := range g.named {
		s.outer(t, c.index[t])
	}
	api := 0
	for _, f := range g.funcs {
		if f.target == nil {
			continue
		}
		if f.world {
			calls[f.name] = c.take("in-"+f.name, sortFunc, funcType(c, "", f.target))
		} else {
			s.exportFunc(f.name, f.target)
			api++
		}
	}
	if g.chained {
		s.exportFunc("posts", &Func{Result: of("u32")})
		calls["note"] = c.take("note", sortFunc, funcType(c, "", noteFunc()))
	}
	i := c.take(apiName, sortInstance, c.define(s.bytes()))
	for _, f := range g.funcs {
		if f.target != nil && !f.world {
			calls[f.name] = c.alias(sortFunc, i, f.name)
		}
	}
	if g.chained {
		calls["posts"] = c.alias(sortFunc, i, "posts")
	}
	return calls
}

func noteFunc() *Func { return &Func{Params: []*Type{of("u32")}} }

// chain nests guests in one component: the first calls the host, each other the one before it.
func chain(guests []*guest) []byte {
	c := newComponent()
	first := guests[0]
	c.importTypes(first.named)
	types := 0 // the only instance so far
	calls := &guest{named: first.named, funcs: first.funcs}
	c.importCalls(calls)
	api := c.instances - 1
	note := c.take("note", sortFunc, funcType(c, "", noteFunc()))
	for _, g := range guests {
		args := []arg{{typesName, sortInstance, types}, {apiName, sortInstance, api}}
		if g.chained {
			args = append(args, arg{"note", sortFunc, note})
		}
		api = c.alias(sortInstance, c.instance(c.nested(g.build()), args...), runName)
	}
	var run []arg
	for _, f := range first.funcs {
		run = append(run, arg{f.name, sortFunc, c.alias(sortFunc, api, f.name)})
	}
	c.export(runName, sortInstance, c.bag(run...))
	return c.out
}
