// Package state is the schema of what components and flows remember, over kv.
//
// What it is: keys under a scope, which is the conversation unless the pack widens it
// (decisions 18), and an overlay that holds a turn's writes until it commits. Who calls it:
// runner. What it refuses to do: reach another scope. Main types: [Scope], [Overlay]. Its
// promises are tested in state_test.go.
package state
