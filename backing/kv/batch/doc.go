// Package batch turns many concurrent updates into few transactions of a database server.
//
// What it is: a kv.DB over a [Store] that knows multi-gets, pages and one commit. The updates that wait
// run together as coroutines: what they want to read is fetched in one round trip, an update that
// finishes is laid on top of the others, one whose reads were overwritten meanwhile runs again, and
// one commit stores them all. Who calls it: the backends postgres and redis. What it refuses to do:
// answer an update before its commit, or run one again whose commit may have happened. Main types: [DB],
// [Store], [Txn]. Its promises are tested by kvtest over both backends and by round_test.go.
package batch
