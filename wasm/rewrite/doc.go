// Package rewrite parses core modules and rewrites them so that they can be linked statically,
// stopped, metered and put back into an earlier state.
//
// What it is: bytes in, bytes out, without an engine. Who calls it: package core, which compiles
// the result, and package link, which reads imports and exports. What it refuses to do: type
// instructions (the engine does when it compiles), pass on a feature it does not know. Main
// types: [Module], [Rename], [Facts]. Its promises are tested in package core, on the engine that
// runs what it makes, and fuzzed there against the engine's validator.
//
// A rewritten module has safe points: at each loop head and at the entry of each function that
// is not light (see weigh.go). They spend a slice, in points that weigh the code behind them,
// and at its end leave to the host, which may end the guest. The same counter yields the fuel an
// invocation took. Functions that may recurse also count their depth, so that recursion ends
// long before the engine's stack does.
package rewrite
