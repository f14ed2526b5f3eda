package batch

import (
	"context"
	"time"
)

// ID names a key: its scope (see kv.Scope) and the key in it.
type ID struct{ Scope, Key string }

// Range asks for the first Limit keys of Scope in [From, To); an empty To means no upper end.
type Range struct {
	Scope, From, To string
	Limit           int // never 0
}

// Value is what a key holds; not Found when it is absent or expired.
type Value struct {
	Bytes []byte
	Found bool
}

// Pair is one key of a range.
type Pair struct {
	Key   string
	Value []byte
}

// Write puts Value under the key, or deletes it when Value is nil.
type Write struct {
	ID
	Value   []byte
	Expires int64 // Unix milliseconds; 0 means never
}

// Store is a database server as one goroutine uses it.
//
// Errors of a store and its transactions, by kind: fault.Conflict (nothing was committed, the same
// again may succeed), fault.Exhausted (there is no room for these writes), fault.Unavailable.
type Store interface {
	// Begin opens a transaction that sees the keys alive at now. One that will not write need
	// not see the newest state, only that of one moment after Begin.
	Begin(ctx context.Context, now time.Time, writes bool) (Txn, error)
	// Purge deletes some of the keys that expired before now and says whether there are more.
	Purge(ctx context.Context, now time.Time) (more bool, err error)
	Close() error
}

// Txn is a transaction of a Store. All its reads show one state, and Commit, if it succeeds, puts
// the writes on top of that very state.
type Txn interface {
	// Read fetches keys and ranges in one round trip; its results stand in the order asked.
	Read(ctx context.Context, keys []ID, ranges []Range) ([]Value, [][]Pair, error)
	// Commit stores the writes durably and ends the transaction. When it cannot learn whether
	// they were stored it fails with fault.Unavailable and the code OutcomeUnknown.
	Commit(ctx context.Context, writes []Write) error
	// End frees a transaction; without a Commit it leaves nothing behind.
	End()
}
