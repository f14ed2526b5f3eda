package binary

// primitives maps the primitive type codes 0x7f..0x73.
var primitives = map[byte]Kind{
	0x7f: Bool, 0x7e: S8, 0x7d: U8, 0x7c: S16, 0x7b: U16, 0x7a: S32, 0x79: U32,
	0x78: S64, 0x77: U64, 0x76: F32, 0x75: F64, 0x74: Char, 0x73: String,
}

func coreType(r *reader) *CoreType {
	switch r.peek() {
	case 0x60:
		return &CoreType{Func: coreFuncType(r)}
	case 0x50:
		t := &CoreType{}
		r.nest(func() { t.Module = moduleType(r) })
		return t
	case 0x00, 0x4e, 0x4f, 0x5e, 0x5f:
		r.unsupported("core garbage collection type")
	default:
		r.bad("core type %#x", r.peek())
	}
	return nil
}

func coreFuncType(r *reader) *CoreFuncType {
	if b := r.byte(); b != 0x60 {
		r.bad("core function type %#x", b)
	}
	return &CoreFuncType{
		Params:  vec(r, "parameters", coreValType),
		Results: vec(r, "results", coreValType),
	}
}

func coreValType(r *reader) byte {
	b := r.byte()
	switch b {
	case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f:
	case 0x63, 0x64, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73, 0x74:
		r.unsupported("core reference type")
	default:
		r.bad("core value type %#x", b)
	}
	return b
}

func moduleType(r *reader) *ModuleType {
	r.byte() // 0x50
	m, types := &ModuleType{}, []*CoreFuncType(nil)
	imports, exports := map[[2]string]bool{}, map[[2]string]bool{}
	once := func(seen map[[2]string]bool, what string, it ModuleItem) ModuleItem {
		if key := [2]string{it.Module, it.Name}; seen[key] {
			r.bad("duplicate %s %q %q in a module type", what, clip(it.Module), clip(it.Name))
		} else {
			seen[key] = true
		}
		return it
	}
	for n := r.count("module declarators"); n > 0 && r.err == nil; n-- {
		switch b := r.byte(); b {
		case 0x00:
			module, name := r.name(), r.name()
			it := moduleItem(r, types)
			it.Module, it.Name = module, name
			m.Imports = append(m.Imports, once(imports, "import", it))
		case 0x01:
			if r.peek() == 0x60 {
				types = append(types, coreFuncType(r))
			} else {
				r.unsupported("core garbage collection type")
			}
		case 0x02:
			t := coreAlias(r, types)
			if types = append(types, t); t != nil && t.Outer != nil {
				m.Outer = append(m.Outer, t.Outer)
			}
		case 0x03:
			name := r.name()
			it := moduleItem(r, types)
			it.Name = name
			m.Exports = append(m.Exports, once(exports, "export", it))
		default:
			r.bad("module declarator %#x", b)
		}
	}
	return m
}

// coreAlias reads an outer alias of a module type; count 0 is the module type itself.
func coreAlias(r *reader, types []*CoreFuncType) *CoreFuncType {
	if s, form := r.byte(), r.byte(); r.err == nil && (CoreSort(s) != CoreTypeSort || form != 1) {
		r.bad("alias %#x %#x in a module type, want an outer alias of a type", s, form)
	}
	count, index := r.u32(), r.u32()
	if count > 0 {
		return &CoreFuncType{Outer: &CoreOuter{Count: count - 1, Index: index}}
	}
	if r.err == nil && int64(index) >= int64(len(types)) {
		r.bad("core type index %d out of range", index)
	}
	if r.err != nil {
		return nil
	}
	return types[index]
}

func moduleItem(r *reader, types []*CoreFuncType) ModuleItem {
	it := ModuleItem{Sort: CoreSort(r.byte())}
	switch it.Sort {
	case CoreFunc:
		i := r.u32()
		if int64(i) >= int64(len(types)) {
			r.bad("core type index %d out of range", i)
			return it
		}
		it.Func = types[i]
	case CoreTable:
		it.Value = coreValType(r)
		it.limits(r, 1<<32-1)
	case CoreMemory:
		it.limits(r, 1<<16)
	case CoreGlobal:
		it.Value = coreValType(r)
		b := r.byte()
		if b > 1 {
			r.unsupported("shared core global")
		}
		it.Mutable = b == 1
	case CoreTag:
		r.unsupported("core tag (exception handling)")
	default:
		r.bad("core extern type %#x", byte(it.Sort))
	}
	return it
}

