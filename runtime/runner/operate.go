package runner

import (
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
)

// Changed says that an operator has stored or ended a session: what is kept of it here is forgotten,
// and its due time is known.
func (r *Runner) Changed(tenant greentic.TenantCtx, s session.Session) {
	lane := queue.Lane{Env: tenant.Env, Tenant: tenant.Tenant, Key: s.Key}
	r.cache.changed(lane)
	if !s.Due.IsZero() {
		r.beat.dueAt(lane.Shard(), s.Due)
	}
}

// Revived announces the work of a dead letter that is back in the store.
func (r *Runner) Revived(l queue.Letter) {
	switch {
	case l.Entry != nil:
		r.woken(l.Entry.Lane(), nil)
	case l.Parcel != nil && r.beat.works(l.Parcel.Destination().Shard()):
		r.outbox.Wake(l.Parcel.Destination(), 1, nil)
	}
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
	s := Status{Of: shard.Count}
	s.Turns.Running, s.Turns.Lanes = r.turns.Load()
	s.Deliveries.Running, s.Deliveries.Lanes = r.outbox.Load()
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
