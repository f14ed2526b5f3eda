// Package flowcheck checks flows with the pack around them.
//
// What it is: what model/flow and model/flow/lint find, together with what only the folder around a
// flow tells: it finds the pack, builds it in memory and compares what nodes call, name and need with
// what the pack has. Who calls it: `greentic flow check`, dev servers, editors. What it refuses to do:
// decide what is wrong in a flow by itself, write, or run anything. Main type: [Checker]. Its promises
// are tested in flowcheck_test.go, in input_test.go for the flows of others, and by the scripts of
// cmd/greentic.
package flowcheck
