package release

import (
	"context"
	"maps"
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

// Set holds the packs that are served, in the order they were named, and reopens older
// ones for the sessions pinned to them. It is safe for concurrent use.
type Set struct {
	host   *host.Host
	store  *loader.Store // nil: nothing is kept, sessions end with the process
	policy loader.Policy
	grants []egress.Grant

	mu       sync.Mutex
	served   []*Release
	byDigest map[greentic.Digest]*Release
}

// New serves nothing yet. grants are the hosts every component may call.
func New(h *host.Host, store *loader.Store, policy loader.Policy, grants []egress.Grant) *Set {
	return &Set{host: h, store: store, policy: policy, grants: grants, byDigest: map[greentic.Digest]*Release{}}
}

// Serve offers a pack to new sessions, in place of one with the same id.
func (s *Set) Serve(ctx context.Context, v *loader.Verified) (*Release, error) {
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

// Peek makes a verified pack ready to run without serving or keeping it.
func (s *Set) Peek(v *loader.Verified) *Release {
	return &Release{verified: v, host: s.host, hosts: s.grants, components: map[string]*loading{}}
}

func (s *Set) add(v *loader.Verified) *Release {
	if r, ok := s.byDigest[v.Digest()]; ok {
		return r
	}
	r := s.Peek(v)
	s.byDigest[v.Digest()] = r
	return r
}

// Choose selects pack and flow for a new session: the first pack that has one, among those
// called pack unless that is empty. A digest demands that very release, served or kept.
func (s *Set) Choose(ctx context.Context, pack, explicit string, digest greentic.Digest) (*Release, *flow.Flow, error) {
	s.mu.Lock()
	served := slices.Clone(s.served)
	s.mu.Unlock()
	if digest != "" {
		r, err := s.Pinned(ctx, digest)
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

// CodeMissing marks a release that this process does not have; another one on the same store may.
const CodeMissing = "release_missing"

// Pinned finds the release of a session, from the store when it is no longer served.
func (s *Set) Pinned(ctx context.Context, d greentic.Digest) (*Release, error) {
	s.mu.Lock()
	r, ok := s.byDigest[d]
	s.mu.Unlock()
	if ok {
		return r, nil
	}
	if s.store == nil {
		return nil, fault.Newf(fault.NotFound, "release "+d.Short(), "it is not served and none are kept").WithCode(CodeMissing)
	}
	v, _, err := s.store.Open(ctx, d, s.policy)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Newf(fault.NotFound, "release "+d.Short(), "it is neither served nor kept by this process").WithCode(CodeMissing)
	}
	if err != nil {
		return nil, fault.Wrap("release "+d.Short(), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(v), nil
}

// Forget drops from memory what is neither served nor wanted. Packs that are kept are opened again
// when a session asks for them.
func (s *Set) Forget(wanted func(greentic.Digest) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.byDigest, func(d greentic.Digest, r *Release) bool { return !wanted(d) && !slices.Contains(s.served, r) })
}

func (s *Set) DropUnused(ctx context.Context, db kv.DB) error {
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
