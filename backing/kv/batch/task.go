package batch

import (
	"iter"
	"slices"
	"sort"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// task is one update while it runs: a coroutine that stops where it wants to read what has not
// been fetched. It is the kv.Txn of its update.
type task struct {
	job   *job
	round *round

	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	own    layer
	seen   []look
	result outcome

	keys  []ID    // wanted, while it is parked
	pages []Range // wanted, while it is parked
}

// look is a range that was read, and how much had been merged by then.
type look struct {
	scope, from, to string
	at              int
}

// one is the range of a single key.
func one(id ID, at int) look { return look{id.Scope, id.Key, id.Key + "\x00", at} }

func (t *task) start() {
	t.own, t.seen, t.result = newLayer(), nil, outcome{}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		defer func() { t.result.panic = recover() }()
		if t.result.err = t.check(); t.result.err == nil {
			t.result.err = t.job.fn(t)
		}
	})
}

// park stops the coroutine until its want has been fetched.
func (t *task) park() error {
	if !t.yield(struct{}{}) {
		return fault.New(fault.Unavailable, "kv", "the transaction was given up")
	}
	return nil
}

func (t *task) check() error { return fault.Wrap("kv", t.job.ctx.Err()) }

// look finds the newest value of a key among the own writes, the merged and what was fetched.
func (t *task) look(id ID) (v Value, known bool) {
	w, ok := t.own.writes[id]
	if !ok {
		w, ok = t.round.merged.writes[id]
	}
	if ok {
		return Value{w.Value, w.Value != nil}, true
	}
	v, known = t.round.base[id]
	return v, known
}

// read is look, fetching the key when nobody has read it so far.
func (t *task) read(id ID) (Value, error) {
	if err := t.check(); err != nil {
		return Value{}, err
	}
	if _, ok := t.look(id); !ok {
		t.keys = append(t.keys, id)
		if err := t.park(); err != nil {
			return Value{}, err
		}
	}
	if _, ok := t.own.writes[id]; !ok {
		t.seen = append(t.seen, one(id, len(t.round.log)))
	}
	v, _ := t.look(id)
	return v, nil
}

// Prefetch fetches what will be read, as far as nobody has read it.
func (t *task) Prefetch(w kv.Wanted) error {
	if err := t.check(); err != nil {
		return err
	}
	want := func(scope string, keys []string) {
		for _, key := range keys {
			if id := (ID{scope, key}); kv.CheckKey(key) == nil {
				if _, ok := t.look(id); !ok {
					t.keys = append(t.keys, id)
				}
			}
		}
	}
	want(t.job.scope, w.Keys)
	want("", w.System)
	for _, r := range w.Ranges {
		page := Range{t.job.scope, r.From, r.To, t.pageOf(r.Limit)}
		if _, ok := t.round.pages[page]; !ok && (r.To == "" || r.From < r.To) {
			t.pages = append(t.pages, page)
		}
	}
	if len(t.keys)+len(t.pages) == 0 {
		return nil
	}
	return t.park()
}

func (t *task) Get(key string) ([]byte, error) {
	if err := kv.CheckKey(key); err != nil {
		return nil, err
	}
	v, err := t.read(ID{t.job.scope, key})
	if err != nil {
		return nil, err
	}
	if !v.Found {
		return nil, fault.Newf(fault.NotFound, "kv", "no key %q", key)
	}
	return append([]byte{}, v.Bytes...), nil
}

// A scan fetches pages of so many keys; each attempt after a conflict takes larger ones, so that
// in the end a scan is one read and cannot conflict with itself.
const firstPage, largestPage = 256, 1 << 20

// pageOf is the size of the next page of a scan.
func (t *task) pageOf(limit int) int {
	size := min(firstPage<<(4*min(t.round.attempt-1, 4)), largestPage)
	if limit > 0 {
		size = min(size, limit)
	}
	return size
}

func (t *task) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	for to == "" || from < to {
		if err := t.check(); err != nil {
			return err
		}
		n := t.pageOf(limit)
		want := Range{t.job.scope, from, to, n}
		page, known := t.round.pages[want]
		if !known {
			t.pages = append(t.pages, want)
			if err := t.park(); err != nil {
				return err
			}
			page = t.round.pages[want]
		}
		end := to
		if len(page) == n {
			end = page[n-1].Key + "\x00"
		}
		given, more := t.give(page, from, end, limit, fn)
		if !more || len(page) < n || limit > 0 && given == limit {
			return nil
		}
		if limit > 0 {
			limit -= given
		}
		from = end
	}
	return nil
}

// give calls fn for the keys of [from, to): those of the page below the merged and own writes.
func (t *task) give(page []Pair, from, to string, limit int, fn func(string, []byte) bool) (given int, more bool) {
	scope := t.job.scope
	t.seen = append(t.seen, look{scope, from, to, len(t.round.log)})
	keys := make([]string, 0, len(page))
	for _, p := range page {
		keys = append(keys, p.Key)
	}
	found, over := len(keys), append(slices.Clone(t.round.merged.between(scope, from, to)), t.own.between(scope, from, to)...)
	for _, key := range over {
		if i := sort.Search(found, func(i int) bool { return page[i].Key >= key }); i == found || page[i].Key != key {
			keys = append(keys, key)
		}
	}
	if len(over) > 0 {
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	i := 0
	for _, key := range keys {
		for i < found && page[i].Key < key {
			i++
		}
		v := Value{}
		if i < found && page[i].Key == key {
			v = Value{page[i].Value, true}
		}
		if w, ok := t.over(ID{scope, key}); ok {
			v = Value{w.Value, w.Value != nil}
		}
		if !v.Found {
			continue
		}
		given++
		if !fn(key, append([]byte{}, v.Bytes...)) {
			return given, false
		}
		if given == limit {
			return given, true
		}
	}
	return given, true
}

// over is the newest write of a key that is not committed.
func (t *task) over(id ID) (Write, bool) {
	w, ok := t.own.writes[id]
	if !ok {
		w, ok = t.round.merged.writes[id]
	}
	return w, ok
}

func (t *task) Put(key string, value []byte, ttl time.Duration) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	w := Write{ID: ID{t.job.scope, key}, Value: append([]byte{}, value...)}
	if ttl > 0 {
		w.Expires = t.round.now.UnixMilli() + max(ttl.Milliseconds(), 1)
	}
	t.own.put(w)
	return nil
}

func (t *task) Delete(key string) error {
	if err := kv.CheckKey(key); err != nil {
		return err
	}
	t.own.put(Write{ID: ID{t.job.scope, key}})
	return nil
}

func (t *task) Index(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	w := Write{ID: ID{"", key}}
	if value != nil {
		w.Value = append([]byte{}, value...)
	}
	t.own.put(w)
	return nil
}

func (t *task) Require(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	has, err := t.read(ID{"", key})
	if err != nil {
		return err
	}
	return kv.CheckRequired(key, has.Bytes, has.Found, value)
}
