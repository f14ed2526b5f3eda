package runner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// dueAt says that something is due in a shard at a time.
func (b *beat) dueAt(s int, at time.Time) {
	b.mu.Lock()
	sooner := b.due[s].After(at)
	if sooner {
		b.due[s] = at
	}
	b.mu.Unlock()
	if sooner {
		b.hurry()
	}
}

// hurry looks anew when something is due.
func (b *beat) hurry() {
	b.mu.Lock()
	started := b.timers["due"] != nil
	b.mu.Unlock()
	if started {
		b.every("due", b.untilDue, b.fire)
	}
}

// untilDue is how long nothing is due in any shard.
func (b *beat) untilDue() time.Duration {
	now := b.runner.sched.Now()
	next := now.Add(dueHorizon)
	for s, at := range b.due {
		if at.Before(next) && b.runner.deps.Shards.Owned(s) {
			next = at
		}
	}
	pause := time.Millisecond
	if b.missed > 0 { // the store is away: no use to ask it all the time
		pause = min(b.runner.backoff(b.missed), time.Second)
	}
	return max(next.Sub(now), pause)
}

// fire turns what is due into triggers.
func (b *beat) fire(ctx context.Context) error {
	now := b.runner.sched.Now()
	shards := b.look(now)
	list, next, err := b.nextDue(ctx, shards, now)
	if err == nil {
		err = b.fireAll(ctx, list, now)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, s := range shards {
		if err != nil {
			b.due[s] = now // look again
		} else if !next[i].IsZero() && next[i].Before(b.due[s]) {
			b.due[s] = next[i]
		}
	}
	if b.missed++; err == nil {
		b.missed = 0
	}
	return err
}

// look takes the shards that are to be looked into. What a turn says of them from here on counts
// beside what is found.
func (b *beat) look(now time.Time) (shards []int) {
	for s := range shard.Count {
		if !b.works(s) {
			continue
		}
		b.mu.Lock()
		if at := b.due[s]; !at.After(now) || at.After(now.Add(dueHorizon)) { // further: the clock went back
			b.due[s] = now.Add(dueHorizon)
			shards = append(shards, s)
		}
		b.mu.Unlock()
	}
	return shards
}

// nextDue reads what is due in shards, and when to look into each again.
func (b *beat) nextDue(ctx context.Context, shards []int, now time.Time) (list []queue.Due, next []time.Time, err error) {
	if len(shards) == 0 {
		return nil, nil, nil
	}
	next = make([]time.Time, len(shards))
	err = b.runner.deps.DB.System(ctx, func(x kv.Txn) error {
		list = nil
		if err := kv.Prefetch(x, func(w *kv.Wanted) {
			for _, s := range shards {
				queue.WantDue(w, s)
			}
		}); err != nil {
			return err
		}
		for i, s := range shards {
			some, at, err := queue.NextDue(x, s, now, fireBatch)
			if err != nil {
				return err
			}
			if next[i] = at; len(some) > 0 {
				next[i] = now // once more: a schedule may be due again soon
			}
			list = append(list, some...)
		}
		return nil
	})
	return list, next, err
}

// fireAll fires due times, those of one tenant together.
func (b *beat) fireAll(ctx context.Context, list []queue.Due, now time.Time) error {
	groups := map[greentic.TenantCtx][]queue.Due{}
	var order []greentic.TenantCtx
	for _, d := range list {
		tenant := d.Ctx()
		if groups[tenant] == nil {
			order = append(order, tenant)
		}
		groups[tenant] = append(groups[tenant], d)
	}
	var errs []error
	for _, tenant := range order {
		for some := range slices.Chunk(groups[tenant], fireBatch) {
			errs = append(errs, b.fireGroup(ctx, tenant, some, now))
		}
	}
	return errors.Join(errs...)
}

// fireGroup drops due times and accepts their triggers in one transaction: each fires once,
// whoever else tries.
func (b *beat) fireGroup(ctx context.Context, tenant greentic.TenantCtx, list []queue.Due, now time.Time) error {
	r := b.runner
	var woken []queue.Lane
	err := r.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		woken = nil
		if err := kv.Prefetch(x, func(w *kv.Wanted) {
			for _, d := range list {
				r.wantFence(w, d.Shard())
				session.Want(w, d.Key)
			}
		}); err != nil {
			return err
		}
		last := -1
		var all []queue.Entry
		for _, d := range list { // by shard
			if s := d.Shard(); s != last {
				if err := r.fence(x, s); err != nil {
					return err
				}
				last = s
			}
			triggers, err := r.triggersOf(x, d, now)
			if err != nil {
				return err
			}
			for _, t := range triggers {
				e, err := queue.Prepare(t, r.deps.NewID(), now)
				if err != nil {
					return err
				}
				all = append(all, e)
			}
		}
		if err := kv.Prefetch(x, func(w *kv.Wanted) {
			for _, e := range all {
				e.WantAdmit(w)
			}
		}); err != nil {
			return err
		}
		for _, e := range all {
			if _, _, err := queue.Admit(x, e); err != nil {
				return err
			}
			woken = append(woken, e.Lane())
		}
		return nil
	})
	for _, l := range woken { // also after an error: it may have been committed
		r.woken(l, nil)
	}
	return fault.Wrap("due", err)
}

// triggersOf drops a due time and says what it starts: the end of a wait that still waits, or
// what a schedule says.
func (r *Runner) triggersOf(x kv.Txn, d queue.Due, now time.Time) ([]greentic.Trigger, error) {
	if err := d.Drop(x); err != nil {
		return nil, err
	}
	stored, err := session.Read(x, d.Key)
	if err != nil {
		return nil, err
	}
	if d.ID != session.WaitID(stored.Revision()) {
		if r.deps.Schedules == nil || strings.HasPrefix(d.ID, "wait/") {
			return nil, nil // the session has gone on
		}
		return r.deps.Schedules.Fire(x, d, now)
	}
	s, err := stored.Open()
	if err != nil {
		return nil, err
	}
	return []greentic.Trigger{{ID: s.Timer(), Tenant: s.Origin.Tenant, Kind: greentic.KindTimer, Route: s.Origin.Route, Key: d.Key,
		Body: []byte(`{"wait":"` + d.ID + `"}`), Header: s.Origin.Header}}, nil
}
