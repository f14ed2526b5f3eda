package shard_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/shard"
)

// fences remembers every fence any keeper ever gave out, and which of them were refused.
type fences map[int]map[string]bool

// check takes the fences of all runners, dead ones too: of all there ever were at most one passes
// for a shard, and one that was refused never passes again.
func (f fences) check(ctx context.Context, db kv.DB, runners []*runner) error {
	return db.System(ctx, func(x kv.Txn) error {
		for s := range shard.Count {
			for _, r := range runners {
				if _, value, ok := r.Fence(s); ok {
					if f[s] == nil {
						f[s] = map[string]bool{}
					}
					f[s][string(value)] = f[s][string(value)] || false
				}
			}
			pass := 0
			for value, refused := range f[s] {
				if x.Require(fmt.Sprintf("lease/%02d", s), []byte(value)) != nil {
					f[s][value] = true
				} else if pass++; refused || pass > 1 {
					return fmt.Errorf("shard %d: fence %s passes, with %d of %v", s, value, pass, f[s])
				}
			}
		}
		return nil
	})
}

// owners checks that no two runners believe to own a shard; true as long as clocks run alike.
func owners(runners []*runner) error {
	of := map[int]int{}
	for i, r := range runners {
		for _, l := range r.Leases() {
			if other, twice := of[l.Shard]; twice {
				return fmt.Errorf("runners %d and %d both own shard %d", other, i, l.Shard)
			}
			of[l.Shard] = i
		}
	}
	return nil
}

// A thousand random lives of up to five runners, with outages, restarts and clocks that jump.
func TestSchedules(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); !testing.Short() && checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("1000"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	rapid.Check(t, func(r *rapid.T) {
		f := newFleet(t)
		all, seen := []*runner{}, fences{}
		jumps := rapid.Bool().Draw(r, "jumps")
		away, cancel := context.WithCancel(t.Context())
		cancel()
		start := func() {
			n := f.start(rapid.SampledFrom([]string{"a", "b"}).Draw(r, "name"), false)
			n.clock.Add(time.Duration(rapid.IntRange(-100, 100).Draw(r, "skew")) * time.Second)
			all = append(all, n)
		}
		start()
		for range rapid.IntRange(5, 40).Draw(r, "steps") {
			one := rapid.SampledFrom(all).Draw(r, "runner")
			ctx := t.Context()
			if rapid.IntRange(0, 9).Draw(r, "away") == 0 {
				ctx = away
			}
			switch rapid.SampledFrom([]string{"tick", "tick", "tick", "time", "time", "release", "start", "leave", "load", "jump"}).Draw(r, "do") {
			case "tick":
				_, _ = one.Tick(ctx, one.load)
			case "time":
				d := time.Duration(rapid.IntRange(1, 3000).Draw(r, "ms")) * time.Millisecond
				for _, other := range all {
					other.clock.Add(d)
				}
			case "release":
				for _, l := range one.Leases() {
					if l.Shard%3 == 0 {
						_ = one.Release(ctx, l.Shard)
					}
				}
			case "start":
				if len(all) < 5 {
					start()
				}
			case "leave":
				_ = one.Leave(ctx)
			case "load":
				hot := rapid.IntRange(0, shard.Count-1).Draw(r, "hot")
				one.load = func(s int) float64 { return float64(s*hot%shard.Count) * 3 }
			case "jump":
				if jumps {
					one.clock.Add(time.Duration(rapid.IntRange(-30, 30).Draw(r, "jump")) * time.Second)
				}
			}
			if err := seen.check(t.Context(), f.db, all); err != nil {
				r.Fatal(err)
			}
			if err := owners(all); err != nil && !jumps {
				r.Fatal(err)
			}
		}
		f.quiet(r, all[:rapid.IntRange(1, len(all)).Draw(r, "survivors")])
		if err := seen.check(t.Context(), f.db, all); err != nil {
			r.Fatal(err)
		}
	})
}

// quiet lets the survivors alone: soon every shard has one owner, all have as many, nothing moves.
func (f *fleet) quiet(r *rapid.T, survivors []*runner) {
	f.up = survivors
	for _, one := range f.up {
		one.load = nil
	}
	f.pass(18)
	before := fmt.Sprint(leases(f.up))
	f.pass(3)
	least, most, sum := shard.Count, 0, 0
	for _, one := range f.up {
		n := len(one.Leases())
		least, most, sum = min(least, n), max(most, n), sum+n
	}
	if err := owners(f.up); err != nil || sum != shard.Count || most-least > 1 {
		r.Fatalf("%v; %d runners own %d shards, each %d to %d", err, len(f.up), sum, least, most)
	}
	if after := fmt.Sprint(leases(f.up)); after != before {
		r.Fatalf("leases still change:\n%s\n%s", before, after)
	}
}

func leases(runners []*runner) (all [][]shard.Lease) {
	for _, r := range runners {
		all = append(all, r.Leases())
	}
	return all
}
