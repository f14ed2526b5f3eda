package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// table is a Store in memory that counts what it is asked and fails when told to.
type table struct {
	rows           map[ID]Write
	reads, commits int
	refuse         func([]Write) error // instead of a commit; nil accepts all
}

func newTable() *table { return &table{rows: map[ID]Write{}} }

func (s *table) Begin(_ context.Context, now time.Time, _ bool) (Txn, error) {
	return view{s, now.UnixMilli()}, nil
}
func (s *table) Purge(context.Context, time.Time) (bool, error) { return false, nil }
func (s *table) Close() error                                   { return nil }

type view struct {
	*table
	now int64
}

func (v view) alive(w Write) bool { return w.Value != nil && (w.Expires == 0 || w.Expires > v.now) }

func (v view) Read(_ context.Context, ids []ID, ranges []Range) ([]Value, [][]Pair, error) {
	v.reads++
	values, pages := make([]Value, len(ids)), make([][]Pair, len(ranges))
	for i, id := range ids {
		if w, ok := v.rows[id]; ok && v.alive(w) {
			values[i] = Value{w.Value, true}
		}
	}
	for i, r := range ranges {
		for id, w := range v.rows {
			if id.Scope == r.Scope && id.Key >= r.From && (r.To == "" || id.Key < r.To) && v.alive(w) {
				pages[i] = append(pages[i], Pair{id.Key, w.Value})
			}
		}
		slices.SortFunc(pages[i], func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
		pages[i] = pages[i][:min(len(pages[i]), r.Limit)]
	}
	return values, pages, nil
}

func (v view) Commit(_ context.Context, writes []Write) error {
	if v.refuse != nil {
		if err := v.refuse(writes); err != nil {
			return err
		}
	}
	v.commits++
	for _, w := range writes {
		v.rows[w.ID] = w
	}
	return nil
}

func (view) End() {}

var tenant = greentic.DefaultTenant()

// program is a random update. It takes a number from a counter, so that those that succeed say in
// which order they did.
type program struct {
	ops   []func(kv.Txn) string
	fails bool
	said  string
	order int
}

func newProgram(r *rand.Rand) *program {
	p := &program{fails: r.IntN(6) == 0}
	key := func() string { return []string{"a", "a/1", "a/2", "b", "b\xff", "c"}[r.IntN(6)] }
	for range 1 + r.IntN(6) {
		k, v, ttl, limit, index := key(), strconv.Itoa(r.IntN(100)), time.Duration(r.IntN(2))*time.Hour, r.IntN(4), fmt.Sprint("i/", r.IntN(3))
		p.ops = append(p.ops, []func(kv.Txn) string{
			func(x kv.Txn) string { return fmt.Sprint(x.Put(k, []byte(v), ttl)) },
			func(x kv.Txn) string { return fmt.Sprint(x.Delete(k)) },
			func(x kv.Txn) string { b, err := x.Get(k); return fmt.Sprintf("%q %v", b, err) },
			func(x kv.Txn) string { return fmt.Sprint(x.Index(index, []byte(v))) },
			func(x kv.Txn) string { return fmt.Sprint(x.Require(index, nil)) },
			func(x kv.Txn) string { return dump(x, k, "", limit) },
			func(x kv.Txn) string { return dump(x, "a", "b\xff", 0) },
			func(x kv.Txn) string {
				return fmt.Sprint(kv.Prefetch(x, func(w *kv.Wanted) {
					w.Keys, w.System = []string{k, "", "b"}, []string{index}
					w.Ranges = []kv.Range{{From: k, Limit: limit}, {From: "a", To: "b\xff"}, {From: "c", To: "a"}}
				}))
			},
		}[r.IntN(8)])
	}
	p.ops = slices.Insert(p.ops, r.IntN(len(p.ops)+1), func(x kv.Txn) string {
		b, _ := x.Get("z/order")
		p.order, _ = strconv.Atoi(string(b))
		return fmt.Sprint(x.Put("z/order", []byte(strconv.Itoa(p.order+1)), 0))
	})
	return p
}

var errBoom = errors.New("boom")

func (p *program) run(x kv.Txn) error {
	p.said = ""
	for _, op := range p.ops {
		p.said += op(x) + "\n"
	}
	if p.fails {
		return errBoom
	}
	return nil
}

func dump(x kv.Reader, from, to string, limit int) string {
	var b strings.Builder
	err := x.Scan(from, to, limit, func(k string, v []byte) bool { fmt.Fprintf(&b, "%q=%q ", k, v); return true })
	return b.String() + fmt.Sprint(err)
}

// TestARoundIsAsIfItsUpdatesRanOneAfterTheOther runs random updates together and then, in the order they
// took, on the reference: each must have said the same, and the same must be stored.
func TestARoundIsAsIfItsUpdatesRanOneAfterTheOther(t *testing.T) {
	scope, err := kv.Scope(tenant)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(500) {
		random, now := rand.New(rand.NewPCG(seed, 0)), time.Unix(1e9, 0)
		store, reference := newTable(), memory.New(func() time.Time { return now })
		for range 4 { // rounds, each on what the last has stored
			var programs []*program
			var jobs []*job
			for range 1 + random.IntN(8) {
				p := newProgram(random)
				programs = append(programs, p)
				jobs = append(jobs, &job{ctx: t.Context(), scope: scope, fn: p.run, done: make(chan struct{})})
			}
			tx, _ := store.Begin(t.Context(), now, true)
			r := newRound(tx, now, true, 1)
			if err := errors.Join(r.run(t.Context(), jobs), tx.Commit(t.Context(), r.merged.list())); err != nil {
				t.Fatal(err)
			}
			for _, done := range r.done {
				if p := programs[slices.Index(jobs, done.job)]; errors.Is(done.result.err, errBoom) != p.fails {
					t.Fatalf("seed %d: a program that fails=%v returned %v", seed, p.fails, done.result.err)
				}
			}
			programs = slices.DeleteFunc(programs, func(p *program) bool { return p.fails })
			slices.SortFunc(programs, func(a, b *program) int { return a.order - b.order })
			for _, p := range programs {
				said := p.said
				if err := reference.Update(t.Context(), tenant, p.run); err != nil {
					t.Fatal(err)
				}
				if said != p.said {
					t.Fatalf("seed %d: program %d said\n%s\nthe reference\n%s", seed, p.order, said, p.said)
				}
			}
			compare(t, seed, store, now, reference)
		}
	}
}

func compare(t *testing.T, seed uint64, store *table, now time.Time, reference kv.DB) {
	t.Helper()
	db := New(func() time.Time { return now }, store)
	defer db.Close()
	for scope, ask := range map[string]func(db kv.DB, fn func(kv.Txn) error) error{
		"tenant": func(db kv.DB, fn func(kv.Txn) error) error { return db.Update(t.Context(), tenant, fn) },
		"system": func(db kv.DB, fn func(kv.Txn) error) error { return db.System(t.Context(), fn) },
	} {
		var got, want string
		err := errors.Join(ask(db, func(x kv.Txn) error { got = dump(x, "", "", 0); return nil }),
			ask(reference, func(x kv.Txn) error { want = dump(x, "", "", 0); return nil }))
		if err != nil || got != want {
			t.Fatalf("seed %d: %s: stored %s, the reference %s (%v)", seed, scope, got, want, err)
		}
	}
}

// held holds the writer in a first update until n more are queued, so that they form one batch.
func held(t *testing.T, db *DB, n int, update func(i int) error) []error {
	t.Helper()
	running, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_ = db.System(t.Context(), func(kv.Txn) error { close(running); <-release; return nil })
	})
	<-running
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = update(i) })
	}
	for len(db.writes) < n {
		time.Sleep(time.Millisecond)
	}
	close(release)
	all.Wait()
	return errs
}

