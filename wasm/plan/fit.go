package plan

import (
	"bytes"

	"greentic.dev/wasm/binary"
)

// sameType is structural equality; resources are equal when they are the same pointer, types of
// instances and components when each can stand for the other.
func (p *planner) sameType(a, b any) bool {
	switch a := a.(type) {
	case *binary.Type:
		b, ok := b.(*binary.Type)
		return ok && a.Same(b)
	case *binary.Func:
		b, ok := b.(*binary.Func)
		return ok && a.Same(b)
	case *shape:
		b, ok := b.(*shape)
		return ok && (a == b || a.component == b.component && p.below(a, b) && p.below(b, a))
	}
	return a == b
}

// below says whether everything of type a is of type b.
func (p *planner) below(a, b *shape) bool {
	if a.component {
		return p.fitTemplate(&template{typ: a, scope: a.scope}, b) == nil
	}
	some, err := p.declare(a, "", nil, nil)
	if err == nil {
		_, err = p.declare(b, "", nil, some)
	}
	return err == nil
}

func (c CoreItem) is(params, results []byte) bool {
	return bytes.Equal(c.params, params) && bytes.Equal(c.result, results)
}

// fits says whether c may stand where want is declared.
func (c CoreItem) fits(want CoreItem) bool {
	return c.sort == want.sort && c.is(want.params, want.result) && c.shape.Fits(want.shape)
}

// fitModule checks that m imports no more and exports no less than want says, and gives it with
// the exports of want.
func fitModule(m, want *Module, name string) (*Module, error) {
	declared := make(map[[2]string]CoreItem, len(want.Imports))
	for _, w := range want.Imports {
		declared[[2]string{w.module, w.Name}] = w.CoreItem
	}
	for _, imp := range m.Imports {
		if w, ok := declared[[2]string{imp.module, imp.Name}]; !ok || !w.fits(imp.CoreItem) {
			return nil, invalid("core module %q imports %q %q, which is not declared so", name, imp.module, imp.Name)
		}
	}
	for n, w := range want.exports {
		if got, ok := m.exports[n]; !ok || !got.fits(w) {
			return nil, invalid("core module %q does not export %q as declared", name, n)
		}
	}
	return &Module{Parsed: m.Parsed, Imports: m.Imports, exports: want.exports}, nil
}
