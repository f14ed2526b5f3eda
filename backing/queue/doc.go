// Package queue is the schema of work over kv: triggers accepted and not yet run, parcels
// committed and not yet delivered, what is due, and what was given up.
//
// What it is: inbox, outbox, due times, dead letters, the memory of what was seen, and the system
// index that finds work by shard and time. Who calls it: runner, inside its transactions; operations
// read and revive dead letters. What it refuses to do: lose, double or reorder. Main types: [Entry],
// [Parcel], [Outgoing], [Due], [Letter], [Lane]. Its promises are tested in queue_test.go.
package queue
