package shard

import (
	"cmp"
	"slices"
)

// plan says who should own each shard. at is who does, empty for a shard that is free or being
// given up. Every member computes the same plan from the same rows and does only its own part:
// it claims what is free and falls to it, and gives up what falls to another. Fresh shards stay
// where they are: their load is not yet known there, and a shard should rest between two moves.
//
// Free shards go to the lightest members. Then single shards move from a heavier to a lighter
// member, the most unequal pair first: while the two differ by more than the slack, or while
// the heavier has at least two shards more. A move never makes the lighter one the heavier unless
// it gains more than the slack, and load is no reason to move what is too light to matter; so
// noise does not send shards back and forth. Every move makes a pair more equal, so they end.
func plan(members []string, at [Count]string, weight [Count]int64, fresh bits) [Count]string {
	b := newBoard(members, at, weight, fresh)
	b.place()
	for n := 0; n < 4*Count && b.move(); n++ { // far more than are ever needed
	}
	var to [Count]string
	for s, m := range b.at {
		to[s] = b.members[m]
	}
	return to
}

// board is the state of planning: members by index, -1 for none.
type board struct {
	members []string
	at      [Count]int
	weight  [Count]int64
	fresh   bits
	sum     []int64 // weight of each member
	count   []int   // shards of each member
	slack   int64   // a quarter of the mean weight: the hysteresis
}

func newBoard(members []string, at [Count]string, weight [Count]int64, fresh bits) *board {
	b := &board{members: slices.Sorted(slices.Values(members)), weight: weight, fresh: fresh}
	b.sum, b.count = make([]int64, len(members)), make([]int, len(members))
	for s := range Count {
		b.at[s] = -1
		b.slack += weight[s]
		if m, ok := slices.BinarySearch(b.members, at[s]); ok {
			b.put(s, m)
		}
	}
	b.slack /= 4 * int64(len(members))
	return b
}

func (b *board) put(s, m int) {
	if from := b.at[s]; from >= 0 {
		b.sum[from] -= b.weight[s]
		b.count[from]--
	}
	b.at[s] = m
	b.sum[m] += b.weight[s]
	b.count[m]++
}

// place gives free shards away, the heaviest first.
func (b *board) place() {
	var free []int
	for s, m := range b.at {
		if m < 0 {
			free = append(free, s)
		}
	}
	slices.SortStableFunc(free, func(x, y int) int { return cmp.Compare(b.weight[y], b.weight[x]) })
	for _, s := range free {
		to := 0
		for m := range b.members {
			if b.sum[m] < b.sum[to] {
				to = m
			}
		}
		b.put(s, to)
	}
}

// move makes the most unequal pair that a shard can help more equal; false: there is none.
func (b *board) move() bool {
	shard, to, widest := -1, 0, int64(0)
	for h := range b.members {
		for l := range b.members {
			gap := b.sum[h] - b.sum[l]
			if gap <= widest || gap <= b.slack && b.count[h]-b.count[l] < 2 {
				continue
			}
			least := int64(0)
			if b.count[h]-b.count[l] < 2 {
				least = b.slack / Count
			}
			if s := b.fit(h, gap, least); s >= 0 {
				shard, to, widest = s, l, gap
			}
		}
	}
	if shard >= 0 {
		b.put(shard, to)
	}
	return shard >= 0
}

// fit finds the shard of a member whose move over a gap leaves the least of it, if any may.
func (b *board) fit(member int, gap, least int64) int {
	best, rest := -1, gap
	for s, m := range b.at {
		w := b.weight[s]
		after := max(gap-2*w, 2*w-gap)
		if m != member || b.fresh.has(s) || w < least || after >= rest || 2*w > gap && gap-after <= b.slack {
			continue
		}
		best, rest = s, after
	}
	return best
}
