// Package cbor writes canonical CBOR and reads whatever CBOR the ecosystem's tools write.
//
// What it is: [Marshal] (formats digest 2.8: definite lengths, text keys sorted by length and
// then bytewise, shortest forms, no tags), [Unmarshal] into JSON-like Go values, [Decode] into
// structs, [FromJSON] for values that arrive as JSON. Who calls it: runtime/host for payloads,
// model/pack for manifests, locks and SBOMs. What it refuses to do: write tags, non-text keys,
// NaN or infinity; read duplicate keys, invalid UTF-8, trailing bytes, or more than [MaxBytes]
// bytes, [MaxItems] items or [MaxDepth] levels. It has no types of its own: values are
// map[string]any, []any, string, []byte, int64, uint64, float64, bool and nil. Its promises
// are tested in cbor_test.go and fuzzed in fuzz_test.go.
package cbor
