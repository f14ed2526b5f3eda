// Package core is the core-WebAssembly engine below the component host: it compiles rewritten
// modules through wazero with a cache on disk, gives them memories of our own, runs them within
// limits and puts their instances back into an earlier state.
//
// What it is: allocator, images, cache and engine. Who calls it: package link. What it refuses to
// do: know components, run a module that was not rewritten, execute a cached file that is not
// what was written, restore what it cannot restore exactly. Main types: [Engine], [Code],
// [Instance], [Budget], [Image]. Its promises are tested in core_test.go, hostile_test.go,
// random_test.go, snapshot_test.go and cache_test.go, and fuzzed against wazero's validator.
//
// At the end of each slice of a guest (see package rewrite) its goroutine is in Go: the scheduler
// and the garbage collector get their turn and the context of the call is looked at. That context
// is the one way to stop a guest, so that a late stop cannot meet another invocation.
package core
