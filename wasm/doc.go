// Package wasm is a WebAssembly Component Model host.
//
// What it is: compile a component, bind it to host functions, invoke its exports, each time
// with fresh state and under limits, in pure Go on the wazero engine; instances are kept between
// calls for whoever owns them and put back into their first state. Who calls it: whoever runs
// guests; it knows nothing of Greentic beyond its error kinds. What it refuses to do:
// components with async, streams or threads; imports nobody offers; anything past a limit; it
// grants no file, network or environment access of its own. Main types: [Engine], [Component],
// [Bound], [Invocation], [Limits]. Its promises are tested in this folder and, layer by layer,
// in wasm/binary (format), wasm/canon (values), wasm/core (engine), wasm/link (graph) and
// wasm/wasi (WASI 0.2).
package wasm
