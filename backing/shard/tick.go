package shard

import (
	"context"
	"maps"
	"slices"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// Tick shows that this member is alive, buries silent ones, claims what falls to it and says what
// changed, in one transaction. load is asked for each owned shard: turns per second, or any unit
// in which 1 is worth as much as an idle shard; nil means all are idle.
//
// The Change counts also beside an error (those of kv): while the store is away nothing can be
// gained, and all leases are lost once the TTL has passed since the last heartbeat that was stored.
func (k *Keeper) Tick(ctx context.Context, load func(shard int) float64) (Change, error) {
	k.turn.Lock()
	defer k.turn.Unlock()
	var c Change
	c.Lost = k.lapse()
	now := k.now()
	k.count++
	r := round{keeper: k, now: now, held: k.holds()}
	me := r.measure(load)
	err := k.db.System(ctx, func(t kv.Txn) error { return r.run(t, me) })
	if err != nil {
		c.Lost = append(c.Lost, k.lapse()...)
		return c, fault.Wrap("shard tick", err)
	}
	k.joined, k.ticked, k.seen = true, now, r.seen
	k.mu.Lock()
	k.beat, k.held, k.news = now, r.next, r.news
	k.mu.Unlock()
	for s := range Count {
		was, had := r.held[s]
		is, has := r.next[s]
		fresh := has && (!had || was.epoch != is.epoch)
		if had && (!has || fresh) {
			c.Lost = append(c.Lost, s)
		}
		if fresh {
			c.Gained = append(c.Gained, Lease{s, is.epoch, is.orphan})
		}
		if is.to != "" {
			c.Leaving = append(c.Leaving, s)
		}
	}
	return c, nil
}

func (k *Keeper) holds() map[int]hold {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return maps.Clone(k.held)
}

// round is one Tick inside its transaction; run may be called again and starts afresh.
type round struct {
	keeper *Keeper
	now    time.Time
	held   map[int]hold // before

	leases  [Count]lease
	members map[string]member
	news    uint64           // after
	seen    map[string]sight // after
	next    map[int]hold     // after
}

// measure makes the member's row. As long as a shard is fresh it counts at least what it did with
// its former owner: it would look idle, and be given more company than it can bear.
func (r *round) measure(load func(int) float64) member {
	me := member{Beat: r.keeper.count, TTL: r.keeper.ttl, Levels: make([]byte, Count)}
	for s, h := range r.held {
		if load != nil {
			me.Levels[s] = levelOf(load(s))
		}
		if r.now.Sub(h.since).Abs() < r.keeper.ttl {
			me.Levels[s] = max(me.Levels[s], h.level)
			me.Fresh |= 1 << s
		}
		if h.to != "" {
			me.Leaving |= 1 << s
		}
	}
	return me
}

func (r *round) run(t kv.Txn, me member) (err error) {
	k := r.keeper
	if r.leases, r.members, err = read(t); err != nil {
		return err
	}
	before := r.leases
	all := maps.Clone(r.members)
	for _, owner := range r.observe() {
		if err := t.Delete(memberKey(owner)); err != nil {
			return err
		}
	}
	r.free(all)
	_, member := r.members[k.owner]
	r.members[k.owner] = me
	r.settle(&me)
	tell := !member
	for s, l := range r.leases {
		if l == before[s] {
			continue
		}
		tell = tell || l.Owner == ""
		if err := t.Put(leaseKey(s), encode(l), 0); err != nil {
			return err
		}
	}
	if err := t.Put(memberKey(k.owner), encode(me), 0); err != nil {
		return err
	}
	if tell {
		if err := announce(t); err != nil {
			return err
		}
	}
	r.news, err = news(t)
	return err
}

// observe strikes off the members whose row has not changed for their TTL. Time counts only as
// far as this keeper watched it: between two of its ticks at most a third of that TTL passes. So
// neither a jump of the clock, nor a pause of this process, nor an outage of the store, during
// which nobody could write, makes others look dead.
func (r *round) observe() (dead []string) {
	k := r.keeper
	passed := time.Duration(0)
	if k.joined {
		passed = max(r.now.Sub(k.ticked), 0)
	}
	r.seen = map[string]sight{}
	for owner, m := range r.members {
		if owner == k.owner {
			continue
		}
		s := sight{beat: m.Beat}
		if old, ok := k.seen[owner]; ok && old.beat == m.Beat {
			s.silent = old.silent + min(passed, m.TTL/3+1)
		}
		if s.silent >= m.TTL || k.exclusive && !k.joined {
			dead = append(dead, owner)
			delete(r.members, owner)
			continue
		}
		r.seen[owner] = s
	}
	return dead
}

// free takes the leases of who is no member any more, and those in this keeper's own name that it
// does not hold: its heartbeat had expired, or a Tick was committed whose answer was lost. all is
// the members before.
func (r *round) free(all map[string]member) {
	for s, l := range r.leases {
		_, alive := r.members[l.Owner]
		if l.Owner == r.keeper.owner {
			h, held := r.held[s]
			alive = held && h.epoch == l.Epoch
		}
		if l.Owner != "" && !alive {
			r.leases[s] = lease{Epoch: l.Epoch, Level: all[l.Owner].level(s), Orphan: true}
		}
	}
}

// settle plans, claims and gives up.
func (r *round) settle(me *member) {
	k := r.keeper
	var at [Count]string
	var weight [Count]int64
	var fresh bits
	for s, l := range r.leases {
		m := r.members[l.Owner]
		if !m.Leaving.has(s) {
			at[s] = l.Owner
		}
		fresh |= m.Fresh & (1 << s)
		if _, alive := r.members[l.To]; alive {
			at[s] = l.To
			fresh |= 1 << s // what was promised stays promised: loads change, and two plans would wait for each other
		}
		weight[s] = weightOf(max(l.Level, m.level(s)))
	}
	names := make([]string, 0, len(r.members))
	for owner := range r.members {
		names = append(names, owner)
	}
	r.next, me.Leaving, me.Levels = map[int]hold{}, 0, slices.Clone(me.Levels)
	for s, to := range plan(names, at, weight, fresh) {
		l := &r.leases[s]
		switch {
		case l.Owner == "" && to == k.owner:
			level, orphan := l.Level, l.Orphan
			*l = lease{Owner: k.owner, Epoch: l.Epoch + 1}
			r.next[s] = hold{epoch: l.Epoch, fence: encode(*l), level: level, orphan: orphan, since: r.now}
			me.Fresh |= 1 << s
			me.Levels[s] = level
		case l.Owner == "":
			l.To = to
		case l.Owner == k.owner:
			h := r.held[s]
			if to != k.owner {
				h.to = to
			}
			if h.to != "" {
				me.Leaving |= 1 << s
			}
			r.next[s] = h
		}
	}
}
