// Package binary decodes WebAssembly component binaries.
//
// What it is: the syntax of the Component Model binary format (Binary.md of the Component
// Model repository) as Go values in file order, and the resolved value types that the layers
// above share. Who calls it: wasm/link, which gives the definitions their meaning; wasm/wit
// and hosts, which read the resolved types. What it refuses to do: run, link or type-check
// anything; it refuses malformed bytes, claims that exceed the bytes present, nesting and
// counts past [Limits], and by name every construct this host does not support (async,
// streams, futures, error-context, threads, values). Main types: [Component], [Def], [Type],
// [Func], [Limits]. Its promises are tested in decode_test.go, names_test.go and FuzzDecode.
package binary
