// Package vendored has what projects bring along: the SDKs as a component carries them in its vendor
// folder, and the component that a pack of an assistant calls.
//
// What it is: archives that `make gen` makes of sdk/ and components/, so that a project builds without a network (decision
// 45). Who calls it: cmd for component new and pack new. What it refuses to do: look at sdk/ when it runs, carry tests.
// Main functions: [Go], [JavaScript], [LLM]. Tested in vendored_test.go, which also makes the archives.
package vendored
