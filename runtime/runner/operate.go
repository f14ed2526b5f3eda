package runner

import (
	"context"
	"maps"
	"slices"

	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
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

// Version is a release as operators see it.
type Version struct {
	Digest  greentic.Digest `json:"release"`
	Pack    string          `json:"pack,omitempty"` // empty: it cannot be opened
	Version string          `json:"version,omitempty"`
	Served  bool            `json:"served"` // new sessions take it

	release *Release
}

// Served lists the releases that new sessions take, in the order of selection.
func (s *Releases) Served() (list []Version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.served {
		list = append(list, r.version(true))
	}
	return list
}

func (r *Release) version(served bool) Version {
	archive := r.verified.Archive()
	return Version{r.Digest(), archive.ID(), archive.Version(), served, r}
}

// Version describes a release; of one that cannot be opened here only the digest is known.
func (s *Releases) Version(ctx context.Context, d greentic.Digest) Version {
	for _, v := range s.Served() {
		if v.Digest == d {
			return v
		}
	}
	r, err := s.pinned(ctx, d)
	if err != nil {
		return Version{Digest: d}
	}
	return r.version(false)
}

// Known lists the releases that are served or kept, the served ones first, then by digest.
func (s *Releases) Known(ctx context.Context) ([]Version, error) {
	list := s.Served()
	seen := map[greentic.Digest]bool{}
	for _, v := range list {
		seen[v.Digest] = true
	}
	more := map[greentic.Digest]bool{}
	s.mu.Lock()
	for d := range s.byDigest {
		more[d] = !seen[d]
	}
	s.mu.Unlock()
	if s.store != nil {
		kept, err := s.store.List(ctx)
		if err != nil {
			return nil, err
		}
		for _, d := range kept {
			more[d] = !seen[d]
		}
	}
	for _, d := range slices.Sorted(maps.Keys(more)) {
		if more[d] {
			list = append(list, s.Version(ctx, d))
		}
	}
	return list, nil
}

// Flow finds a flow of the release; fault.NotFound when it has none of that id, or cannot be opened.
func (v Version) Flow(id string) (*flow.Flow, error) {
	if v.release == nil {
		return nil, fault.Newf(fault.NotFound, "release "+v.Digest.Short(), "it cannot be opened")
	}
	return v.release.flow(id)
}
