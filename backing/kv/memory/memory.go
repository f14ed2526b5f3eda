package memory

import (
	"context"
	"sort"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// DB is a kv.DB in memory. Make one with New.
type DB struct {
	now func() time.Time

	mu     sync.RWMutex
	closed bool
	scopes map[string]*space
}

// New makes an empty store; now is the clock of expiry.
func New(now func() time.Time) *DB {
	return &DB{now: now, scopes: map[string]*space{}}
}

// entry is a stored value; a zero expiry means forever.
type entry struct {
	value   []byte
	expires time.Time
}

// space is the keys of one scope, sorted.
type space struct {
	keys    []string
	entries map[string]entry
}

func (s *space) put(key string, e entry) {
	if _, ok := s.entries[key]; !ok {
		i := sort.SearchStrings(s.keys, key)
		s.keys = append(s.keys, "")
		copy(s.keys[i+1:], s.keys[i:])
		s.keys[i] = key
	}
	s.entries[key] = e
}

func (s *space) delete(key string) {
	if _, ok := s.entries[key]; !ok {
		return
	}
	delete(s.entries, key)
	i := sort.SearchStrings(s.keys, key)
	s.keys = append(s.keys[:i], s.keys[i+1:]...)
}

func (db *DB) space(scope string) *space {
	s, ok := db.scopes[scope]
	if !ok {
		s = &space{entries: map[string]entry{}}
		db.scopes[scope] = s
	}
	return s
}

// View implements kv.DB.
func (db *DB) View(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Reader) error) error {
	scope, err := kv.Scope(tenant)
	if err != nil {
		return fault.Wrap("kv view", err)
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if err := db.usable(ctx); err != nil {
		return err
	}
	s := db.scopes[scope]
	if s == nil {
		s = &space{entries: map[string]entry{}}
	}
	return fn(&txn{base: s, now: db.now()})
}

// Update implements kv.DB.
func (db *DB) Update(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Txn) error) error {
	scope, err := kv.Scope(tenant)
	if err != nil {
		return fault.Wrap("kv update", err)
	}
	return db.update(ctx, scope, fn)
}

// System implements kv.DB.
func (db *DB) System(ctx context.Context, fn func(kv.Txn) error) error {
	return db.update(ctx, "", fn)
}

func (db *DB) update(ctx context.Context, scope string, fn func(kv.Txn) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := db.usable(ctx); err != nil {
		return err
	}
	t := &txn{base: db.space(scope), now: db.now(), writes: map[string]*entry{}, index: map[string]*entry{}, system: db.space("")}
	if scope == "" {
		t.index = t.writes
	}
	if err := fn(t); err != nil {
		return err
	}
	apply(t.base, t.writes)
	if scope != "" {
		apply(db.space(""), t.index)
	}
	return nil
}

func apply(s *space, writes map[string]*entry) {
	for key, e := range writes {
		if e == nil {
			s.delete(key)
		} else {
			s.put(key, *e)
		}
	}
}

func (db *DB) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap("kv", err)
	}
	if db.closed {
		return fault.New(fault.Unavailable, "kv", "the store is closed")
	}
	return nil
}

// Close implements kv.DB.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.closed = true
	db.scopes = nil
	return nil
}

// txn is a transaction: the base and the writes on top; a nil entry is a deletion.
type txn struct {
	base   *space
	now    time.Time
	writes map[string]*entry
	index  map[string]*entry
	system *space // the system scope, for Require
}

func (t *txn) look(key string) ([]byte, bool) {
	e, ok := t.base.entries[key]
	if w, written := t.writes[key]; written {
		if w == nil {
			return nil, false
		}
		e, ok = *w, true
	}
	if !ok || !e.expires.IsZero() && !t.now.Before(e.expires) {
		return nil, false
	}
	return append([]byte{}, e.value...), true
}

func (t *txn) Get(key string) ([]byte, error) {
	if err := kv.CheckKey(key); err != nil {
		return nil, err
	}
	v, ok := t.look(key)
	if !ok {
		return nil, fault.Newf(fault.NotFound, "kv", "no key %q", key)
	}
	return v, nil
}

func (t *txn) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	keys := t.base.keys[sort.SearchStrings(t.base.keys, from):]
	if to != "" {
		keys = keys[:sort.SearchStrings(keys, to)]
	}
	keys = append([]string{}, keys...) // fn may write
	for key := range t.writes {
		if _, old := t.base.entries[key]; !old && key >= from && (to == "" || key < to) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	n := 0
	for _, key := range keys {
		if limit > 0 && n == limit {
			return nil
		}
		v, ok := t.look(key)
		if !ok {
			continue
		}
		n++
		if !fn(key, v) {
			return nil
		}
	}
	return nil
}

func (t *txn) Put(key string, value []byte, ttl time.Duration) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	e := &entry{value: append([]byte{}, value...)}
	if ttl > 0 {
		e.expires = t.now.Add(ttl)
	}
	t.writes[key] = e
	return nil
}

func (t *txn) Delete(key string) error {
	if err := kv.CheckKey(key); err != nil {
		return err
	}
	t.writes[key] = nil
	return nil
}

func (t *txn) Index(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	t.index[key] = nil
	if value != nil {
		t.index[key] = &entry{value: append([]byte{}, value...)}
	}
	return nil
}

func (t *txn) Require(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	system := txn{base: t.system, now: t.now, writes: t.index}
	has, found := system.look(key)
	return kv.CheckRequired(key, has, found, value)
}
