package plan

import (
	"strings"

	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

// annotated checks what a [constructor], [method] or [static] name promises: it names a
// function of a resource that has its label in b.
func (p *planner) annotated(name string, it item, b *bundle) error {
	rest, ok := strings.CutPrefix(name, "[")
	if !ok {
		return nil
	}
	kind, label, _ := strings.Cut(rest, "]")
	label, _, _ = strings.Cut(label, ".")
	f, ok := it.value.(*Function)
	if !ok {
		return invalid("%q is not a function", name)
	}
	ref, _ := b.items[label].value.(*typing.Ref)
	if ref == nil {
		ref = &typing.Ref{}
	}
	if _, ok := ref.Value.(*binary.Resource); !ok {
		return invalid("%q: no resource is called %q here", name, label)
	}
	switch kind {
	case "constructor":
		t := f.Type.Result
		if t != nil && t.Kind == binary.Result {
			t = t.Elem
		}
		if t == nil || t.Kind != binary.Own || !p.types.Goes(t, ref) {
			return invalid("%q must return own<%s>", name, label)
		}
	case "method":
		params := f.Type.Params
		if len(params) == 0 || params[0].Name != "self" || params[0].Type.Kind != binary.Borrow || !p.types.Goes(params[0].Type, ref) {
			return invalid("%q must take self: borrow<%s> first", name, label)
		}
	}
	return nil
}

// bag is export for an instance made of definitions: what is annotated needs a resource with a
// name that others can see.
func (p *planner) bag(b *bundle, name string, it item) error {
	if rest, ok := strings.CutPrefix(name, "["); ok {
		_, label, _ := strings.Cut(rest, "]")
		label, _, _ = strings.Cut(label, ".")
		if ref, ok := b.items[label].value.(*typing.Ref); ok && ref.Local {
			return invalid("%q: the resource %q is neither imported nor exported", name, label)
		}
	}
	return p.export(b, name, it)
}

func (b *bundle) get(name string) (item, bool) { it, ok := b.items[name]; return it, ok }
