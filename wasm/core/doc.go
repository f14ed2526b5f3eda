// Package core is the core-WebAssembly engine below the component host: it parses core modules,
// rewrites them so that they can be linked statically and stopped, gives them memories of our
// own, and compiles them through wazero with a cache on disk.
//
// What it is: parser, rewriter, allocator and engine. Who calls it: package link. What it
// refuses to do: know components, or run a module that was not rewritten. Main types: [Module],
// [Engine], [Code], [Instance], [Budget]. Its promises are tested in core_test.go and
// rewrite_test.go, and fuzzed against wazero's validator.
//
// A rewritten module has at each loop head, and at the entry of each function that calls, a
// safe point: a counter that every Slice points leaves to Go, where the scheduler and the
// garbage collector get their turn and the invocation's context is looked at. Functions that
// call also count their depth, so that recursion ends long before the engine's stack does.
package core
