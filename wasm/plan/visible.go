package plan

import (
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/typing"
)

// show makes the types of an import or export known and checks that those it uses are.
func (p *planner) show(s *scope, name string, it item, export bool) error {
	if s.visible == nil {
		return nil
	}
	if err := p.learn(s.visible, it, export); err != nil {
		return err
	}
	hidden, err := p.hidden(s.visible, it, export)
	if err == nil && hidden != nil {
		err = invalid("%q uses %s without a name that others see: export or import it first and use the new type", name, hidden.Word())
	}
	return err
}

// learn adds the types of it, also those inside an instance.
func (p *planner) learn(v *typing.Visible, it item, export bool) error {
	switch x := it.value.(type) {
	case *typing.Ref:
		v.Add(x, export)
	case *bundle:
		if err := p.spend(len(x.names)); err != nil {
			return err
		}
		for _, n := range x.names {
			if err := p.learn(v, x.items[n], export); err != nil {
				return err
			}
		}
	}
	return nil
}

// hidden finds a type that it uses without a visible name.
func (p *planner) hidden(v *typing.Visible, it item, export bool) (*typing.Ref, error) {
	switch x := it.value.(type) {
	case *Function:
		return p.types.Hidden(v, x.Type, export, p.spend)
	case *bundle:
		for _, n := range x.names {
			if h, err := p.hidden(v, x.items[n], export); h != nil || err != nil {
				return h, err
			}
		}
	case *typing.Ref:
		if !export && v.Hides(x) {
			return x, nil
		}
		sh, ok := x.Value.(*shape)
		if !ok {
			return p.types.Hidden(v, x.Value, export, p.spend)
		}
		if sh.component {
			return nil, nil // checked on its own
		}
		b, err := p.declare(sh, "", nil, nil)
		if err != nil {
			return nil, err
		}
		own := item{sort: binary.SortInstance, value: b}
		if err := p.learn(v, own, true); err != nil {
			return nil, err
		}
		return p.hidden(v, own, true)
	}
	return nil, nil
}
