// Package core is the core-WebAssembly engine below the component host: it parses core modules,
// rewrites them so that they can be linked statically, stopped and put back into an earlier
// state, gives them memories of our own, and compiles them through wazero with a cache on disk.
//
// What it is: parser, rewriter, allocator, images and engine. Who calls it: package link. What
// it refuses to do: know components, run a module that was not rewritten, execute a cached file
// that is not what was written, restore what it cannot restore exactly. Main types: [Module],
// [Engine], [Code], [Instance], [Budget], [Image]. Its promises are tested in core_test.go,
// hostile_test.go, random_test.go, snapshot_test.go and cache_test.go, and fuzzed against
// wazero's validator.
//
// A rewritten module has safe points: at each loop head and at the entry of each function that
// is not light (see weigh.go). They spend a slice, in points that weigh the code behind them,
// and at its end leave to Go, where the scheduler and the garbage collector get their turn and
// the context of the call is looked at: that context is the one way to stop a guest, so that a
// late stop cannot meet another invocation. The same counter yields the fuel an invocation
// took. Functions that may recurse also count their depth, so that recursion ends long before
// the engine's stack does.
package core
