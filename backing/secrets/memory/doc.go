// Package memory is the reference secrets store: a map, gone with the process.
//
// What it is: [Store], made by [New]. Who calls it: system, commands that take --secret, and
// tests. What it refuses to do: outlive its process or write to disk. Its main type is
// [Store]. Its promises are the suite of backing/secrets/secretstest, run in memory_test.go.
package memory
