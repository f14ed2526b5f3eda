// Package kvtest is the suite of kv: the promises every backend keeps, as data.
//
// What it is: named cases, each a check over a fresh store, alone or from several handles; crash checks for
// stores on a server; the benchmark of a turn. Who calls it: the tests of each backend, through Run,
// RunBroken, RunCrashes and TurnShaped. What it refuses to do: know a backend. Main types: [Case],
// [Home], [Stage]. It is exercised by the tests of every backend, and by broken stores in suite_test.go
// and shared_test.go; linear_test.go judges histories of fenced updates on all backends,
// reference_test.go compares the servers with the reference.
package kvtest
