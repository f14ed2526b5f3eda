package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"greentic.dev/wasm"
)

// toHost turns a value of the canonical form into the one package canon lowers. Handles of
// host resources carry their number as int64.
func toHost(t *Type, v any) any {
	switch t.Kind {
	case "bool", "string":
		return v
	case "s8":
		return int8(v.(int64))
	case "u8":
		return uint8(v.(int64))
	case "s16":
		return int16(v.(int64))
	case "u16":
		return uint16(v.(int64))
	case "s32":
		return int32(v.(int64))
	case "u32":
		return uint32(v.(int64))
	case "s64":
		return int64(t.bits(v))
	case "u64":
		return t.bits(v)
	case "f32":
		return math.Float32frombits(uint32(t.bits(v)))
	case "f64":
		return math.Float64frombits(t.bits(v))
	case "char":
		return rune(v.(int64))
	case "list":
		return toList(t.Elem, v.([]any))
	case "tuple":
		out := make([]any, len(t.Types))
		for i, f := range t.Types {
			out[i] = toHost(f, v.([]any)[i])
		}
		return out
	case "record":
		out := make(wasm.Record, len(t.Types))
		for i, f := range t.Types {
			out[i] = wasm.Named{Name: t.Names[i], Value: toHost(f, v.([]any)[i])}
		}
		return out
	case "flags":
		var set wasm.Flags
		for _, n := range v.([]any) {
			set = append(set, n.(string))
		}
		return set
	case "own", "borrow":
		return wasm.Handle{Rep: v.(map[string]any)[t.Kind].(int64)}
	}
	i, payload := t.caseOf(v)
	if p := t.cases()[i]; p != nil {
		payload = toHost(p, payload)
	}
	switch t.Kind {
	case "option":
		return wasm.Option{Some: i == 1, Value: payload}
	case "result":
		return wasm.Result{IsErr: i == 1, Value: payload}
	}
	return wasm.Variant{Case: t.Names[i], Value: payload}
}

func toList(elem *Type, list []any) any {
	if elem.Kind == "u8" {
		raw := make([]byte, len(list))
		for i, v := range list {
			raw[i] = byte(v.(int64))
		}
		return raw
	}
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = toHost(elem, v)
	}
	return out
}

// fromHost turns what package canon lifted into the canonical form. A value of another shape
// than its type says panics: that is a finding too.
func fromHost(t *Type, v any) any {
	switch t.Kind {
	case "bool", "string":
		return v
	case "s64":
		return fmt.Sprint(v.(int64))
	case "u64":
		return fmt.Sprint(v.(uint64))
	case "f32":
		return f32Form(math.Float32bits(v.(float32)))
	case "f64":
		return f64Form(math.Float64bits(v.(float64)))
	case "list":
		out := []any{}
		if t.Elem.Kind == "u8" {
			for _, b := range v.([]byte) {
				out = append(out, int64(b))
			}
			return out
		}
		for _, e := range v.([]any) {
			out = append(out, fromHost(t.Elem, e))
		}
		return out
	case "tuple":
		out := []any{}
		for i, f := range t.Types {
			out = append(out, fromHost(f, v.([]any)[i]))
		}
		return out
	case "record":
		out := []any{}
		for i, f := range t.Types {
			field := v.(wasm.Record)[i]
			if field.Name != t.Names[i] {
				panic("record fields are out of order")
			}
			out = append(out, fromHost(f, field.Value))
		}
		return out
	case "flags":
		out := []any{}
		for _, n := range v.(wasm.Flags) {
			out = append(out, n)
		}
		return out
	case "own", "borrow":
		return map[string]any{t.Kind: handleForm(v.(wasm.Handle).Rep)}
	case "enum":
		return v.(wasm.Variant).Case
	case "option":
		o := v.(wasm.Option)
		if !o.Some {
			return nil
		}
		return map[string]any{"some": fromHost(t.Elem, o.Value)}
	case "result":
		r := v.(wasm.Result)
		if r.IsErr {
			return map[string]any{"error": fromPayload(t.Err, r.Value)}
		}
		return map[string]any{"ok": fromPayload(t.Elem, r.Value)}
	case "variant":
		x := v.(wasm.Variant)
		for i, n := range t.Names {
			if n == x.Case {
				return map[string]any{n: fromPayload(t.Types[i], x.Value)}
			}
		}
		panic("unknown case " + x.Case)
	}
	return integerForm(v)
}

func fromPayload(t *Type, v any) any {
	if t == nil {
		if v != nil {
			panic("payload where there is none")
		}
		return nil
	}
	return fromHost(t, v)
}

// handleForm is the number of a host resource; what stands for a guest's is its own business.
func handleForm(rep any) any {
	if n, ok := rep.(int64); ok {
		return n
	}
	return nil
}

func integerForm(v any) any {
	switch n := v.(type) {
	case int8:
		return int64(n)
	case uint8:
		return int64(n)
	case int16:
		return int64(n)
	case uint16:
		return int64(n)
	case int32:
		return int64(n)
	case uint32:
		return int64(n)
	}
	panic(fmt.Sprintf("%T is no integer", v))
}

// decode reads JSON with integers as int64, which is how the canonical form has them.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}

// plain replaces what decode left as text of a number.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return v.String()
		}
		return n
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}
