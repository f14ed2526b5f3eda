package link

import (
	"bytes"
	"slices"

	"greentic.dev/wasm/binary"
)

// sameType is structural equality; resources are equal when they are the same pointer.
func sameType(a, b any) bool {
	switch a := a.(type) {
	case *binary.Type:
		b, ok := b.(*binary.Type)
		return ok && sameValue(a, b)
	case *binary.Func:
		b, ok := b.(*binary.Func)
		return ok && sameFunc(a, b)
	case *binary.Resource:
		return any(a) == b
	}
	return a == b
}

func sameFunc(a, b *binary.Func) bool {
	return a == b || sameFields(a.Params, b.Params) && sameValue(a.Result, b.Result)
}

func sameFields(a, b []binary.Field) bool {
	return slices.EqualFunc(a, b, func(a, b binary.Field) bool { return a.Name == b.Name && sameValue(a.Type, b.Type) })
}

func sameValue(a, b *binary.Type) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind || a.Resource != b.Resource {
		return false
	}
	return slices.Equal(a.Names, b.Names) &&
		sameFields(a.Fields, b.Fields) &&
		slices.EqualFunc(a.Cases, b.Cases, func(a, b binary.Case) bool { return a.Name == b.Name && sameValue(a.Type, b.Type) }) &&
		sameValue(a.Elem, b.Elem) && sameValue(a.Err, b.Err)
}

func (c coreItem) is(params, results []byte) bool {
	return bytes.Equal(c.params, params) && bytes.Equal(c.result, results)
}

// fits says whether c may stand where want is declared.
func (c coreItem) fits(want coreItem) bool {
	return c.sort == want.sort && c.is(want.params, want.result) && c.shape.Fits(want.shape)
}

// fitModule checks that m imports no more and exports no less than want says.
func fitModule(m, want *module, name string) error {
	declared := make(map[[2]string]coreItem, len(want.imports))
	for _, w := range want.imports {
		declared[[2]string{w.module, w.name}] = w.coreItem
	}
	for _, imp := range m.imports {
		if w, ok := declared[[2]string{imp.module, imp.name}]; !ok || !w.fits(imp.coreItem) {
			return invalid("core module %q imports %q %q, which is not declared so", name, imp.module, imp.name)
		}
	}
	for n, w := range want.exports {
		if got, ok := m.exports[n]; !ok || !got.fits(w) {
			return invalid("core module %q does not export %q as declared", name, n)
		}
	}
	return nil
}

// hasPointer reports whether values of t live (partly) in linear memory.
func hasPointer(t *binary.Type) bool {
	if t == nil {
		return false
	}
	switch t.Kind {
	case binary.String, binary.List:
		return true
	}
	return hasPointer(t.Elem) || hasPointer(t.Err) ||
		slices.ContainsFunc(t.Fields, func(f binary.Field) bool { return hasPointer(f.Type) }) ||
		slices.ContainsFunc(t.Cases, func(c binary.Case) bool { return hasPointer(c.Type) })
}
