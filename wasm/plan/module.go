package plan

import (
	"slices"

	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/rewrite"
	"greentic.dev/wasm/typing"
)

// Module is a core module as the linker sees it: what it imports and exports.
type Module struct {
	Parsed  *rewrite.Module
	effort  int // of compiling it
	Imports []coreImport
	exports map[string]CoreItem
}

type coreImport struct {
	module string
	CoreItem
}

// maxEffort is how much work compiling all core modules of a component may be, each as often as
// it is instantiated, for each instance may be linked differently: that of the largest single
// module. Nothing interrupts it within one of them.
const (
	maxEffort = 2_000_000_000
	perByte   = 10
)

// module parses an embedded core module, once however often it is instantiated.
func (p *planner) module(c *binary.CoreModule) (*Module, error) {
	if m := p.modules[c]; m != nil {
		return m, nil
	}
	parsed, err := rewrite.Parse(c.Code, rewrite.Limits{})
	if err != nil {
		return nil, err
	}
	imports, exports, err := parsed.Border()
	if err != nil {
		return nil, err
	}
	m := &Module{Parsed: parsed, effort: parsed.Effort + perByte*len(c.Code), exports: make(map[string]CoreItem, len(parsed.Exports))}
	seen := make(map[[2]string]bool, len(parsed.Imports))
	for i, imp := range parsed.Imports {
		if key := [2]string{imp.Module, imp.Name}; seen[key] {
			return nil, invalid("core module imports %q %q twice", imp.Module, imp.Name)
		} else {
			seen[key] = true
		}
		m.Imports = append(m.Imports, coreImport{imp.Module, itemOf(imp.Name, imp.Kind, imp.Type, imports[i])})
	}
	for i, e := range parsed.Exports {
		m.exports[e.Name] = itemOf(e.Name, e.Kind, e.Type, exports[i])
	}
	p.modules[c], p.parsed = m, append(p.parsed, m)
	return m, nil
}

func itemOf(name string, kind rewrite.Kind, t *rewrite.FuncType, s rewrite.Shape) CoreItem {
	it := CoreItem{sort: binary.CoreSort(kind), Name: name, shape: s}
	if kind == rewrite.Func {
		it.params, it.result = t.Params, t.Results
	}
	return it
}

// coreType evaluates a core type in s: what a module type takes from outside is put in.
func (p *planner) coreType(s *scope, t *binary.CoreType) (*binary.CoreType, error) {
	if t.Module == nil {
		return t, nil
	}
	if err := p.spend(len(t.Module.Imports) + len(t.Module.Exports)); err != nil {
		return nil, err
	}
	for _, o := range t.Module.Outer {
		if _, err := outerFunc(s, o); err != nil {
			return nil, err
		}
	}
	var failed error
	resolved := func(items []binary.ModuleItem) []binary.ModuleItem {
		items = slices.Clone(items)
		for i := range items {
			if f := items[i].Func; f != nil && f.Outer != nil && failed == nil {
				items[i].Func, failed = outerFunc(s, f.Outer)
			}
		}
		return items
	}
	m := &binary.ModuleType{Imports: resolved(t.Module.Imports), Exports: resolved(t.Module.Exports)}
	return &binary.CoreType{Module: m}, failed
}

func outerFunc(s *scope, o *binary.CoreOuter) (*binary.CoreFuncType, error) {
	from, _, err := s.up(o.Count)
	if err != nil {
		return nil, err
	}
	t, err := typing.At(from.coreTypes, o.Index, "core type")
	if err != nil {
		return nil, err
	}
	if t.Func == nil {
		return nil, invalid("core type %d is not a function type", o.Index)
	}
	return t.Func, nil
}

// abstractModule is a module of which only the type is known.
func abstractModule(t *binary.ModuleType) *Module {
	m := &Module{exports: map[string]CoreItem{}}
	item := func(i binary.ModuleItem) CoreItem {
		it := CoreItem{sort: i.Sort, Name: i.Name, shape: rewrite.Shape(i.Shape)}
		if i.Func != nil {
			it.params, it.result = i.Func.Params, i.Func.Results
		}
		return it
	}
	for _, i := range t.Imports {
		m.Imports = append(m.Imports, coreImport{i.Module, item(i)})
	}
	for _, e := range t.Exports {
		m.exports[e.Name] = item(e)
	}
	return m
}
