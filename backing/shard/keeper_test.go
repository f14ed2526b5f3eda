package shard_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

const ttl = 6 * time.Second

// runner is a keeper with the clock and the loads of its machine.
type runner struct {
	*shard.Keeper
	clock *kvtest.Clock
	load  func(int) float64
}

// fleet is runners over one store; real time is what passes on all their clocks.
type fleet struct {
	t   testing.TB
	db  kv.DB
	ids int
	up  []*runner
}

func newFleet(t testing.TB) *fleet {
	return &fleet{t: t, db: memory.New(time.Now)}
}

func (f *fleet) start(name string, exclusive bool) *runner {
	f.ids++
	id := fmt.Sprint(f.ids)
	clock := kvtest.NewClock()
	r := &runner{clock: clock, load: func(int) float64 { return 0 }}
	r.Keeper = shard.New(f.db, shard.Options{Name: name, Now: clock.Now, NewID: func() string { return id }, Exclusive: exclusive})
	f.up = append(f.up, r)
	return r
}

func (f *fleet) tick(r *runner) shard.Change {
	f.t.Helper()
	c, err := r.Tick(f.t.Context(), r.load)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// pass lets time pass in steps of a third of the TTL; runners tick and release what they should.
func (f *fleet) pass(steps int) {
	f.t.Helper()
	for range steps {
		for _, r := range f.up {
			r.clock.Add(ttl / 3)
			if c := f.tick(r); len(c.Leaving) > 0 {
				if err := r.Release(f.t.Context(), c.Leaving...); err != nil {
					f.t.Fatal(err)
				}
			}
		}
	}
}

// kill takes runners away without a word.
func (f *fleet) kill(gone ...*runner) {
	f.up = slices.DeleteFunc(f.up, func(r *runner) bool { return slices.Contains(gone, r) })
}

// want checks how many shards each runner owns, and that each shard has one owner.
func (f *fleet) want(counts ...int) {
	f.t.Helper()
	owners, got := map[int]int{}, []int{}
	for _, r := range f.up {
		got = append(got, len(r.Leases()))
		for _, l := range r.Leases() {
			owners[l.Shard]++
			if owners[l.Shard] > 1 {
				f.t.Fatalf("shard %d has two owners", l.Shard)
			}
		}
	}
	if !slices.Equal(got, counts) {
		f.t.Fatalf("owned %v, want %v", got, counts)
	}
}

// commit writes under the fence of a shard as it is now, or with value as it was.
func commit(ctx context.Context, db kv.DB, key string, value []byte) error {
	return db.Update(ctx, greentic.DefaultTenant(), func(x kv.Txn) error {
		if err := x.Require(key, value); err != nil {
			return err
		}
		return x.Put("k", []byte("v"), 0)
	})
}

func TestMembersJoinLeaveAndDie(t *testing.T) {
	f := newFleet(t)
	a := f.start("a", false)
	if c := f.tick(a); len(c.Gained) != shard.Count || c.Gained[5] != (shard.Lease{Shard: 5, Epoch: 1}) || len(c.Lost)+len(c.Leaving) > 0 {
		t.Fatalf("the first member's first tick: %+v", c)
	}
	b := f.start("b", false)
	f.pass(2)
	f.want(64, 0) // fresh shards rest for one TTL
	f.pass(2)
	f.want(32, 32)
	c := f.start("c", false)
	f.pass(4)
	f.want(21, 22, 21)
	if err := b.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.Leases()) > 0 {
		t.Fatal("who left owns something")
	}
	f.kill(b)
	f.pass(1)
	f.want(32, 32)
	f.kill(c)
	f.pass(3)
	f.want(32) // silent for less than the TTL
	f.pass(1)
	f.want(64)
}

func TestARestartUnderTheSameNameIsAnotherMember(t *testing.T) {
	f := newFleet(t)
	old := f.start("a", false)
	f.pass(1)
	f.kill(old)
	heir := f.start("a", false)
	f.pass(3)
	f.want(0)
	f.pass(1)
	f.want(64)
	for _, l := range heir.Leases() {
		if !l.Orphan {
			t.Fatalf("%+v of a dead owner is no orphan", l)
		}
	}
	f.start("a", false)
	f.pass(4)
	f.want(32, 32)
}

