// Package helpdesk carries the helpdesk example, a pack of two components written in Go, so that
// the binary can serve it as its demonstration.
//
// What it is: the source folder of the pack, embedded. Who calls it: `greentic up --demo` and
// the tests that run script.yaml. What it refuses to do: anything; it is data. Main variable:
// [Files]. The conversation it promises is script.yaml, run in system/systemtest.
package helpdesk
