package runner

import (
	"context"
	"slices"
	"sync"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
)

// Release is a verified pack ready to run. Components are compiled when first used. It is safe
// for concurrent use.
type Release struct {
	verified *loader.Verified
	host     *host.Host

	mu         sync.Mutex
	components map[string]*loading
}

// loading is a component that is being compiled, or was.
type loading struct {
	done      chan struct{}
	component *host.Component
	err       error
}

// Digest identifies the release.
func (r *Release) Digest() greentic.Digest { return r.verified.Digest() }

// component compiles a component once, however many turns want it. A failure is not kept: a
// later turn tries again.
func (r *Release) component(ctx context.Context, id string) (*host.Component, error) {
	r.mu.Lock()
	l, ok := r.components[id]
	if !ok {
		l = &loading{done: make(chan struct{})}
		r.components[id] = l
	}
	r.mu.Unlock()
	if !ok {
		code, err := r.verified.Archive().Wasm(id)
		if err == nil {
			l.component, err = r.host.Load(context.WithoutCancel(ctx), id, code) // others may wait for it
		}
		if l.err = err; err != nil {
			r.mu.Lock()
			delete(r.components, id)
			r.mu.Unlock()
		}
		close(l.done)
	}
	select {
	case <-l.done:
		return l.component, l.err
	case <-ctx.Done():
		return nil, fault.Wrap("component "+id, ctx.Err())
	}
}

// Warm compiles every component the pack carries, so that the first turn does not wait.
func (r *Release) Warm(ctx context.Context) error {
	for _, c := range r.verified.Archive().Components() {
		if _, err := r.component(ctx, c.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// flow finds a flow by id.
func (r *Release) flow(id string) (*flow.Flow, error) {
	for _, f := range r.verified.Archive().Flows() {
		if f.ID == id {
			return f, nil
		}
	}
	return nil, fault.Newf(fault.NotFound, "pack "+r.verified.Archive().ID(), "it has no flow %q", id)
}

// asset reads a file of the pack.
func (r *Release) asset(path string) ([]byte, bool) {
	b, err := r.verified.Archive().Asset(path)
	return b, err == nil
}

// texts looks up a translation: exact locale, then its language, then English.
func (r *Release) texts(locale string) card.Texts {
	archive := r.verified.Archive()
	var maps []map[string]string
	for _, l := range card.Fallback(locale) {
		if m, err := archive.Texts(l); err == nil && len(m) > 0 {
			maps = append(maps, m)
		}
	}
	return func(key string) (string, bool) {
		for _, m := range maps {
			if text, ok := m[key]; ok {
				return text, true
			}
		}
		return "", false
	}
}

// Releases holds the packs that are served, in the order they were named, and reopens older
// ones for the sessions pinned to them. It is safe for concurrent use.
type Releases struct {
	host   *host.Host
	store  *loader.Store // nil: nothing is kept, sessions end with the process
	policy loader.Policy
	grants []egress.Grant

	mu       sync.Mutex
	served   []*Release
	byDigest map[greentic.Digest]*Release
}

// NewReleases serves nothing yet. grants are the hosts every component may call.
func NewReleases(h *host.Host, store *loader.Store, policy loader.Policy, grants []egress.Grant) *Releases {
	return &Releases{host: h, store: store, policy: policy, grants: grants, byDigest: map[greentic.Digest]*Release{}}
}

// Serve offers a pack to new sessions, in place of one with the same id.
func (s *Releases) Serve(ctx context.Context, v *loader.Verified) (*Release, error) {
	if s.store != nil {
		if err := s.store.Keep(ctx, v); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.add(v)
	i := slices.IndexFunc(s.served, func(old *Release) bool { return old.verified.Archive().ID() == v.Archive().ID() })
	if i >= 0 {
		s.served[i] = r
	} else {
		s.served = append(s.served, r)
	}
	return r, nil
}

func (s *Releases) add(v *loader.Verified) *Release {
	if r, ok := s.byDigest[v.Digest()]; ok {
		return r
	}
	r := &Release{verified: v, host: s.host, components: map[string]*loading{}}
	s.byDigest[v.Digest()] = r
	return r
}

// choose selects pack and flow for a new session: the first pack that has one, among those
// called pack unless that is empty. A digest demands that very release, served or kept.
func (s *Releases) choose(ctx context.Context, pack, explicit string, digest greentic.Digest) (*Release, *flow.Flow, error) {
	s.mu.Lock()
	served := slices.Clone(s.served)
	s.mu.Unlock()
	if digest != "" {
		r, err := s.pinned(ctx, digest)
		if err != nil {
			return nil, nil, err
		}
		served = []*Release{r}
	}
	var first error
	for _, r := range served {
		archive := r.verified.Archive()
		if pack != "" && archive.ID() != pack {
			continue
		}
		f, err := card.Select(archive.Flows(), archive.Tags, explicit)
		if err == nil {
			return r, f, nil
		}
		if first == nil {
			first = fault.Wrap("pack "+archive.ID(), err)
		}
	}
	if first == nil {
		first = fault.New(fault.NotFound, "runner", "no pack is served")
		if pack != "" {
			first = fault.Newf(fault.NotFound, "pack "+pack, "it is not served")
		}
	}
	return nil, nil, first
}

// codeMissing marks a release that this process does not have; another one on the same store may.
const codeMissing = "release_missing"

// pinned finds the release of a session, from the store when it is no longer served.
func (s *Releases) pinned(ctx context.Context, d greentic.Digest) (*Release, error) {
	s.mu.Lock()
	r, ok := s.byDigest[d]
	s.mu.Unlock()
	if ok {
		return r, nil
	}
	if s.store == nil {
		return nil, fault.Newf(fault.NotFound, "release "+d.Short(), "it is not served and none are kept").WithCode(codeMissing)
	}
	v, _, err := s.store.Open(ctx, d, s.policy)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Newf(fault.NotFound, "release "+d.Short(), "it is neither served nor kept by this process").WithCode(codeMissing)
	}
	if err != nil {
		return nil, fault.Wrap("release "+d.Short(), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(v), nil
}

func (s *Releases) dropUnused(ctx context.Context, db kv.DB) error {
	if s.store == nil {
		return nil
	}
	pins, err := session.Pinned(ctx, db)
	if err != nil {
		return err
	}
	s.mu.Lock()
	for _, r := range s.served {
		pins[r.Digest()] = true
	}
	s.mu.Unlock()
	_, err = s.store.DropUnused(ctx, func(d greentic.Digest) bool { return pins[d] })
	return err
}
