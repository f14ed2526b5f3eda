package shard

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"greentic.dev/greentic"
)

// Stored keys contain shard numbers: these may never change.
func TestTheShardOfAKeyIsStable(t *testing.T) {
	for _, c := range []struct {
		env, tenant, key string
		want             int
	}{
		{"", "", "", 42}, {"local", "demo", "demo:webchat:c1:user", 63}, {"prod", "acme", "acme:webchat:c1:user", 12}, {"prod", "acm", "eacme", 56},
	} {
		got := Of(greentic.EnvID(c.env), greentic.TenantID(c.tenant), c.key)
		h := fnv.New64a()
		fmt.Fprintf(h, "%s\x00%s\x00%s", c.env, c.tenant, c.key)
		sum := h.Sum64()
		if described := int((sum ^ sum>>32) % 64); got != c.want || got != described {
			t.Errorf("Of(%q, %q, %q) = %d, as described %d, want %d", c.env, c.tenant, c.key, got, described, c.want)
		}
	}
	var n [Count]int
	for i := range 64_000 {
		n[Of("prod", "acme", fmt.Sprintf("acme:webchat:conversation-%d:user", i))]++
	}
	if slices.Min(n[:]) < 850 || slices.Max(n[:]) > 1150 {
		t.Errorf("64 000 keys spread as %v", n)
	}
}

// even is a start: n members in turn, all shards idle. n 0: all free.
func even(n int) (members []string, at [Count]string, weight [Count]int64) {
	for m := range n {
		members = append(members, fmt.Sprintf("m%d", m))
	}
	for s := range Count {
		weight[s] = idle
		if n > 0 {
			at[s] = members[s%n]
		}
	}
	return members, at, weight
}

func moves(from, to [Count]string) (n int) {
	for s := range Count {
		if from[s] != "" && from[s] != to[s] {
			n++
		}
	}
	return n
}

// spread is shards and weight by member.
func spread(members []string, at [Count]string, weight [Count]int64) (count map[string]int, sum map[string]int64) {
	count, sum = map[string]int{}, map[string]int64{}
	for _, m := range members {
		count[m], sum[m] = 0, 0
	}
	for s, m := range at {
		count[m]++
		sum[m] += weight[s]
	}
	return count, sum
}

func between[K comparable, V int | int64](m map[K]V) V {
	values := slices.Collect(maps.Values(m))
	return slices.Max(values) - slices.Min(values)
}

func TestThePlanMovesNoMoreThanItMust(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(members []string, at *[Count]string, weight *[Count]int64) []string
		n      int // members before
		moves  int
	}{
		{"the first member takes everything", func(m []string, _ *[Count]string, _ *[Count]int64) []string { return append(m, "a") }, 0, 0},
		{"nothing happens when nothing happens", func(m []string, _ *[Count]string, _ *[Count]int64) []string { return m }, 3, 0},
		{"a second joins", func(m []string, _ *[Count]string, _ *[Count]int64) []string { return append(m, "a") }, 1, 32},
		{"a fourth joins", func(m []string, _ *[Count]string, _ *[Count]int64) []string { return append(m, "a") }, 3, 16},
		{"one of four is gone", func(m []string, at *[Count]string, _ *[Count]int64) []string {
			for s := range at {
				if at[s] == "m1" {
					at[s] = ""
				}
			}
			return slices.Delete(m, 1, 2)
		}, 4, 0},
		{"a shard as hot as all others is left almost alone", func(m []string, _ *[Count]string, w *[Count]int64) []string { w[0] = 64 * idle; return m }, 2, 24},
		{"a little load moves nothing", func(m []string, _ *[Count]string, w *[Count]int64) []string { w[0], w[2] = 3*idle, 4*idle; return m }, 2, 0},
		{"one giant moves nothing it could not help", func(m []string, at *[Count]string, w *[Count]int64) []string {
			w[0] = 1e6 * idle
			for s := 1; s < Count; s++ {
				at[s] = "m1"
			}
			return m
		}, 2, 0},
		{"three hot shards of one member are parted and the idle ones even it out", func(m []string, _ *[Count]string, w *[Count]int64) []string {
			w[0], w[2], w[4] = 100*idle, 100*idle, 100*idle
			return m
		}, 2, 27},
	} {
		members, at, weight := even(c.n)
		members = c.change(members, &at, &weight)
		to := plan(members, at, weight, 0)
		if n := moves(at, to); n != c.moves {
			count, sum := spread(members, to, weight)
			t.Errorf("%s: %d moves, want %d; shards %v, weights %v", c.name, n, c.moves, count, sum)
		}
	}
}

