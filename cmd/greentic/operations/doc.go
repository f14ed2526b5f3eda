// Package operations is the commands of operators: session, deadletter, trace.
//
// What it is: cobra commands over the HTTP routes of runtime/operate, with tables for people and the
// routes' own JSON for programs. Who calls it: cmd/greentic adds them to its root. What it refuses to
// do: decide anything, or read flags and environment of other commands; how the way to a server is found
// is handed in. Main types: [Terminal]. It is tested as users use it, by session.txtar and
// deadletter.txtar beside cmd/greentic.
package operations
