package link

import (
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/rewrite"
)

// module is a core module as the linker sees it: what it imports and exports.
type module struct {
	parsed  *rewrite.Module
	imports []coreImport
	exports map[string]coreItem
}

type coreImport struct {
	module string
	coreItem
}

// module parses an embedded core module, once however often it is instantiated.
func (p *planner) module(c *binary.CoreModule) (*module, error) {
	if m := p.modules[c]; m != nil {
		return m, nil
	}
	parsed, err := rewrite.Parse(c.Code, rewrite.Limits{})
	if err != nil {
		return nil, err
	}
	m := &module{parsed: parsed, exports: make(map[string]coreItem, len(parsed.Exports))}
	for _, i := range parsed.Imports {
		m.imports = append(m.imports, coreImport{i.Module, itemOf(i.Name, i.Kind, i.Type)})
	}
	for _, e := range parsed.Exports {
		m.exports[e.Name] = itemOf(e.Name, e.Kind, e.Type)
	}
	p.modules[c] = m
	return m, nil
}

func itemOf(name string, kind rewrite.Kind, t *rewrite.FuncType) coreItem {
	it := coreItem{sort: binary.CoreSort(kind), name: name}
	if kind == rewrite.Func {
		it.params, it.result = t.Params, t.Results
	}
	return it
}

// abstractModule is a module of which only the type is known.
func abstractModule(t *binary.ModuleType) *module {
	m := &module{exports: map[string]coreItem{}}
	item := func(i binary.ModuleItem) coreItem {
		it := coreItem{sort: i.Sort, name: i.Name}
		if i.Func != nil {
			it.params, it.result = i.Func.Params, i.Func.Results
		}
		return it
	}
	for _, i := range t.Imports {
		m.imports = append(m.imports, coreImport{i.Module, item(i)})
	}
	for _, e := range t.Exports {
		m.exports[e.Name] = item(e)
	}
	return m
}
