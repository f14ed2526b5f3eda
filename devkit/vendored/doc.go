// Package vendored has the SDKs as a component project carries them in its vendor folder.
//
// What it is: archives that `make gen` makes of sdk/, so that a project builds without a network (decision
// 45). Who calls it: cmd for component new. What it refuses to do: look at sdk/ when it runs, carry tests.
// Main functions: [Go], [JavaScript]. Tested in vendored_test.go, which also makes the archives.
package vendored
