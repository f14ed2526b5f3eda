package greentic

import "reflect"

// shape is the type of one side of an operation.
type shape = reflect.Type

func shapeOf[T any]() shape { return reflect.TypeFor[T]() }

// object is a plain value.
type object = map[string]any

// jsonSchema is the JSON Schema of t. above are the structs around it: a type that contains itself is
// left open there.
func jsonSchema(t reflect.Type, r rule, above ...reflect.Type) object {
	s := object{}
	switch elem := t; {
	case isText(t):
		s["type"] = "string"
		if t.PkgPath() == "time" && t.Name() == "Time" {
			s["format"] = "date-time"
		}
	case t.Kind() == reflect.Pointer:
		return jsonSchema(elem.Elem(), r, above...)
	case isBytes(t):
		s["type"], s["contentEncoding"] = "string", "base64"
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		s["type"], s["items"] = "array", jsonSchema(t.Elem(), rule{}, above...)
	case t.Kind() == reflect.Map:
		s["type"], s["additionalProperties"] = "object", jsonSchema(t.Elem(), rule{}, above...)
	case t.Kind() == reflect.Struct && !within(t, above):
		s["type"] = "object"
		properties, required := object{}, []any{}
		list, _ := fields(t)
		for _, f := range list {
			properties[f.name] = jsonSchema(f.typ, f.rule, append(above[:len(above):len(above)], t)...)
			if !f.optional {
				required = append(required, f.name)
			}
		}
		if s["properties"] = properties; len(required) > 0 {
			s["required"] = required
		}
	default:
		if name := scalar(t, "integer", "number", "boolean"); name != "" {
			s["type"] = name
		}
	}
	annotate(s, t, r)
	return s
}

// annotate adds what tags say.
func annotate(s object, t reflect.Type, r rule) {
	if r.doc != "" {
		s["description"] = r.doc
	}
	if r.format != "" {
		s["format"] = r.format
	}
	if len(r.enum) > 0 {
		s["enum"] = texts(r.enum)
	}
	if r.hasDefault {
		s["default"], _ = plainText(r.fallback, t)
	}
	low, high := bounds(s["type"])
	if r.min != nil && low != "" {
		s[low] = *r.min
	}
	if r.max != nil && high != "" {
		s[high] = *r.max
	}
}

func bounds(kind any) (low, high string) {
	switch kind {
	case "string":
		return "minLength", "maxLength"
	case "array":
		return "minItems", "maxItems"
	case "object":
		return "minProperties", "maxProperties"
	case "integer", "number":
		return "minimum", "maximum"
	}
	return "", ""
}

// schemaIR is the schema of t in the dialect of self-descriptions.
func schemaIR(t reflect.Type, r rule, above ...reflect.Type) object {
	s := object{}
	low, high := "", ""
	switch {
	case isText(t), t.Kind() == reflect.String:
		if len(r.enum) > 0 {
			return object{"type": "enum", "values": texts(r.enum)}
		}
		s["type"], low, high = "string", "min_len", "max_len"
		if r.format != "" {
			s["format"] = r.format
		}
	case t.Kind() == reflect.Pointer:
		return schemaIR(t.Elem(), r, above...)
	case isBytes(t):
		s["type"] = "bytes"
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		s["type"], s["items"], low, high = "array", schemaIR(t.Elem(), rule{}, above...), "min_items", "max_items"
	case t.Kind() == reflect.Map:
		return objectIR(object{}, nil, object{"type": "schema", "schema": schemaIR(t.Elem(), rule{}, above...)})
	case t.Kind() == reflect.Struct && !within(t, above):
		properties, required := object{}, []any{}
		list, _ := fields(t)
		for _, f := range list {
			properties[f.name] = schemaIR(f.typ, f.rule, append(above[:len(above):len(above)], t)...)
			if !f.optional {
				required = append(required, f.name)
			}
		}
		return objectIR(properties, required, object{"type": "allow"})
	default:
		name := scalar(t, "int", "float", "bool")
		if name == "" {
			return anyIR()
		}
		s["type"], low, high = name, "min", "max"
	}
	if r.min != nil && low != "" {
		s[low] = *r.min
	}
	if r.max != nil && high != "" {
		s[high] = *r.max
	}
	return s
}

func objectIR(properties object, required []any, additional object) object {
	if required == nil {
		required = []any{}
	}
	return object{"type": "object", "properties": properties, "required": required, "additional": additional}
}

// anyIR is the schema of any value; the dialect has no word for it.
func anyIR() object {
	variants := []any{objectIR(object{}, nil, object{"type": "allow"}), object{"type": "array", "items": object{"type": "ref", "id": "any"}}}
	for _, name := range []string{"string", "int", "float", "bool", "null", "bytes"} {
		variants = append(variants, object{"type": name})
	}
	return object{"type": "one_of", "variants": variants}
}

// scalar is the name of a scalar type, or of one that takes anything: empty.
func scalar(t reflect.Type, integer, float, boolean string) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return boolean
	case reflect.Float32, reflect.Float64:
		return float
	case reflect.Interface, reflect.Struct:
		return ""
	}
	return integer
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

func within(t reflect.Type, above []reflect.Type) bool {
	for _, a := range above {
		if a == t {
			return true
		}
	}
	return false
}

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
