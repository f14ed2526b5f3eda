package kv

import (
	"bytes"
	"context"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// DB is a tenant-scoped, ordered key/value store with serialisable transactions.
//
// Keys are non-empty strings of at most 1 KiB, ordered bytewise; values are at most 8 MiB.
// A handle sees the keys of one (environment, tenant) only; team and user do not scope it.
// Errors: fault.Invalid (key or value over a limit, bad tenant), fault.NotFound (Get of an
// absent or expired key), fault.Conflict (retried by the store itself, seen only when it gives
// up), fault.Canceled and fault.Timeout (the context), fault.Unavailable (closed, disk full, the server
// is away). An update that failed has left nothing behind, unless its failure has the code
// "outcome_unknown": then nobody can say, and the caller must look or make a repeat harmless.
type DB interface {
	// View runs fn over a consistent snapshot, which shows every update that returned before.
	// Like every fn here it must not call the store, and may run again.
	View(ctx context.Context, tenant greentic.TenantCtx, fn func(Reader) error) error
	// Update runs fn and commits all of its writes durably, or none when fn or the commit
	// fails. fn must not have other effects. A ctx that ends after the store has begun does not
	// end the wait: the caller learns what became of the commit.
	Update(ctx context.Context, tenant greentic.TenantCtx, fn func(Txn) error) error
	// System is Update outside any tenant: leases, the registry index, the ready and due
	// index. It sees the keys written by Txn.Index and no tenant's data.
	System(ctx context.Context, fn func(Txn) error) error
	// Close waits for running transactions; afterwards every call fails as unavailable.
	Close() error
}

// Reader reads inside a transaction. Returned slices are owned by the caller.
type Reader interface {
	Get(key string) ([]byte, error)
	// Scan calls fn for each live key in [from, to) in order, at most limit times (0: all).
	// An empty to means no upper end. fn returning false ends the scan without error.
	Scan(from, to string, limit int, fn func(key string, value []byte) bool) error
}

// Txn reads and writes inside a transaction and sees its own writes.
type Txn interface {
	Reader
	// Put stores value under key; ttl 0 means forever. Expired keys are never returned.
	Put(key string, value []byte, ttl time.Duration) error
	// Delete removes key; an absent key is no error.
	Delete(key string) error
	// Index writes (or with nil value deletes) a system key in the same transaction: the
	// ready and due index (decisions 17).
	Index(key string, value []byte) error
	// Require makes the commit depend on a system key: it and the whole transaction fail as
	// fault.Conflict unless the key has exactly this value (nil: is absent) when the
	// transaction commits. It is how a holder of a lease proves that it still is one.
	Require(key string, value []byte) error
}

// CheckRequired compares what a system key has with what Require asked for; found is false for
// an absent one.
func CheckRequired(key string, has []byte, found bool, want []byte) error {
	if found == (want != nil) && bytes.Equal(has, want) {
		return nil
	}
	return fault.Newf(fault.Conflict, "kv", "the system key %q has changed", key).WithCode("fenced")
}

// Prefix is the [from, to) range of all keys that begin with p.
func Prefix(p string) (from, to string) {
	end := []byte(p)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return p, string(end[:i+1])
		}
	}
	return p, ""
}