func TestAnExclusiveMemberWaitsForNobody(t *testing.T) {
	f := newFleet(t)
	old := f.start("a", true)
	f.pass(1)
	f.kill(old)
	next := f.start("a", true)
	if c := f.tick(next); len(c.Gained) != shard.Count || c.Gained[0].Epoch != 2 {
		t.Fatalf("%+v", c)
	}
	key, value, _ := old.Fence(0)
	if err := commit(t.Context(), f.db, key, value); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a commit of the predecessor: %v", err)
	}
	next.clock.Add(100 * ttl)
	if key, value, ok := next.Fence(0); !ok || commit(t.Context(), f.db, key, value) != nil {
		t.Fatal("it has to show that it is alive, although nobody else looks")
	}
}

func TestAnOwnerGivesUpOnlyWhenItIsDone(t *testing.T) {
	f := newFleet(t)
	a, b := f.start("a", false), f.start("b", false)
	f.tick(a)
	f.tick(b)
	for range 3 {
		a.clock.Add(ttl / 3)
		f.tick(b)
		f.tick(a)
	}
	c := f.tick(a)
	if len(c.Leaving) != 32 {
		t.Fatalf("%+v", c)
	}
	s := c.Leaving[0]
	key, value, ok := a.Fence(s)
	if !ok || commit(t.Context(), f.db, key, value) != nil {
		t.Fatal("a shard that is being given up is still owned")
	}
	f.tick(b)
	if c := f.tick(a); len(c.Leaving) != 32 || len(c.Lost) > 0 {
		t.Fatalf("nothing is released yet: %+v", c)
	}
	if err := a.Release(t.Context(), s); err != nil || a.Owned(s) {
		t.Fatal(err)
	}
	if err := commit(t.Context(), f.db, key, value); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a commit after the release: %v", err)
	}
	if c := f.tick(b); len(c.Gained) != 1 || c.Gained[0] != (shard.Lease{Shard: s, Epoch: 2}) || !b.Owned(s) {
		t.Fatalf("%+v", c)
	}
}

func TestAHeartbeatChangesNoFence(t *testing.T) {
	f := newFleet(t)
	a := f.start("a", false)
	f.pass(1)
	_, before, _ := a.Fence(7)
	f.pass(5)
	if _, after, ok := a.Fence(7); !ok || string(after) != string(before) {
		t.Fatalf("%s became %s", before, after)
	}
}

func TestLoadIsBalancedAndComesWithTheShard(t *testing.T) {
	f := newFleet(t)
	a, b := f.start("a", false), f.start("b", false)
	f.pass(8)
	hot := []int{}
	for _, l := range a.Leases()[:4] {
		hot = append(hot, l.Shard)
	}
	a.load = func(s int) float64 {
		if slices.Contains(hot, s) {
			return 100
		}
		return 0
	}
	moved := func() (n int) {
		for _, s := range hot {
			if b.Owned(s) {
				n++
			}
		}
		return n
	}
	f.pass(3) // b has not measured yet what it has got, and is not given more for that
	if moved() != 2 {
		t.Fatalf("%d of 4 hot shards moved", moved())
	}
	b.load = a.load
	f.pass(8)
	if moved() != 2 {
		t.Fatalf("later %d of 4 hot shards are with the second", moved())
	}
}

func TestAPausedOwnerIsFenced(t *testing.T) {
	f := newFleet(t)
	a := f.start("a", false)
	f.pass(1)
	key, value, _ := a.Fence(9) // a turn begins, then the process stands still
	f.kill(a)
	b := f.start("b", false)
	f.pass(5)
	if err := commit(t.Context(), f.db, key, value); !fault.Is(err, fault.Conflict) {
		t.Fatalf("the commit of an owner that slept: %v", err)
	}
	if _, _, code := fault.Detail(commit(t.Context(), f.db, key, value)); code != "fenced" {
		t.Fatalf("code %q", code)
	}
	a.clock.Add(10 * ttl)
	if a.Owned(9) || len(a.Leases()) > 0 {
		t.Fatal("it still believes to be the owner")
	}
	if c := f.tick(a); len(c.Lost) != shard.Count || len(c.Gained) > 0 || !b.Owned(9) {
		t.Fatalf("awake again: %+v", c)
	}
}

