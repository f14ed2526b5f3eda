// Package kvtest is the suite of kv: the promises every backend keeps, as data.
//
// What it is: named cases, each a check over a fresh store. Who calls it: the tests of each
// backend, through Run. What it refuses to do: know a backend. Main types: [Case], [Open].
// It is exercised by the tests of
// backing/kv/memory and backing/kv/sqlite, and by broken stores in suite_test.go.
package kvtest
