// Package wasm is a WebAssembly Component Model host in pure Go.
//
// What it is: compile a component, bind it to host functions, invoke its exports, each time with
// fresh state and under limits.
//
//	engine, err := wasm.New(ctx, wasm.Options{CacheDir: dir})
//	component, err := engine.Compile(ctx, code)  // checked whole before anything runs
//	bound, err := component.Bind(hosts)          // every import is satisfied, or named
//	value, stats, err := bound.Invoke(ctx, wasm.Invocation{Interface: "a:b/c@1.0.0", Func: "f", Args: args, Owner: tenant})
//
// Who calls it: whoever runs guests; it knows nothing of Greentic beyond its error kinds. What it
// refuses to do: components with async, streams or threads; imports nobody offers; anything past
// a limit; it grants no file, network or environment access of its own. Main types: [Engine],
// [Component], [Bound], [Invocation], [Limits], [Stats]. Its promises are tested in this folder
// and, layer by layer, in wasm/binary (format), wasm/canon (values), wasm/core (engine),
// wasm/link (graph) and wasm/wasi (WASI 0.2).
//
// # Values
//
// Arguments, results and what host functions see are plain Go values; package canon lists the
// forms. Resources are handles whose Rep is any Go value of the host, or the number a guest chose.
//
// # Fresh state
//
// A component is started once, and what it was then, its memories, globals and handles, is an
// image. An invocation with an Owner runs in an instance that only this owner uses and that is
// put back into the image after each call, in time that depends on what the call wrote. Without
// an owner, or where an image cannot be exact, the instance is made for the call.
//
// # Ending
//
// A guest ends soon after its context does, in its own code as in a host call, and at every limit
// of [Limits]. A trap is a fault of kind Invalid with code link.TrapCode and a *[Trap] as cause; a
// limit is Exhausted; a deadline Timeout. Whatever ended it, the next invocation is not affected.
//
// # Metering
//
// [Stats] has the fuel of an invocation, which is the same for the same work on every machine, its
// processor time, its peak memory and its host calls.
package wasm
