package sqlite

import (
	"context"
	"strconv"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// reader reads what is recent, and below it the table, in an open transaction of a connection.
type reader struct {
	snapshot
	ctx   context.Context
	table table
	scope int64 // absent when nothing was written in it
	now   int64 // Unix milliseconds
}

func (r *reader) check(key string) error {
	if err := r.ctx.Err(); err != nil {
		return fault.Wrap("kv", err)
	}
	return kv.CheckKey(key)
}

// value is the store's own; nil when there is none.
func (r *reader) value(at id) ([]byte, error) {
	c := r.find(at)
	if c == nil {
		var err error
		if c, err = r.table.cell(at, r.now); err != nil || c == nil {
			return nil, err
		}
	}
	if !c.alive(r.now) {
		return nil, nil
	}
	return c.value, nil
}

func (r *reader) Get(key string) ([]byte, error) {
	if err := r.check(key); err != nil {
		return nil, err
	}
	value, err := r.value(id{r.scope, key})
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, fault.New(fault.NotFound, "kv", "no key "+strconv.Quote(key))
	}
	return append([]byte{}, value...), nil
}

// scanPage bounds the rows read before fn sees them: fn may write, and a statement that is
// still open would hold the connection.
const scanPage = 256

func (r *reader) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	for to == "" || from < to {
		if err := r.ctx.Err(); err != nil {
			return fault.Wrap("kv", err)
		}
		n := scanPage
		if limit > 0 && limit < n {
			n = limit
		}
		rows, err := r.table.pairs(r.scope, from, to, r.now, n)
		if err != nil {
			return err
		}
		end := to
		if len(rows) == n {
			end = rows[n-1].key + "\x00"
		}
		page := r.merge(id{r.scope, from}, end, rows, n, r.now)
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
		switch {
		case len(page) == n:
			from = page[n-1].key + "\x00"
		case len(rows) == n:
			from = end
		default:
			return nil
		}
	}
	return nil
}

// txn writes into the commit in the making.
type txn struct {
	reader
	writer *writer
	name   string // of the scope
}

func (t *txn) Put(key string, value []byte, ttl time.Duration) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	if t.scope == absent {
		t.scope = t.writer.number(t.name)
	}
	t.writer.put(id{t.scope, key}, append([]byte{}, value...), expiryOf(t.now, ttl))
	return nil
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
	if t.scope != absent {
		t.writer.put(id{t.scope, key}, nil, expiry{})
	}
	return nil
}

func (t *txn) Index(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	if value != nil {
		value = append([]byte{}, value...)
	}
	t.writer.put(id{0, key}, value, expiry{})
	return nil
}

func (t *txn) Require(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	has, err := t.value(id{0, key}) // exact at commit too: nobody else writes
	if err != nil {
		return err
	}
	return kv.CheckRequired(key, has, has != nil, value)
}
