// Package value has the plain values a component takes and gives, in CBOR and JSON.
//
// What it is: nil, bool, int64, uint64, float64, string, []byte, []any and map[string]any, written
// canonically and read leniently. Who calls it: package greentic. What it refuses to do: reflection;
// nesting beyond [MaxDepth]. Tested in value_test.go.
package value
