// Package bustest is the suite of the event bus: the promises every backend keeps, as data.
//
// What it is: named cases, each a check over a fresh bus. Who calls it: the tests of each
// backend, through Run. What it refuses to do: know a backend. Main types: [Case], [Bench],
// [Open]. It is exercised by the tests of backing/bus/memory and backing/bus/nats, and by broken
// buses in suite_test.go.
package bustest
