package runner

import (
	"context"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// What operators do to a runner's work. All of it is decided in the store, so it also works on a
// runner that was not started, and on conversations that another process runs.

// parked reads a session that no turn is in the middle of. Errors: fault.NotFound; fault.Conflict
// while a turn of it stands at a checkpoint.
func parked(x kv.Reader, key string) (session.Session, error) {
	s, err := session.Load(x, key)
	if err != nil {
		return s, err
	}
	if s.Revision == 0 {
		return s, fault.Newf(fault.NotFound, "session "+key, "there is none")
	}
	e, waits, err := queue.First(x, key)
	if err == nil && waits && e.Progress != nil {
		err = fault.Newf(fault.Conflict, "session "+key, "turn %s of it is under way", e.Turn).WithCode("turn_under_way").WithFix("try again when it has ended")
	}
	return s, err
}

// Migrate moves a parked session to another release, served or kept, and returns it. Its wait and
// its due time stay. Errors: fault.NotFound (no session), fault.Conflict naming what the release
// lacks or the turn that is under way, and those of opening the release.
func (r *Runner) Migrate(ctx context.Context, tenant greentic.TenantCtx, key string, to greentic.Digest) (stored session.Session, err error) {
	target, err := r.deps.Releases.Pinned(ctx, to)
	if err != nil {
		return stored, fault.Wrap("migrate", err)
	}
	err = r.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		if stored, err = parked(x, key); err != nil || stored.Release == to {
			return err
		}
		if err := target.Takes(stored); err != nil {
			return err
		}
		stored.Release = to
		stored, err = session.Save(x, tenant, stored)
		return err
	})
	if err != nil {
		return stored, fault.Wrap("migrate", err)
	}
	lane := queue.Lane{Env: tenant.Env, Tenant: tenant.Tenant, Key: key}
	r.cache.changed(lane)
	if !stored.Due.IsZero() {
		r.beat.dueAt(lane.Shard(), stored.Due)
	}
	return stored, nil
}

// EndSession ends a parked session; what waits in its inbox begins a new one. Errors as Migrate.
func (r *Runner) EndSession(ctx context.Context, tenant greentic.TenantCtx, key string) error {
	err := r.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		s, err := parked(x, key)
		if err != nil {
			return err
		}
		return session.End(x, tenant, s)
	})
	if err != nil {
		return fault.Wrap("end", err)
	}
	r.cache.changed(queue.Lane{Env: tenant.Env, Tenant: tenant.Tenant, Key: key})
	return nil
}

// Retry puts a dead letter's work back behind all other of its conversation and wakes it. Errors as
// queue.Revive.
func (r *Runner) Retry(ctx context.Context, tenant greentic.TenantCtx, id string) (l queue.Letter, err error) {
	err = r.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		l, err = queue.Revive(x, id, r.sched.Now())
		return err
	})
	switch {
	case err != nil:
		return l, fault.Wrap("retry", err)
	case l.Entry != nil:
		r.woken(l.Entry.Lane(), nil)
	case l.Parcel != nil && r.beat.works(l.Parcel.Destination().Shard()):
		r.outbox.wake(l.Parcel.Destination(), 1, nil)
	}
	return l, nil
}

// Load is how busy a part of a runner is.
type Load struct {
	Running int `json:"running"` // pieces of work under way
	Lanes   int `json:"lanes"`   // conversations that have work, known here
}

// Status is what a runner does at the moment.
type Status struct {
	Draining   bool `json:"draining"`
	Shards     int  `json:"shards_owned"`
	Of         int  `json:"shards"`
	Turns      Load `json:"turns"`
	Deliveries Load `json:"deliveries"`
}

// Status says what the runner does at the moment.
func (r *Runner) Status() Status {
	s := Status{Of: shard.Count, Turns: r.turns.load(), Deliveries: r.outbox.load()}
	r.mu.Lock()
	s.Draining = r.draining
	r.mu.Unlock()
	for i := range shard.Count {
		if r.deps.Shards.Owned(i) {
			s.Shards++
		}
	}
	return s
}

func (l *lanes[K, H]) load() Load {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Load{l.running, len(l.known)}
}
