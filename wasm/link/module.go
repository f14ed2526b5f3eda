package link

import (
	"greentic.dev/wasm/binary"
)

// module is a core module as the linker sees it: what it imports and exports.
type module struct {
	parsed  any
	imports []coreImport
	exports map[string]coreItem
}

type coreImport struct {
	module string
	coreItem
}

func abstractModule(t *binary.ModuleType) *module {
	m := &module{exports: map[string]coreItem{}}
	for _, i := range t.Imports {
		m.imports = append(m.imports, coreImport{i.Module, abstractItem(i)})
	}
	for _, e := range t.Exports {
		m.exports[e.Name] = abstractItem(e)
	}
	return m
}

func abstractItem(i binary.ModuleItem) coreItem {
	it := coreItem{sort: i.Sort, core: -1, name: i.Name}
	if i.Func != nil {
		it.params, it.result = i.Func.Params, i.Func.Results
	}
	return it
}
