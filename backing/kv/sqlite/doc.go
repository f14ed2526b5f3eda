// Package sqlite is kv on one SQLite file: the durable store of a single machine.
//
// What it is: SQLite's C interface in Go called directly, and a single writer that commits the updates that
// queued up while it was busy together, with one fsync (WAL, synchronous=FULL). A commit is a row of a
// log; what it wrote stays in memory until it is moved into the table of keys, many commits
// together (docs/decisions/0026). Views are snapshots of both. Who calls it: system, by the URL sqlite:FILE. What
// it refuses to do: be opened by two processes at once; system holds the lock of the data
// folder. Main type: [DB]. Its promises are tested by kvtest in sqlite_test.go, the log in
// log_test.go, the way from older files in schema_test.go.
package sqlite
