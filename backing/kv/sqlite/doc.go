// Package sqlite is kv on one SQLite file: the durable store of a single machine.
//
// What it is: one table of keys and one that numbers their scopes, SQLite's C interface in Go
// called directly, readers on snapshots, and a single writer that commits the updates
// that queued up while it was busy together, with one fsync (WAL, synchronous=FULL). Who calls
// it: system, by the URL sqlite:FILE. What it refuses to do: be opened by two processes at
// once; system holds the lock of the data folder. Main type: [DB]. Its promises are tested by
// kvtest in sqlite_test.go, the way from older files in schema_test.go.
package sqlite
