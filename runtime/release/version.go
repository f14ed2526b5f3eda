package release

import (
	"context"
	"maps"
	"slices"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

// Version is a release as operators see it.
type Version struct {
	Digest  greentic.Digest `json:"release"`
	Pack    string          `json:"pack,omitempty"` // empty: it cannot be opened
	Version string          `json:"version,omitempty"`
	Served  bool            `json:"served"` // new sessions take it

	release *Release
}

// Served lists the releases that new sessions take, in the order of selection.
func (s *Set) Served() (list []Version) {
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
func (s *Set) Version(ctx context.Context, d greentic.Digest) Version {
	for _, v := range s.Served() {
		if v.Digest == d {
			return v
		}
	}
	r, err := s.Pinned(ctx, d)
	if err != nil {
		return Version{Digest: d}
	}
	return r.version(false)
}

// Known lists the releases that are served or kept, the served ones first, then by digest.
func (s *Set) Known(ctx context.Context) ([]Version, error) {
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
	return v.release.Flow(id)
}
