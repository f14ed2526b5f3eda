package binary

import "greentic.dev/greentic/fault"

const (
	exhausted = fault.Exhausted

	preambleSize   = 8
	coreMagic      = "\x00asm"
	componentLayer = "\x0d\x00\x01\x00"
	moduleLayer    = "\x01\x00\x00\x00"
)

// Decode reads a component binary. The result shares memory with code, which must not change
// afterwards. Errors are Invalid (malformed), Unsupported (named construct) or Exhausted (past
// a limit) and carry the byte offset. Indexes are checked when the component is linked.
func Decode(code []byte, lim Limits) (*Component, error) {
	l := &limits{Limits: lim.WithDefaults()}
	if len(code) > l.Size {
		return nil, errAt(0, fault.Exhausted, "component of %d bytes, at most %d are allowed", len(code), l.Size)
	}
	return component(&reader{buf: code, lim: l})
}

func component(r *reader) (*Component, error) {
	c := &Component{Offset: r.offset(), Size: r.rest()}
	head := string(r.take(preambleSize))
	switch {
	case r.err != nil || head[:4] != coreMagic:
		return nil, errAt(c.Offset, fault.Invalid, "not a WebAssembly binary")
	case head[4:] == moduleLayer:
		return nil, errAt(c.Offset, fault.Invalid, "this is a core module, not a component")
	case head[4:] != componentLayer:
		return nil, errAt(c.Offset, fault.Unsupported, "component format version %x is not supported by this host", head[4:])
	}
	for r.more() {
		c.section(r)
	}
	imports, exports := map[string]bool{}, map[string]bool{}
	for i := range c.Defs {
		if d := &c.Defs[i]; d.Import != nil {
			unique(r, imports, "import", d.Import.Name)
		} else if d.Export != nil {
			unique(r, exports, "export", d.Export.Name)
		}
	}
	return c, r.err
}

func (c *Component) section(r *reader) {
	at := r.offset()
	id := r.byte()
	body := r.sub(r.u32())
	if body.err != nil {
		r.err = body.err
		return
	}
	switch id {
	case 0:
		name := body.name()
		c.Custom = append(c.Custom, Custom{Name: name, Data: body.take(uint32(body.rest()))})
	case 1:
		c.define(body, at, func(d *Def) { d.CoreModule = &CoreModule{Code: body.take(uint32(body.rest()))} })
	case 4:
		body.nest(func() {
			nested, err := component(body)
			if err != nil {
				body.err = err
			}
			c.Defs = append(c.Defs, Def{Offset: at, Component: nested})
		})
	case 2, 3, 5, 6, 7, 8, 10, 11:
		for n := body.count("definitions"); n > 0 && body.err == nil; n-- {
			c.define(body, body.offset(), func(d *Def) { d.decode(id, body) })
		}
	case 9:
		body.unsupported("component start section")
	case 12:
		body.unsupported("component value section")
	default:
		body.err = errAt(at, fault.Invalid, "unknown section %d", id)
	}
	if body.err == nil && body.rest() > 0 {
		body.bad("section %d has %d bytes too many", id, body.rest())
	}
	r.err = body.err
}

func (c *Component) define(r *reader, at int, f func(*Def)) {
	d := Def{Offset: at}
	f(&d)
	if r.err == nil && !r.lim.spend(1) {
		r.fail(exhausted, "more than %d definitions", r.lim.Definitions)
	}
	c.Defs = append(c.Defs, d)
}

func (d *Def) decode(section byte, r *reader) {
	switch section {
	case 2:
		d.CoreInstance = coreInstance(r)
	case 3:
		d.CoreType = coreType(r)
	case 5:
		d.Instance = instance(r)
	case 6:
		d.Alias = alias(r)
	case 7:
		d.Type = typeDef(r)
	case 8:
		d.Canon = canon(r)
	case 10:
		d.Import = importOf(r)
	case 11:
		d.Export = export(r)
	}
}

func coreInstance(r *reader) *CoreInstance {
	switch b := r.byte(); b {
	case 0:
		i := &CoreInstance{Module: r.u32()}
		i.Args = vec(r, "arguments", func(r *reader) CoreArg {
			a := CoreArg{Name: r.name()}
			if s := r.byte(); CoreSort(s) != CoreInstSort {
				r.bad("instantiation argument of core sort %#x, want an instance", s)
			}
			a.Instance = r.u32()
			return a
		})
		distinct(r, "argument", i.Args, func(a CoreArg) string { return a.Name })
		return i
	case 1:
		i := &CoreInstance{Inline: true, Exports: vec(r, "exports", func(r *reader) CoreItem {
			name := r.name()
			return CoreItem{Name: name, Sort: coreSort(r), Index: r.u32()}
		})}
		distinct(r, "export", i.Exports, func(e CoreItem) string { return e.Name })
		return i
	default:
		r.bad("core instance form %#x", b)
		return nil
	}
}