// limits reads the size of a table (elements) or memory (pages), which may be most.
func (it *ModuleItem) limits(r *reader, most uint32) {
	flags := r.byte()
	if flags > 1 {
		r.unsupported("shared or 64-bit memory or table")
	}
	it.Min = r.u32()
	if it.Bounded = flags == 1; it.Bounded {
		it.Max = r.u32()
	}
	if r.err == nil && (it.Min > most || it.Bounded && (it.Max > most || it.Max < it.Min)) {
		r.bad("limits from %d to %d, at most %d", it.Min, it.Max, most)
	}
}

func typeDef(r *reader) *TypeDef {
	t := &TypeDef{}
	switch b := r.peek(); b {
	case 0x40:
		r.byte()
		t.Func = funcDef(r)
	case 0x43:
		r.unsupported("async function type")
	case 0x41, 0x42:
		r.byte()
		t.IsComponent, t.IsInstance = b == 0x41, b == 0x42
		r.nest(func() {
			t.Decls = vec(r, "declarators", func(r *reader) Decl { return decl(r, t.IsComponent) })
			imports, exports := map[string]bool{}, map[string]bool{}
			for _, d := range t.Decls {
				if d.Import != nil {
					unique(r, imports, "import", d.Import.Name)
				} else if d.Export != nil {
					unique(r, exports, "export", d.Export.Name)
				}
			}
		})
	case 0x3f:
		r.byte()
		if b := r.byte(); b == 0x7e {
			r.unsupported("64-bit resource representation")
		} else if b != 0x7f {
			r.bad("resource representation %#x, want i32", b)
		}
		t.Resource = &ResourceDef{Dtor: optional(r, (*reader).u32)}
	case 0x3e:
		r.unsupported("async resource destructor")
	default:
		t.Value = valueDef(r)
	}
	return t
}

func decl(r *reader, inComponent bool) Decl {
	d := Decl{Offset: r.offset()}
	switch b := r.byte(); {
	case b == 0:
		d.CoreType = coreType(r)
	case b == 1:
		d.Type = typeDef(r)
		if d.Type.Resource != nil {
			r.bad("resource definition inside a type")
		}
	case b == 2:
		d.Alias = alias(r)
	case b == 3 && inComponent:
		d.Import = importOf(r)
	case b == 4:
		d.Export = importOf(r)
	default:
		r.bad("declarator %#x", b)
	}
	return d
}

func externType(r *reader) Extern {
	e := Extern{Sort: Sort(r.byte())}
	switch e.Sort {
	case SortCore:
		if b := r.byte(); CoreSort(b) != CoreModuleSort {
			r.bad("core extern type %#x, want a module", b)
		}
		e.Index = r.u32()
	case SortFunc, SortComponent, SortInstance:
		e.Index = r.u32()
	case SortType:
		switch b := r.byte(); b {
		case 0:
			e.Index = r.u32()
		case 1:
			e.Fresh = true
		default:
			r.bad("type bound %#x", b)
		}
	case 2:
		r.unsupported("component value")
	default:
		r.bad("extern type %#x", byte(e.Sort))
	}
	return e
}

func funcDef(r *reader) *FuncDef {
	f := &FuncDef{Params: vec(r, "parameters", labelled)}
	uniqueLabels(r, "parameter", f.Params)
	switch b := r.byte(); b {
	case 0:
		f.Result = ref(r)
	case 1:
		if n := r.byte(); n != 0 {
			r.unsupported("named function results")
		}
	default:
		r.bad("result list %#x", b)
	}
	return f
}

func labelled(r *reader) FieldRef { return FieldRef{Name: label(r), Type: ref(r)} }

func ref(r *reader) *Ref {
	v := r.s33()
	if v >= 0 {
		return &Ref{Index: uint32(v)}
	}
	if v < -64 {
		r.bad("value type code")
		return &Ref{Kind: Bool}
	}
	code := byte(v & 0x7f)
	k, ok := primitives[code]
	switch {
	case r.err != nil:
	case code == 0x64:
		r.unsupported("error-context")
	case !ok:
		r.bad("value type %#x", code)
	}
	return &Ref{Kind: k}
}
