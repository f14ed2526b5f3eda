package oracle

import (
	"fmt"

	"greentic.dev/greentic/fault"
)

// World is a component, what the embedder offers it, and calls of its exports. It is what
// runners get, as JSON, and with the expected outcomes an entry of the corpus.
type World struct {
	Name      string   `json:"name"`      // story and seed: "pass-17"
	Encodings []string `json:"encodings"` // of strings, guest by guest
	Component []byte   `json:"component"`
	Imports   []Import `json:"imports"`
	Resources []string `json:"resources"` // of the interface that Home names, defined by the host
	Home      string   `json:"home"`
	Cases     []*Case  `json:"cases"`
}

// Import is one function that the host offers; Interface is empty at world level.
type Import struct {
	Interface string `json:"interface"`
	Name      string `json:"name"`
	Type      *Func  `json:"type"`
}

// Case is one call of an export, in a fresh instance.
type Case struct {
	Interface string `json:"interface"`
	Func      string `json:"func"`
	Type      *Func  `json:"type"`
	Args      []any  `json:"args"`
	// Answers is what the host functions return, by name, in the order of their calls; after
	// the last they begin again.
	Answers  map[string][]any `json:"answers,omitempty"`
	Mutation []string         `json:"mutation,omitempty"` // what the generator spoiled
	Want     *Outcome         `json:"want,omitempty"`     // corpus only
}

// Outcome is what was seen of one case: the result, or a trap, and the calls of the host.
type Outcome struct {
	Result any        `json:"result,omitempty"`
	Trap   bool       `json:"trap,omitempty"`
	Fault  string     `json:"fault,omitempty"`  // neither value nor trap: the runner gave up
	Reason string     `json:"reason,omitempty"` // of a trap; says nothing to comparison
	Calls  []HostCall `json:"calls,omitempty"`
}

// HostCall is one call of a host function, or the destruction of a host resource, which is
// named "[drop]" and the resource.
type HostCall struct {
	Name string `json:"name"` // "interface#function", or only the function at world level
	Args []any  `json:"args,omitempty"`
}

// Read reads a world with expected outcomes from its JSON. Errors are Invalid.
func Read(raw []byte) (*World, error) {
	w := &World{}
	if err := decode(raw, w); err != nil {
		return nil, fault.New(fault.Invalid, "read world", err.Error())
	}
	for _, c := range w.Cases {
		for i := range c.Args {
			c.Args[i] = plain(c.Args[i])
		}
		for _, answers := range c.Answers {
			for i := range answers {
				answers[i] = plain(answers[i])
			}
		}
	}
	return w, nil
}

// Stories are the kinds of worlds there are; Generate knows no others.
func Stories() []string { return []string{"pass", "chain", "memory", "script", "resource"} }

// Generate makes the world of a story and seed; equal arguments give equal bytes.
func Generate(story string, seed uint64) *World {
	m := newMaker(seed)
	w := &World{Name: fmt.Sprintf("%s-%d", story, seed), Home: typesName, Imports: []Import{}}
	switch story {
	case "pass":
		m.values(w, 1)
	case "chain":
		m.values(w, 2+m.IntN(2))
	case "memory":
		m.memory(w)
	case "script":
		m.scripts(w, false)
	case "resource":
		m.scripts(w, true)
	}
	return w
}

// function draws a function type.
func (m *maker) function(deep int) *Func {
	f := &Func{}
	handles := m.chance(3)
	for range pick(m, 0, 1, 1, 2, 3, m.IntN(21)) {
		depth := m.IntN(deep + 1)
		if m.chance(8) {
			f.Params = append(f.Params, &Type{Kind: "borrow", Elem: pick(m, m.resources...)})
		} else {
			f.Params = append(f.Params, m.typ(depth, handles, handles && m.chance(6)))
		}
	}
	if n := pick(m, maxParams, maxParams+1); m.chance(8) { // just flat, just not
		for f.FlatParams() < n {
			f.Params = append(f.Params, of("u8"))
		}
	}
	if !m.chance(5) {
		f.Result = m.typ(m.IntN(deep+1), handles, false)
	}
	return f
}

// values makes a world of functions that hand values through n guests and back.
func (m *maker) values(w *World, n int) {
	var funcs []*pass
	for i := range 8 - 2*n {
		f := m.function(4 - n)
		funcs = append(funcs, &pass{name: fmt.Sprintf("f%d", i), typ: f, target: f, forward: true,
			world: n == 1 && m.chance(3), post: m.chance(2), keep: m.chance(12)})
	}
	var guests []*guest
	for i := range n {
		own := make([]*pass, len(funcs))
		for j, f := range funcs {
			c := *f
			c.post, c.keep = m.chance(2), m.chance(12)
			own[j] = &c
		}
		guests = append(guests, &guest{options: options{encoding: m.encoding()}, named: m.named, funcs: own,
			image: &image{base: imageBase}, nested: n > 1, chained: i > 0, crooked: m.crooked()})
	}
	w.note(guests...)
	if n == 1 {
		w.Component = guests[0].build()
	} else {
		w.Component = chain(guests)
		w.Imports = append(w.Imports, Import{Name: "note", Type: noteFunc()})
	}
	w.offer(m, funcs)
	for _, f := range funcs {
		for range 2 {
			w.call(m, f)
		}
	}
}