func TestWhatIsAnnouncedIsReadInOneRoundTrip(t *testing.T) {
	store := newTable()
	store.rows[ID{"", "lease"}] = Write{Value: []byte("mine")}
	db := New(time.Now, store)
	defer db.Close()
	from, to := kv.Prefix("k")
	found := make([]string, 64)
	errs := held(t, db, 64, func(i int) error {
		return db.Update(t.Context(), tenant, func(x kv.Txn) error {
			own := strconv.Itoa(i)
			if err := kv.Prefetch(x, func(w *kv.Wanted) {
				w.Keys, w.System = []string{"counter", own}, []string{"lease"}
				w.Ranges = []kv.Range{{From: from, To: to, Limit: 1}}
			}); err != nil {
				return err
			}
			_, _ = x.Get("counter")
			_, _ = x.Get(own)
			found[i] = dump(x, from, to, 1)
			return errors.Join(x.Require("lease", []byte("mine")), x.Put("k", []byte("v"), 0), x.Put("counter", []byte(own), 0))
		})
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if want := `"k"="v" <nil>`; found[0] != want || found[62] != want || found[63] != "<nil>" {
		t.Errorf("the first finds nothing, the others what it wrote: %q", slices.Compact(found))
	}
	if store.reads != 1 || store.commits != 1 {
		t.Errorf("%d reads and %d commits, want 1 and 1", store.reads, store.commits)
	}
}

func TestUpdatesThatWaitShareTheirReadsAndTheirCommit(t *testing.T) {
	store := newTable()
	db := New(time.Now, store)
	defer db.Close()
	errs := held(t, db, 64, func(i int) error {
		return db.Update(t.Context(), tenant, func(x kv.Txn) error {
			_ = dump(x, "k", "", 1)
			_, _ = x.Get("counter")
			return x.Put("counter", []byte(strconv.Itoa(i)), 0)
		})
	})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if store.reads != 2 || store.commits != 1 {
		t.Errorf("%d reads and %d commits, want 2 and 1", store.reads, store.commits)
	}
}

func TestAConflictRunsAgainAndGivesUpInTheEnd(t *testing.T) {
	conflicts := 3
	store := newTable()
	store.refuse = func([]Write) error {
		if conflicts--; conflicts >= 0 {
			return fault.New(fault.Conflict, "store", "conflict")
		}
		return nil
	}
	db := New(time.Now, store)
	defer db.Close()
	put := func(key string) error {
		return db.Update(t.Context(), tenant, func(x kv.Txn) error { return x.Put(key, []byte("v"), 0) })
	}
	if err := put("a"); err != nil || store.commits != 1 {
		t.Errorf("after three conflicts: %v, %d commits", err, store.commits)
	}
	conflicts = 1 << 30
	if err := put("b"); !fault.Is(err, fault.Conflict) || store.commits != 1 {
		t.Errorf("conflicts for ever: %v, %d commits", err, store.commits)
	}
}

func TestAnUpdateWithoutRoomDoesNotFailItsNeighbours(t *testing.T) {
	store := newTable()
	store.refuse = func(writes []Write) error {
		for _, w := range writes {
			if len(w.Value) > 1000 {
				return fault.New(fault.Exhausted, "store", "no room")
			}
		}
		return nil
	}
	db := New(time.Now, store)
	defer db.Close()
	for i, err := range held(t, db, 8, func(i int) error {
		return db.Update(t.Context(), tenant, func(x kv.Txn) error {
			return x.Put(fmt.Sprint("k/", i), bytes.Repeat([]byte("v"), 1+i%2*1000), 0)
		})
	}) {
		if i%2 == 0 && err != nil || i%2 == 1 && !fault.Is(err, fault.Unavailable) {
			t.Errorf("update %d: %v", i, err)
		}
	}
}

func TestLargeUpdatesTakeSeveralCommits(t *testing.T) {
	store := newTable()
	store.refuse = func(writes []Write) error {
		n := 0
		for _, w := range writes {
			n += len(w.Value)
		}
		if n > maxMerged {
			return fault.Newf(fault.Internal, "store", "a commit of %d bytes", n)
		}
		return nil
	}
	db := New(time.Now, store)
	defer db.Close()
	value := make([]byte, 7<<20)
	err := errors.Join(held(t, db, 5, func(i int) error {
		return db.Update(t.Context(), tenant, func(x kv.Txn) error { return x.Put(fmt.Sprint("k/", i), value, 0) })
	})...)
	if err != nil || len(store.rows) != 5 || store.commits != 3 {
		t.Errorf("%v: %d rows in %d commits, want 5 in 3", err, len(store.rows), store.commits)
	}
}
