package binary

func valueDef(r *reader) *ValueDef {
	b := r.byte()
	if k, ok := primitives[b]; ok {
		return &ValueDef{Kind: k}
	}
	v := &ValueDef{}
	switch b {
	case 0x72:
		v.Kind, v.Fields = Record, vec(r, "fields", labelled)
		uniqueLabels(r, "field", v.Fields)
	case 0x71:
		v.Kind, v.Fields = Variant, vec(r, "cases", caseRef)
		uniqueLabels(r, "case", v.Fields)
	case 0x70:
		v.Kind, v.Elem = List, ref(r)
	case 0x6f:
		v.Kind, v.Fields = Tuple, vec(r, "tuple elements", func(r *reader) FieldRef { return FieldRef{Type: ref(r)} })
	case 0x6e:
		v.Kind, v.Names = Flags, labels(r)
		if len(v.Names) > 32 {
			r.bad("%d flags, at most 32 are allowed in one set; split it", len(v.Names))
		}
	case 0x6d:
		v.Kind, v.Names = Enum, labels(r)
	case 0x6b:
		v.Kind, v.Elem = Option, ref(r)
	case 0x6a:
		v.Kind, v.Elem, v.Err = Result, optRef(r), optRef(r)
	case 0x69:
		v.Kind, v.Resource = Own, r.u32()
	case 0x68:
		v.Kind, v.Resource = Borrow, r.u32()
	case 0x67:
		r.unsupported("fixed-size list")
	case 0x66:
		r.unsupported("stream")
	case 0x65:
		r.unsupported("future")
	case 0x64:
		r.unsupported("error-context")
	case 0x63:
		r.unsupported("map")
	default:
		r.bad("type %#x", b)
	}
	switch v.Kind {
	case Record, Variant, Tuple:
		if r.err == nil && len(v.Fields) == 0 {
			r.bad("empty record, variant or tuple")
		}
	case Flags, Enum:
		if r.err == nil && len(v.Names) == 0 {
			r.bad("empty flags or enum")
		}
	}
	return v
}

func optRef(r *reader) *Ref {
	if p := optional(r, ref); p != nil {
		return *p
	}
	return nil
}

func caseRef(r *reader) FieldRef {
	f := FieldRef{Name: label(r), Type: optRef(r)}
	if b := r.byte(); b != 0 {
		r.bad("variant case refinement %#x", b)
	}
	return f
}

func labels(r *reader) []string {
	names := vec(r, "labels", label)
	strong := make(map[string]bool, len(names))
	for _, n := range names {
		unique(r, strong, "label", n)
	}
	return names
}

func uniqueLabels(r *reader, what string, fields []FieldRef) {
	seen := make(map[string]bool, len(fields))
	for _, f := range fields {
		unique(r, seen, what, f.Name)
	}
}
