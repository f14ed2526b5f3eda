package filled

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// Fill sets every exported field below the pointer p that encoding/json knows to something that is
// not zero, different from most others and survives encoding/json. A type within itself is filled
// once; the next one is left out. What it cannot fill makes it panic.
func Fill(p any) {
	(&filler{inside: map[reflect.Type]int{}}).fill(reflect.ValueOf(p).Elem())
}

type filler struct {
	n      int
	inside map[reflect.Type]int // how many of a type are being filled
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	f.inside[v.Type()]++
	defer func() { f.inside[v.Type()]-- }()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000, int64(f.n)*1000).UTC()))
		return
	case json.RawMessage:
		v.SetBytes(fmt.Appendf(nil, `{"raw":%d}`, f.n))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if one := v.Type().Field(i); one.IsExported() && one.Tag.Get("json") != "-" {
				f.fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		if f.inside[v.Type().Elem()] > 1 {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key)
		f.fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("text \"%d\"", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.n))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.n))
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"value": fmt.Sprint(f.n)}))
	default:
		panic(fmt.Sprintf("filled: no value for %s", v.Type()))
	}
}
