package cbor

import (
	"encoding/json"
	"strconv"

	fx "github.com/fxamacker/cbor/v2"

	"greentic.dev/greentic/fault"
)

var encoder = newEncoder()

func newEncoder() fx.EncMode {
	m, err := fx.EncOptions{
		Sort:          fx.SortLengthFirst,
		ShortestFloat: fx.ShortestFloat16,
		NaNConvert:    fx.NaNConvertReject,
		InfConvert:    fx.InfConvertReject,
		BigIntConvert: fx.BigIntConvertReject,
		IndefLength:   fx.IndefLengthForbidden,
		NilContainers: fx.NilContainerAsEmpty,
		TagsMd:        fx.TagsForbidden,
	}.EncMode()
	if err != nil {
		panic(err)
	}
	return m
}

// Marshal writes v canonically, floats allowed (in their shortest exact form). v is built of
// the values of this package, of Go integers of any size, of json.Number and json.RawMessage
// (written as what they denote), or of structs with `cbor` or `json` field tags. Nil slices
// and maps are written empty, nil pointers as null. The error is fault.Invalid.
func Marshal(v any) ([]byte, error) {
	v, err := plain(v)
	if err != nil {
		return nil, err
	}
	b, err := encoder.Marshal(v)
	if err != nil {
		return nil, fault.As(fault.Invalid, "cbor encode", err)
	}
	return b, nil
}

// MarshalStrict is Marshal without floats: a document that holds one is fault.Invalid.
func MarshalStrict(v any) ([]byte, error) {
	b, err := Marshal(v)
	if err != nil {
		return nil, err
	}
	strict := true
	walkHeads(b, func(h head) bool {
		strict = !h.float()
		return strict
	})
	if !strict {
		return nil, fault.New(fault.Invalid, "cbor encode", "a strict document holds no floats")
	}
	return b, nil
}

// plain replaces what JSON decoders leave behind by what it denotes; it copies only the
// containers it changes.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case json.RawMessage:
		return FromJSON(v)
	case map[any]any:
		return nil, fault.New(fault.Invalid, "cbor encode", "map keys must be text")
	case map[string]any:
		return plainMap(v)
	case []any:
		return plainList(v)
	}
	return v, nil
}

func plainMap(m map[string]any) (any, error) {
	var changed map[string]any
	for k, old := range m {
		if !convertible(old) {
			continue
		}
		v, err := plain(old)
		if err != nil {
			return nil, err
		}
		if changed == nil {
			changed = make(map[string]any, len(m))
			for k, v := range m {
				changed[k] = v
			}
		}
		changed[k] = v
	}
	if changed != nil {
		return changed, nil
	}
	return m, nil
}

func plainList(l []any) (any, error) {
	var changed []any
	for i, old := range l {
		if !convertible(old) {
			continue
		}
		v, err := plain(old)
		if err != nil {
			return nil, err
		}
		if changed == nil {
			changed = append([]any(nil), l...)
		}
		changed[i] = v
	}
	if changed != nil {
		return changed, nil
	}
	return l, nil
}

// convertible says whether v holds something that plain would replace or refuse.
func convertible(v any) bool {
	switch v := v.(type) {
	case json.Number, json.RawMessage, map[any]any:
		return true
	case map[string]any:
		for _, item := range v {
			if convertible(item) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if convertible(item) {
				return true
			}
		}
	}
	return false
}

// number is the int64, uint64 or float64 that a JSON number denotes; "3" is an integer,
// "3.0" and "3e0" are floats, as in the ecosystem's own JSON reader.
func number(n json.Number) (any, error) {
	if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return i, nil
	}
	if u, err := strconv.ParseUint(n.String(), 10, 64); err == nil {
		return u, nil
	}
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "json number", "%q is out of range", n.String())
	}
	return f, nil
}