func TestLeasesEndWithTheOwnHeartbeatWhileTheStoreIsAway(t *testing.T) {
	f := newFleet(t)
	a := f.start("a", false)
	f.tick(a)
	away, cancel := context.WithCancel(t.Context())
	cancel()
	a.clock.Add(ttl - 1)
	if c, err := a.Tick(away, nil); !fault.Is(err, fault.Canceled) || len(c.Lost) > 0 || !a.Owned(0) {
		t.Fatalf("%+v, %v", c, err)
	}
	a.clock.Add(1)
	if a.Owned(0) {
		t.Fatal("owned without a heartbeat")
	}
	if c, err := a.Tick(away, nil); err == nil || len(c.Lost) != shard.Count {
		t.Fatalf("%+v, %v", c, err)
	}
	if c := f.tick(a); len(c.Lost) > 0 || len(c.Gained) != shard.Count || c.Gained[0].Epoch != 2 {
		t.Fatalf("the store is back: %+v", c)
	}
}

func TestAnOutageOfTheStoreKillsNobody(t *testing.T) {
	f := newFleet(t)
	a, b := f.start("a", false), f.start("b", false)
	f.pass(8)
	f.tick(a) // it has seen the other's last heartbeat
	for _, r := range f.up {
		r.clock.Add(100 * ttl)
	}
	if c := f.tick(a); len(c.Gained) != 32 {
		t.Fatalf("the first to come back takes %d", len(c.Gained))
	}
	f.tick(b)
	f.pass(4)
	f.want(32, 32)
}

// A clock that jumps makes nobody else look dead; at most its own leases begin anew.
func TestClockJumpsStealNothing(t *testing.T) {
	for _, jump := range []time.Duration{ttl + 1, -ttl - 1, time.Hour, -time.Hour, 100 * 365 * 24 * time.Hour} {
		f := newFleet(t)
		a, b := f.start("a", false), f.start("b", false)
		f.pass(8)
		before := b.Leases()
		for range 5 {
			f.tick(a) // it has seen the other's last heartbeat
			a.clock.Add(jump)
			if c := f.tick(a); len(c.Lost) != 32 || len(c.Gained) != 32 || len(c.Leaving) > 0 {
				t.Fatalf("jump %v: lost %v, gained %v", jump, c.Lost, c.Gained)
			}
			b.clock.Add(ttl / 3)
			if c := f.tick(b); len(c.Lost)+len(c.Gained)+len(c.Leaving) > 0 {
				t.Fatalf("jump %v: the other sees %+v", jump, c)
			}
		}
		if !slices.Equal(before, b.Leases()) {
			t.Fatalf("jump %v: the other's leases became %v", jump, b.Leases())
		}
	}
}

// Whoever has to act next learns of it from one row, without a heartbeat of anybody.
func TestAHandOverIsSeenBeforeTheNextHeartbeat(t *testing.T) {
	f := newFleet(t)
	a := f.start("a", false)
	f.pass(4)
	moved := func(r *runner) (yes bool) {
		t.Helper()
		err := f.db.System(t.Context(), func(x kv.Txn) (err error) {
			yes, err = r.Moved(x)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if f.tick(a); moved(a) {
		t.Fatal("a heartbeat is news")
	}
	b := f.start("b", false)
	f.tick(b)
	if !moved(a) || moved(b) {
		t.Fatal("nobody hears that a member joined")
	}
	c := f.tick(a)
	if len(c.Leaving) != 32 || moved(a) || moved(b) {
		t.Fatalf("%+v", c)
	}
	if err := a.Release(t.Context(), c.Leaving...); err != nil || !moved(b) {
		t.Fatal("the taker does not hear that shards were given back", err)
	}
	f.tick(b)
	f.want(32, 32)
	f.tick(a)
	if err := b.Leave(t.Context()); err != nil || !moved(a) {
		t.Fatal("nobody hears that a member left", err)
	}
	f.kill(b)
	f.tick(a)
	f.want(64)
}
