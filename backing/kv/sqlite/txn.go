package sqlite

import (
	"context"
	"strconv"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// reader reads inside an open transaction of a connection.
type reader struct {
	ctx   context.Context
	stmts *statements
	scope int64 // absent when nothing was written in it
	now   int64 // Unix milliseconds
}

func (r *reader) check(key string) error {
	if err := r.ctx.Err(); err != nil {
		return fault.Wrap("kv", err)
	}
	return kv.CheckKey(key)
}

func (r *reader) Get(key string) ([]byte, error) {
	if err := r.check(key); err != nil {
		return nil, err
	}
	value, found, err := r.stmts.value(r.scope, key, r.now)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "kv", "no key "+strconv.Quote(key))
	}
	return value, err
}

// scanPage bounds the rows read before fn sees them: fn may write, and a statement that is
// still open would hold the connection.
const scanPage = 256

func (r *reader) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	for {
		if err := r.ctx.Err(); err != nil {
			return fault.Wrap("kv", err)
		}
		n := scanPage
		if limit > 0 && limit < n {
			n = limit
		}
		page, err := r.stmts.pairs(r.scope, from, to, r.now, n)
		if err != nil {
			return err
		}
		for _, p := range page {
			if !fn(p.key, p.value) {
				return nil
			}
		}
		if limit > 0 {
			if limit -= len(page); limit == 0 {
				return nil
			}
		}
		if len(page) < n {
			return nil
		}
		from = page[len(page)-1].key + "\x00"
	}
}

// txn writes inside the writer's transaction.
type txn struct {
	reader
	name   string // of the scope
	dirty  bool
	failed error // of the store, not of fn: the transaction may be lost
}

func (t *txn) Put(key string, value []byte, ttl time.Duration) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	if t.scope == absent && t.failed == nil {
		t.dirty = true
		t.scope, _, t.failed = t.stmts.scope(t.stmts.addScope, t.name)
	}
	return t.store(t.scope, key, value, expiryOf(t.now, ttl))
}

// expiry is when something expires, in Unix milliseconds: at, 0 for never, when it is new; what is
// there already and expires no earlier than early, nor later than at, keeps its time.
type expiry struct{ early, at int64 }

// expiryOf is the expiry of what is stored at now for ttl. What is kept for days is kept for ten
// minutes longer, so that what is stored anew with every turn seldom moves in the index of these
// times. They are not rounded: what is stored together stands together in the index, whatever its
// key, so that a commit writes few pages of it.
func expiryOf(now int64, ttl time.Duration) expiry {
	const day, longer = 24 * time.Hour, int64(10 * 60_000)
	if ttl <= 0 {
		return expiry{}
	}
	e := expiry{early: now + max(ttl.Milliseconds(), 1)}
	if e.at = e.early; ttl >= day {
		e.at += longer
	}
	return e
}

func (t *txn) Delete(key string) error {
	if err := t.check(key); err != nil {
		return err
	}
	return t.remove(t.scope, key)
}

func (t *txn) Index(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	if value == nil {
		return t.remove(0, key)
	}
	return t.store(0, key, value, expiry{})
}

func (t *txn) store(scope int64, key string, value []byte, e expiry) error {
	if t.failed == nil {
		t.dirty = true
		t.failed = t.stmts.store(scope, key, value, e)
	}
	return t.failed
}

func (t *txn) remove(scope int64, key string) error {
	if t.failed == nil {
		t.dirty = true
		t.failed = t.stmts.remove(scope, key)
	}
	return t.failed
}

func (t *txn) Require(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	has, found, err := t.stmts.value(0, key, t.now) // exact at commit too: nobody else writes
	if err != nil {
		return err
	}
	return kv.CheckRequired(key, has, found, value)
}
