// Package kv is the contract of the tenant-scoped ordered key/value store on which sessions,
// state, queues and transcripts stand.
//
// What it is: interfaces and limits, no storage. Who calls it: the schemas over it and the
// runtime; only system opens a backend. What it refuses to do: reach across tenants inside one
// transaction, except for the index of ready work. Main types: [DB], [Reader], [Txn]. Its
// promises are the cases of package kvtest, which every backend runs.
package kv
