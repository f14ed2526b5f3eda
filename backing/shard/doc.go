// Package shard is the schema of ownership over kv: which runner works on which part of all
// conversations.
//
// What it is: 64 shards of (environment, tenant, key), owned by leases with epochs; members that
// show they are alive by changing one row; a pure plan that spreads shards and load. Who calls it:
// runner, which ticks it, and every commit, which requires the fence. What it refuses to do: run
// anything of its own (no goroutine, no timer), trust the clock of another machine, or rest safety
// on any clock: a slow owner is stopped by the fence, time only decides how soon a shard moves.
// Main types: [Keeper], [Lease], [Change]. Its promises are tested in keeper_test.go,
// plan_test.go and schedule_test.go.
package shard
