// Package value moves plain values in and out of CBOR and JSON.
//
// What it is: codecs for nil, bool, int64, uint64, float64, string, []byte, []any and
// map[string]any, small enough for a guest. Who calls it: packages guest and state, and
// components that read their input. What it refuses to do: reflection, structs, other map
// keys than text, nesting beyond 64. Main functions: [FromCBOR], [ToCBOR], [FromJSON],
// [ToJSON], [Text]. Tested in value_test.go.
package value
