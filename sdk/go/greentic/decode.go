package greentic

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strconv"
)

// text marshalling, as package encoding has it.
type (
	textWriter interface{ MarshalText() ([]byte, error) }
	textReader interface{ UnmarshalText([]byte) error }
)

// isText says whether values of t travel as text.
func isText(t reflect.Type) bool {
	if t.PkgPath() == "" {
		return false // without a name it has no methods
	}
	return t.Implements(reflect.TypeFor[textWriter]()) && reflect.PointerTo(t).Implements(reflect.TypeFor[textReader]())
}

func wrong(text string) error { return errors.New(text) }

// decoder puts plain values into Go values. A strict one wants what is required, fills in defaults and
// checks the rules of tags: inputs and configuration are ours. Others leave what is missing as it is.
type decoder struct{ strict bool }

// decode puts the plain value v where to points, strictly. The error says where in v it does not fit.
func decode(v any, to any) error { return decoder{true}.into(v, reflect.ValueOf(to).Elem(), "$") }

func mismatch(path, want string, v any) error {
	return wrong(path + ": want " + want + ", got " + describeValue(v))
}

// describeValue is a value in few words, for errors.
func describeValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		if len(v) > 40 {
			return "a text of " + strconv.Itoa(len(v)) + " bytes"
		}
		return "the text " + strconv.Quote(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return number(v)
	case []byte:
		return "bytes"
	case []any:
		return "a list"
	}
	return "an object"
}

func (d decoder) into(v any, to reflect.Value, path string) error {
	t := to.Type()
	if t.Kind() == reflect.Pointer {
		if v == nil {
			to.SetZero()
			return nil
		}
		if to.IsNil() {
			to.Set(reflect.New(t.Elem()))
		}
		return d.into(v, to.Elem(), path)
	}
	if isText(t) {
		s, ok := v.(string)
		if !ok {
			return mismatch(path, "a text", v)
		}
		if err := to.Addr().Interface().(textReader).UnmarshalText([]byte(s)); err != nil {
			return wrong(path + ": " + err.Error())
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Interface:
		if v == nil {
			to.SetZero()
		} else {
			to.Set(reflect.ValueOf(v))
		}
		return nil
	case reflect.Struct:
		return d.intoStruct(v, to, path)
	case reflect.Map:
		return d.intoMap(v, to, path)
	case reflect.Slice:
		return d.intoSlice(v, to, path)
	case reflect.Array:
		return d.intoArray(v, to, path)
	}
	return intoScalar(v, to, path)
}

func intoScalar(v any, to reflect.Value, path string) error {
	switch {
	case to.Kind() == reflect.String:
		if s, ok := v.(string); ok {
			to.SetString(s)
			return nil
		}
		return mismatch(path, "a text", v)
	case to.Kind() == reflect.Bool:
		if b, ok := v.(bool); ok {
			to.SetBool(b)
			return nil
		}
		return mismatch(path, "true or false", v)
	case to.CanInt():
		n, ok := whole(v)
		if !ok || to.OverflowInt(n) {
			return mismatch(path, "a whole number of "+strconv.Itoa(to.Type().Bits())+" bits", v)
		}
		to.SetInt(n)
		return nil
	case to.CanUint():
		n, ok := whole(v)
		u := uint64(n)
		if big, isBig := v.(uint64); isBig {
			u, ok, n = big, true, 0
		}
		if !ok || n < 0 || to.OverflowUint(u) {
			return mismatch(path, "a whole number from 0 of "+strconv.Itoa(to.Type().Bits())+" bits", v)
		}
		to.SetUint(u)
		return nil
	case to.CanFloat():
		switch n := v.(type) {
		case int64:
			to.SetFloat(float64(n))
		case uint64:
			to.SetFloat(float64(n))
		case float64:
			to.SetFloat(n)
		default:
			return mismatch(path, "a number", v)
		}
		return nil
	}
	return wrong(path + ": " + to.Type().String() + " has no value form")
}

// whole is v as an int64, if it is one.
func whole(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case uint64:
		return int64(n), n < 1<<63
	case float64:
		if n >= -1<<63 && n < 1<<63 && n == float64(int64(n)) {
			return int64(n), true
		}
	}
	return 0, false
}

func (d decoder) intoStruct(v any, to reflect.Value, path string) error {
	m, ok := v.(map[string]any)
	if !ok {
		return mismatch(path, "an object", v)
	}
	list, err := fields(to.Type())
	if err != nil {
		return err
	}
	for i := range list {
		f := &list[i]
		at := to.FieldByIndex(f.index)
		inner, given := m[f.name]
		if inner == nil && f.rule.hasDefault && d.strict {
			if inner, err = plainText(f.rule.fallback, f.typ); err != nil {
				return wrong(path + "." + f.name + ": its default: " + err.Error())
			}
			given = true
		}
		if !given || inner == nil {
			if d.strict && !f.optional && (!given || !nullable(f.typ)) {
				return wrong(path + "." + f.name + ": it is required")
			}
			continue
		}
		if err := d.into(inner, at, path+"."+f.name); err != nil {
			return err
		}
		if broken := f.rule.check(at); d.strict && broken != "" {
			return wrong(path + "." + f.name + ": " + broken)
		}
	}
	return nil
}

// nullable says whether null is a value of t.
func nullable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface
}

// plainText is the plain value that a tag spells for type t.
func plainText(text string, t reflect.Type) (any, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return strconv.ParseBool(text)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if !isText(t) {
			return strconv.ParseInt(text, 10, 64)
		}
	case reflect.Float32, reflect.Float64:
		return strconv.ParseFloat(text, 64)
	case reflect.Slice, reflect.Map, reflect.Struct, reflect.Interface:
		if !isText(t) {
			return fromJSON([]byte(text))
		}
	}
	return text, nil
}

func (d decoder) intoMap(v any, to reflect.Value, path string) error {
	m, ok := v.(map[string]any)
	if v == nil {
		to.SetZero()
		return nil
	}
	if !ok {
		return mismatch(path, "an object", v)
	}
	t := to.Type()
	out := reflect.MakeMapWithSize(t, len(m))
	for k, inner := range m {
		item := reflect.New(t.Elem()).Elem()
		if err := d.into(inner, item, path+"."+k); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(t.Key()), item)
	}
	to.Set(out)
	return nil
}

func (d decoder) intoSlice(v any, to reflect.Value, path string) error {
	if v == nil {
		to.SetZero()
		return nil
	}
	if to.Type().Elem().Kind() == reflect.Uint8 {
		switch b := v.(type) {
		case []byte:
			to.SetBytes(b)
			return nil
		case string:
			raw, err := base64.StdEncoding.DecodeString(b)
			if err != nil {
				return mismatch(path, "bytes or base64", v)
			}
			to.SetBytes(raw)
			return nil
		}
		return mismatch(path, "bytes", v)
	}
	list, ok := v.([]any)
	if !ok {
		return mismatch(path, "a list", v)
	}
	out := reflect.MakeSlice(to.Type(), len(list), len(list))
	for i, inner := range list {
		if err := d.into(inner, out.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	to.Set(out)
	return nil
}

func (d decoder) intoArray(v any, to reflect.Value, path string) error {
	list, ok := v.([]any)
	if !ok || len(list) != to.Len() {
		return mismatch(path, "a list of "+strconv.Itoa(to.Len()), v)
	}
	for i, inner := range list {
		if err := d.into(inner, to.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}
