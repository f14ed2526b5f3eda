// Package secretstest is the suite that every secrets store must pass.
//
// What it is: [Cases], promises in words with a check each, and [Run] for go test. Who calls
// it: the test file of each backend, later greentic conformance. What it refuses to do: know
// a backend; a store is opened by the caller, empty. Its main type is [Case]. That broken
// stores are caught by name is tested in suite_test.go.
package secretstest