// distinct refuses two items of one name (core names: plain equality).
func distinct[T any](r *reader, what string, items []T, name func(T) string) {
	seen := make(map[string]bool, len(items))
	for _, it := range items {
		if seen[name(it)] {
			r.bad("duplicate %s name %q", what, name(it))
			return
		}
		seen[name(it)] = true
	}
}

func coreSort(r *reader) CoreSort {
	s := CoreSort(r.byte())
	switch s {
	case CoreFunc, CoreTable, CoreMemory, CoreGlobal, CoreTypeSort, CoreModuleSort, CoreInstSort:
	case CoreTag:
		r.unsupported("core tag (exception handling)")
	default:
		r.bad("core sort %#x", byte(s))
	}
	return s
}

// sort reads a component sort; core sorts come with their core sort.
func sort(r *reader) (Sort, CoreSort) {
	switch s := Sort(r.byte()); s {
	case SortCore:
		return s, coreSort(r)
	case SortFunc, SortType, SortComponent, SortInstance:
		return s, 0
	case 2:
		r.unsupported("component value")
	default:
		r.bad("sort %#x", byte(s))
	}
	return 0, 0
}

// sortIndex reads a reference to something a component may pass on.
func sortIndex(r *reader) (Sort, uint32) {
	s, cs := sort(r)
	if r.err == nil && s == SortCore && cs != CoreModuleSort {
		r.bad("%s cannot be passed between components", cs)
	}
	return s, r.u32()
}

func instance(r *reader) *Instance {
	switch b := r.byte(); b {
	case 0:
		i := &Instance{Component: r.u32(), Args: vec(r, "arguments", func(r *reader) Item {
			it := Item{Name: r.name()}
			it.Sort, it.Index = sortIndex(r)
			return it
		})}
		distinct(r, "argument", i.Args, func(a Item) string { return a.Name })
		return i
	case 1:
		i := &Instance{Inline: true, Exports: vec(r, "exports", func(r *reader) Item {
			n := externNameOf(r)
			it := Item{Name: n.name}
			it.Sort, it.Index = sortIndex(r)
			n.suits(r, it.Sort)
			return it
		})}
		seen := make(map[string]bool, len(i.Exports))
		for _, e := range i.Exports {
			unique(r, seen, "export", e.Name)
		}
		return i
	default:
		r.bad("instance form %#x", b)
		return nil
	}
}

func alias(r *reader) *Alias {
	a := &Alias{}
	a.Sort, a.CoreSort = sort(r)
	a.Target = AliasTarget(r.byte())
	switch a.Target {
	case AliasExport:
		a.Instance, a.Name = r.u32(), r.name()
		if r.err == nil && a.Sort == SortCore && a.CoreSort != CoreModuleSort {
			r.bad("an instance does not export a %s", a.CoreSort)
		}
	case AliasCoreExport:
		a.Instance, a.Name = r.u32(), r.name()
		if r.err == nil && (a.Sort != SortCore || a.CoreSort > CoreTag) {
			r.bad("a core instance exports functions, tables, memories and globals only")
		}
	case AliasOuter:
		a.Count, a.Index = r.u32(), r.u32()
		core := a.Sort == SortCore && (a.CoreSort == CoreTypeSort || a.CoreSort == CoreModuleSort)
		if r.err == nil && !core && a.Sort != SortType && a.Sort != SortComponent {
			r.bad("outer alias to a %s: only types, modules and components can be aliased", a.Sort)
		}
	default:
		r.bad("alias target %#x", byte(a.Target))
	}
	return a
}

func importOf(r *reader) *Import {
	n := externNameOf(r)
	i := &Import{Name: n.name, Suffix: n.suffix, Implements: n.implements, Type: externType(r)}
	n.suits(r, i.Type.Sort)
	return i
}

func export(r *reader) *Export {
	n := externNameOf(r)
	e := &Export{Item: Item{Name: n.name}, Suffix: n.suffix, Implements: n.implements}
	e.Sort, e.Index = sortIndex(r)
	n.suits(r, e.Sort)
	e.Type = optional(r, externType)
	return e
}
