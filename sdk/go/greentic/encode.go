package greentic

import (
	"math"
	"reflect"
	"strconv"

	"greentic.dev/sdk/go/internal/value"
)

// EncodeJSON is v as compact JSON with sorted keys, by the rules of this package: field names in
// snake_case, bytes in base64. It needs less code in a component than encoding/json.
func EncodeJSON(v any) ([]byte, error) {
	plain, err := encode(v)
	if err != nil {
		return nil, err
	}
	return value.ToJSON(plain)
}

// DecodeJSON is [Decode] of a JSON document.
func DecodeJSON(b []byte, to any) error {
	plain, err := fromJSON(b)
	if err != nil {
		return err
	}
	return Decode(plain, to)
}

// Decode puts a plain value (map[string]any, []any, string, …) into what to points at. What is missing stays
// as it is, and what is not known is left out; a value of another type is an error that names its path. Only the
// inputs of operations and the configuration are checked against tags.
func Decode(plain any, to any) error {
	v := reflect.ValueOf(to)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return wrong("Decode needs a pointer")
	}
	return decoder{}.into(plain, v.Elem(), "$")
}

// Encode is v as plain values.
func Encode(v any) (any, error) { return encode(v) }

func fromJSON(b []byte) (any, error) { return value.FromJSON(b) }

// encode is v as a plain value.
func encode(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	return outOf(reflect.ValueOf(v), "$", 0)
}

func outOf(v reflect.Value, path string, depth int) (any, error) {
	if depth > value.MaxDepth {
		return nil, wrong(path + ": values nest deeper than " + strconv.Itoa(value.MaxDepth))
	}
	t := v.Type()
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && isText(t) {
		b, err := v.Interface().(textWriter).MarshalText()
		if err != nil {
			return nil, wrong(path + ": " + err.Error())
		}
		return string(b), nil
	}
	switch {
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint():
		if u := v.Uint(); u > math.MaxInt64 {
			return u, nil
		}
		return int64(v.Uint()), nil
	case v.CanFloat():
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, wrong(path + ": " + number(f) + " has no value form")
		}
		return f, nil
	}
	switch t.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		if t.Kind() == reflect.Pointer {
			depth++ // what points to itself has no end
		}
		return outOf(v.Elem(), path, depth)
	case reflect.Slice, reflect.Array:
		return outOfList(v, path, depth)
	case reflect.Map:
		return outOfMap(v, path, depth)
	case reflect.Struct:
		return outOfStruct(v, path, depth)
	}
	return nil, wrong(path + ": " + t.String() + " has no value form")
}

func outOfList(v reflect.Value, path string, depth int) (any, error) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		return v.Bytes(), nil
	}
	list := make([]any, v.Len())
	for i := range list {
		item, err := outOf(v.Index(i), path+"["+strconv.Itoa(i)+"]", depth+1)
		if err != nil {
			return nil, err
		}
		list[i] = item
	}
	return list, nil
}

func outOfMap(v reflect.Value, path string, depth int) (any, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, wrong(path + ": " + v.Type().String() + " has no value form: its keys are no texts")
	}
	m := make(map[string]any, v.Len())
	for walk := v.MapRange(); walk.Next(); {
		k := walk.Key().String()
		item, err := outOf(walk.Value(), path+"."+k, depth+1)
		if err != nil {
			return nil, err
		}
		m[k] = item
	}
	return m, nil
}

func outOfStruct(v reflect.Value, path string, depth int) (any, error) {
	list, err := fields(v.Type())
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, len(list))
	for i := range list {
		f := &list[i]
		at := v.FieldByIndex(f.index)
		if f.omit && (at.IsZero() || (at.Kind() == reflect.Slice || at.Kind() == reflect.Map) && at.Len() == 0) {
			continue
		}
		if m[f.name], err = outOf(at, path+"."+f.name, depth+1); err != nil {
			return nil, err
		}
	}
	return m, nil
}
