// Package postgres is kv on PostgreSQL 13 or newer: the store of several processes.
//
// What it is: one table in a schema of its own. Updates of a process are gathered by package batch; each
// transaction of theirs holds the schema's advisory lock from before its first read until its commit
// is durable, so writers of all processes come one after the other and never conflict. Views are
// read-only snapshots. Who calls it: system, by the URL postgres://…?schema=NAME. What it refuses to do:
// run an update again whose commit may have happened. Main types: [DB], [Options].
//
// An update is durable when it returns, as far as the server's fsync is on; synchronous_commit is
// turned on when it is off. When the connection breaks during a commit, the next connection takes
// the lock, which waits for whatever the broken one still does, and asks pg_xact_status for the
// outcome: committed is success, aborted runs again, and when the server does not come back in
// time or does not remember, the update fails as unavailable with the code "outcome_unknown".
// After a failover to a standby that lags, that answer, like all lost data, is the standby's.
// It needs a connection of its own: no pooler that shares them between transactions. Its promises
// are tested by kvtest in postgres_test.go, crashes in crash_test.go.
package postgres
