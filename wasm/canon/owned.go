package canon

import "greentic.dev/wasm/binary"

// Owned visits the owned handles in a value of type t in the order in which they are lowered.
// Parts of the value that do not fit their type hold none.
func Owned(t *binary.Type, v any, visit func(r *binary.Resource, rep any)) {
	if t == nil || v == nil {
		return
	}
	switch v := v.(type) {
	case Handle:
		if t.Kind == binary.Own {
			visit(t.Resource, v.Rep)
		}
	case Option:
		Owned(t.Elem, v.Value, visit)
	case Result:
		if v.IsErr {
			Owned(t.Err, v.Value, visit)
		} else {
			Owned(t.Elem, v.Value, visit)
		}
	case Variant:
		for _, c := range t.Cases {
			if c.Name == v.Case {
				Owned(c.Type, v.Value, visit)
			}
		}
	case Record:
		for _, f := range t.Fields {
			Owned(f.Type, v.Get(f.Name), visit)
		}
	case []any:
		for i, e := range v {
			switch {
			case t.Kind == binary.List:
				Owned(t.Elem, e, visit)
			case i < len(t.Fields):
				Owned(t.Fields[i].Type, e, visit)
			}
		}
	}
}