// situation is any: members of whom some own nothing, shards free or owned, loads of all sizes.
func situation(r *rapid.T) (members []string, at [Count]string, weight [Count]int64) {
	members, at, weight = even(rapid.IntRange(1, 9).Draw(r, "members"))
	loads := rapid.SampledFrom([]uint8{0, 0, 0, 30, 60, 90, 255})
	for s := range Count {
		at[s] = rapid.SampledFrom(append([]string{""}, members...)).Draw(r, "at")
		weight[s] = weightOf(loads.Draw(r, "level"))
	}
	return members, at, weight
}

func TestThePlanIsTheSameForEverybodyAndStaysPut(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		members, at, weight := situation(r)
		to := plan(members, at, weight, 0)
		if other := plan(rapid.Permutation(members).Draw(r, "order"), at, weight, 0); other != to {
			r.Fatalf("another member plans\n%v, this one\n%v", other, to)
		}
		for s, m := range to {
			if !slices.Contains(members, m) {
				r.Fatalf("shard %d goes to %q", s, m)
			}
		}
		if again := plan(members, to, weight, 0); again != to {
			r.Fatalf("carried out, the plan is another one:\n%v\n%v", to, again)
		}
		_, sum := spread(members, to, weight)
		slack := newBoard(members, to, weight, 0).slack
		for s, m := range to { // no shard could still help much
			for _, other := range members {
				gap := sum[m] - sum[other]
				if after := max(gap-2*weight[s], 2*weight[s]-gap); gap-after > slack {
					r.Fatalf("shard %d with %v should move from %s with %v to %s with %v", s, weight[s], m, sum[m], other, sum[other])
				}
			}
		}
	})
}

func TestFreshShardsStay(t *testing.T) {
	members, at, weight := even(1)
	to := plan(append(members, "a"), at, weight, 1<<63-1)
	if moves(at, to) != 1 || to[63] != "a" {
		t.Fatalf("%v", to)
	}
}

func TestEqualShardsAreSharedWithinOneAndFewMove(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		members, at, _ := situation(r)
		_, _, weight := even(0)
		to := plan(members, at, weight, 0)
		count, _ := spread(members, to, weight)
		if between(count) > 1 {
			r.Fatalf("shards %v", count)
		}
		must := 0 // who has more than the fair share, rounded up, gives the rest
		share := (Count + len(members) - 1) / len(members)
		had, _ := spread(members, at, weight)
		for _, m := range members {
			must += max(had[m]-share, 0)
		}
		if n := moves(at, to); n > must+len(members) {
			r.Fatalf("%d moves, %d are needed", n, must)
		}
	})
}

func TestNoisyLoadMovesFewShards(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		members, at, weight := situation(r)
		at = plan(members, at, weight, 0)
		noise := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "noise"), 0))
		n := 0
		for range 60 {
			noisy := weight
			for s := range noisy {
				noisy[s] = int64(float64(noisy[s]) * (0.95 + noise.Float64()/10))
			}
			to := plan(members, at, noisy, 0)
			n += moves(at, to)
			at = to
		}
		if n > Count {
			r.Fatalf("%d moves in 60 rounds", n)
		}
	})
}
