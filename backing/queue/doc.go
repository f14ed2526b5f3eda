// Package queue is the schema of work over kv: triggers accepted and not yet run, replies
// committed and not yet delivered.
//
// What it is: inbox, outbox, the memory of what was seen, dead letters, and the system index
// that finds waiting work after a restart. Who calls it: runner, inside its transactions. What
// it refuses to do: lose, double or reorder. Main types: [Entry], [Outgoing], [Lane]. Its
// promises are tested in queue_test.go.
package queue
