// Package flowcheck says whether the components that flows call are there.
//
// What it is: the part of `flow check` that model/flow cannot do, for it needs the folder around a
// flow: find the pack, build it in memory, compare what nodes call with what it has. Who calls it:
// cmd/greentic. What it refuses to do: check the flow by itself, which model/flow does; write or run
// anything. Main type: [Checker]. Its promises are tested in flowcheck_test.go and by the scripts of
// cmd/greentic.
package flowcheck
