package link_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	wire "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

// wastValue reads a value of a script as the border takes values of type t.
func wastValue(raw json.RawMessage, t *wire.Type) (any, error) {
	var v struct {
		Type  string
		Value json.RawMessage
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	switch t.Kind {
	case wire.Bool:
		var b bool
		err := json.Unmarshal(v.Value, &b)
		return b, err
	case wire.Record:
		return wastRecord(v.Value, t)
	case wire.List, wire.Tuple:
		return wastSequence(v.Value, t)
	case wire.Variant:
		var c struct {
			Case    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(v.Value, &c); err != nil {
			return nil, err
		}
		for _, known := range t.Cases {
			if known.Name == c.Case {
				payload, err := wastPayload(c.Payload, known.Type)
				return canon.Variant{Case: c.Case, Value: payload}, err
			}
		}
		return nil, fmt.Errorf("no case %q", c.Case)
	case wire.Flags:
		var names []string
		err := json.Unmarshal(v.Value, &names)
		return canon.Flags(names), err
	case wire.Option:
		if string(v.Value) == "null" || v.Value == nil {
			return canon.Option{}, nil
		}
		payload, err := wastPayload(v.Value, t.Elem)
		return canon.Some(payload), err
	case wire.Result:
		var r struct{ Ok, Err json.RawMessage }
		if err := json.Unmarshal(v.Value, &r); err != nil {
			return nil, err
		}
		if r.Err != nil {
			payload, err := wastPayload(r.Err, t.Err)
			return canon.Err(payload), err
		}
		payload, err := wastPayload(r.Ok, t.Elem)
		return canon.OK(payload), err
	}
	var text string
	if err := json.Unmarshal(v.Value, &text); err != nil {
		return nil, err
	}
	return wastScalar(text, t)
}

func wastPayload(raw json.RawMessage, t *wire.Type) (any, error) {
	if t == nil || raw == nil || string(raw) == "null" {
		return nil, nil
	}
	return wastValue(raw, t)
}

func wastRecord(raw json.RawMessage, t *wire.Type) (any, error) {
	var pairs [][2]json.RawMessage
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, err
	}
	var out canon.Record
	for i, p := range pairs {
		v, err := wastValue(p[1], t.Fields[i].Type)
		if err != nil {
			return nil, err
		}
		out = append(out, canon.Named{Name: t.Fields[i].Name, Value: v})
	}
	return out, nil
}

func wastSequence(raw json.RawMessage, t *wire.Type) (any, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	out, octets := make([]any, len(items)), make([]byte, len(items))
	for i, item := range items {
		elem := t.Elem
		if t.Kind == wire.Tuple {
			elem = t.Fields[i].Type
		}
		var err error
		if out[i], err = wastValue(item, elem); err != nil {
			return nil, err
		}
		if b, ok := out[i].(uint8); ok {
			octets[i] = b
		}
	}
	if t.Kind == wire.List && t.Elem.Kind == wire.U8 {
		return octets, nil
	}
	return out, nil
}

func wastScalar(text string, t *wire.Type) (any, error) {
	switch t.Kind {
	case wire.String:
		return text, nil
	case wire.Enum:
		return canon.Variant{Case: text}, nil
	case wire.Char:
		r, _ := utf8.DecodeRuneInString(text)
		return r, nil
	case wire.S8, wire.S16, wire.S32, wire.S64:
		n, err := strconv.ParseInt(text, 10, 64)
		return map[wire.Kind]any{wire.S8: int8(n), wire.S16: int16(n), wire.S32: int32(n), wire.S64: n}[t.Kind], err
	case wire.F32, wire.F64:
		if strings.HasPrefix(text, "nan:") {
			return math.NaN(), nil
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return map[wire.Kind]any{wire.U8: uint8(n), wire.U16: uint16(n), wire.U32: uint32(n), wire.U64: n,
		wire.F32: math.Float32frombits(uint32(n)), wire.F64: math.Float64frombits(n)}[t.Kind], err
}

// wastEqual compares results; one NaN is as good as another.
func wastEqual(got, want any) bool {
	number := func(v any) (float64, bool) {
		switch v := v.(type) {
		case float32:
			return float64(v), true
		case float64:
			return v, true
		}
		return 0, false
	}
	if g, ok := number(got); ok {
		w, ok := number(want)
		return ok && (g == w || g != g && w != w)
	}
	if f, ok := got.(canon.Flags); ok && len(f) == 0 {
		w, ok := want.(canon.Flags)
		return ok && len(w) == 0
	}
	return reflect.DeepEqual(got, want)
}
