package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// reader reads inside an open transaction of a connection.
type reader struct {
	ctx   context.Context
	stmts *statements
	scope string
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
	value, found, err := r.stmts.value(r.scope, []byte(key), r.now)
	if err == nil && !found {
		err = fault.Newf(fault.NotFound, "kv", "no key %q", key)
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
		page, err := r.page(from, to, n)
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

func (r *reader) page(from, to string, n int) ([]pair, error) {
	if to == "" {
		return pairs(r.stmts.scan, r.scope, []byte(from), r.now, int64(n))
	}
	return pairs(r.stmts.span, r.scope, []byte(from), []byte(to), r.now, int64(n))
}

// txn writes inside the writer's transaction.
type txn struct {
	reader
	dirty  bool
	failed error // of the store, not of fn: the transaction may be lost
}

func (t *txn) exec(s driver.Stmt, args ...any) error {
	if t.failed == nil {
		t.dirty = true
		_, t.failed = run(s, args...)
	}
	return t.failed
}

func (t *txn) Put(key string, value []byte, ttl time.Duration) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	var expires any
	if ttl > 0 {
		expires = t.now + max(ttl.Milliseconds(), 1)
	}
	return t.exec(t.stmts.put, t.scope, []byte(key), notNull(value), expires)
}

func (t *txn) Delete(key string) error {
	if err := t.check(key); err != nil {
		return err
	}
	return t.exec(t.stmts.delete, t.scope, []byte(key))
}

func (t *txn) Index(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	if value == nil {
		return t.exec(t.stmts.delete, "", []byte(key))
	}
	return t.exec(t.stmts.put, "", []byte(key), value, nil)
}

func notNull(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

func (t *txn) Require(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	has, found, err := t.stmts.value("", []byte(key), t.now) // exact at commit too: nobody else writes
	if err != nil {
		return err
	}
	return kv.CheckRequired(key, has, found, value)
}
