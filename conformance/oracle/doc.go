// Package oracle judges the component host by other implementations of the Component Model.
//
// What it is: a generator of random worlds ([Generate]) that encodes components by itself, with
// calls of their exports; a runner on our host ([Run]); and the same worlds given to peers that
// share no code with us ([Peer]), whose outcomes must agree: value or trap, and the calls of
// host functions with their arguments. Who calls it: its tests, in `make test` with the
// checked-in corpus and without any peer, and in `make conformance-wasm SEED=1 COUNT=2000`
// with jco on Node and, where python3 has it, Wasmtime. What it refuses to do: compare
// messages, fuel or layout; ignore a difference that no entry of [KnownDeviation] explains.
// Main types: [World], [Case], [Outcome], [Type].
//
// Stories are: pass (values through one guest and back), chain (through two or three guests
// with memories and string encodings of their own), memory (spoiled bytes as results and
// arguments), script (calls in drawn order over handles of host resources, with traps),
// resource (the same over a resource that another guest defines). A failure prints story and
// seed, which make the world again: -oracle.story chain -oracle.seed 17 -oracle.count 1.
//
// Values have a canonical form, in JSON and in Go (any of bool, int64, string, []any,
// map[string]any, nil):
//
//	bool                  true, false
//	s8..s32, u8..u32      a number
//	s64, u64              a string of decimal digits
//	f32, f64              a string of 8 or 16 hex digits, the bits; any NaN is "nan"
//	char                  a number, the code point
//	string                a string
//	list, tuple, record   an array; records in the order of their fields
//	variant               {"case": payload}, null without payload
//	enum                  "case"
//	option                null or {"some": value}
//	result                {"ok": payload} or {"error": payload}
//	flags                 an array of names, in the order of the type
//	own, borrow           {"own": n}, {"borrow": n}; n is the host's number, null for a guest's
//
// Its promises are tested in oracle_test.go and corpus_test.go.
package oracle