// note notes the encodings of guests.
func (w *World) note(guests ...*guest) {
	for _, g := range guests {
		w.Encodings = append(w.Encodings, []string{"utf8", "utf16", "latin1+utf16"}[g.encoding])
	}
}

// offer lists what funcs call as imports.
func (w *World) offer(m *maker, funcs []*pass) {
	for _, r := range m.resources {
		w.Resources = append(w.Resources, r.Name)
	}
	for _, f := range funcs {
		switch {
		case f.target == nil:
		case f.world:
			w.Imports = append(w.Imports, Import{Name: "in-" + f.name, Type: f.target})
		default:
			w.Imports = append(w.Imports, Import{Interface: apiName, Name: f.name, Type: f.target})
		}
	}
}

// call adds a call of f with drawn arguments and a drawn answer.
func (w *World) call(m *maker, f *pass) {
	c := &Case{Interface: runName, Func: f.name, Type: f.typ, Args: []any{}, Mutation: f.mutation, Answers: map[string][]any{}}
	for _, p := range f.typ.Params {
		c.Args = append(c.Args, m.value(p))
	}
	target := apiName + "#" + f.name
	if f.world {
		c.Interface, c.Func, target = "", "out-"+f.name, "in-"+f.name
	}
	if f.target != nil && f.target.Result != nil {
		c.Answers[target] = []any{m.value(f.target.Result)}
	}
	w.Cases = append(w.Cases, c)
}

// crooked is what a realloc adds to its pointers: mostly nothing.
func (m *maker) crooked() uint32 {
	if m.chance(12) {
		return pick[uint32](m, 1, 2, 4, 1<<16, 0x7fffffff)
	}
	return 0
}

// memory makes a world of functions that send what their memory holds, some of it spoiled: as
// results, or as arguments of imports. There may be a second guest that only hands on, between
// the arguments and the host, or between the results and the embedder.
func (m *maker) memory(w *World) {
	first, second := m.blank(), m.blank()
	second.chained, second.nested, first.nested = true, true, true
	chained := m.chance(3)
	for i := range 12 {
		f := m.sender(first, second, i, chained)
		between := &pass{name: f.name, typ: f.typ, target: f.typ, forward: true}
		if f.target == nil {
			first.funcs, second.funcs = append(first.funcs, f), append(second.funcs, between)
			continue
		}
		between.typ, between.target = f.target, f.target
		first.funcs, second.funcs = append(first.funcs, between), append(second.funcs, f)
		if !chained {
			first.funcs[i] = f
		}
	}
	first.named, second.named = m.named, m.named
	called := first.funcs
	w.note(first)
	if chained {
		w.note(second)
		w.Imports = append(w.Imports, Import{Name: "note", Type: noteFunc()})
		w.Component = chain([]*guest{first, second})
	} else {
		first.nested = false
		w.Component = first.build()
	}
	w.offer(m, called)
	for i, f := range second.funcs {
		if !chained || f.forward {
			f = first.funcs[i]
		}
		w.call(m, f)
	}
}

func (m *maker) blank() *guest {
	g := &guest{options: options{encoding: m.encoding()}}
	g.image = &image{base: imageBase, encoding: g.encoding}
	return g
}

// sender draws a function that returns what the memory of the first guest holds, or that calls
// with what the second's does; without a chain the first is the only one.
func (m *maker) sender(first, second *guest, i int, chained bool) *pass {
	f := &pass{name: fmt.Sprintf("f%d", i), typ: &Func{}, world: !chained && m.chance(4), post: m.chance(3)}
	handles, im := m.chance(6), first.image
	if m.chance(2) { // as result
		im.spots = nil
		f.typ.Result = m.typ(m.IntN(4), handles, false)
		f.results = m.place(im, f.typ.Result, m.value(f.typ.Result), f.typ.spillsResult())
		f.mutation = m.spoil(im, f.results)
		return f
	}
	if chained {
		im = second.image
	}
	im.spots = nil
	f.target = &Func{}
	args := &Type{Kind: "tuple"}
	for range 1 + m.IntN(5) {
		args.Types = append(args.Types, m.typ(m.IntN(4), handles, handles))
	}
	f.target.Params = args.Types
	if m.chance(2) {
		f.target.Result = m.typ(m.IntN(2), false, false)
	}
	f.args = m.place(im, args, m.value(args), f.target.spillsParams())
	f.mutation = m.spoil(im, f.args)
	if f.target.spillsResult() && m.chance(4) {
		f.skew = pick[uint32](m, 1, 2, 4, 8, 1<<16, 1<<31)
		f.mutation = append(f.mutation, "area")
	}
	return f
}

// place writes v to the image and gives the core values that stand for it.
func (m *maker) place(im *image, t *Type, v any, spill bool) []uint64 {
	if !spill {
		return im.flatten(t, v, nil)
	}
	at := im.alloc(t.align(), t.size())
	im.store(t, v, at)
	im.spots = append(im.spots, spot{what: "pointer", flat: true, t: t})
	return []uint64{uint64(at)}
}

func (m *maker) spoil(im *image, flat []uint64) (what []string) {
	for range pick(m, 0, 1, 1, 1, 2) {
		if s := m.mutate(im, flat, 1<<16); s != "" {
			what = append(what, s)
		}
	}
	return what
}

// encoding draws a string encoding. Not every implementation has them all, so that the rarer
// ones are drawn rarely.
func (m *maker) encoding() byte {
	return pick(m, utf8Text, utf8Text, utf8Text, utf16Text, utf16Text, compactText)
}
