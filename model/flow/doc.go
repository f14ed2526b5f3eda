// Package flow is the flow language: read, check and compile .ygtc, and the pure step of a run.
//
// What it is: [Compile] and [Check] for sources, [FromManifest] and [Flow.Manifest] for packs,
// [Flow.Start] and [Flow.Next] for runs. Who calls it: build and model/pack to compile and carry
// flows, runtime/runner to walk them, cmd to check them. What it refuses to do: I/O, time,
// randomness, and changing a cursor it was given; Next only says what to do, also how long to wait
// before another try and in which order to undo what succeeded. Main types: [Flow], [Node],
// [Retry], [Cursor], [Step], [Diagnostic]. Where its promises are tested: compile_test.go,
// next_test.go, call_test.go, ask_test.go, provider_test.go, fork_test.go, fill_test.go, policy_test.go, compensate_test.go and hostile_test.go, with FuzzCompile for
// foreign sources and FuzzNext for foreign cursors; bench_test.go says what a turn costs.
package flow
