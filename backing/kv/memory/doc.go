// Package memory is the reference implementation of kv, kept in the process.
//
// What it is: sorted slices behind one lock, the plainest thing that keeps every promise of
// the contract. Who calls it: tests, and runs without a data folder. What it refuses to do:
// survive the process. Main type: [DB]. Its promises are tested by kvtest in memory_test.go.
package memory
