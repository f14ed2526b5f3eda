package system

import (
	"context"

	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/runtime/operate"
)

// Follow takes the open conversations of the tenant to the releases that are served now, for dev, and
// forgets releases that nobody needs any more. Those said to be busy are to be tried again.
func (s *System) Follow(ctx context.Context) (all []operate.Followed, err error) {
	for _, v := range s.releases.Served() {
		some, err := s.operator().Follow(ctx, s.Tenant(), v)
		if all = append(all, some...); err != nil {
			return all, err
		}
	}
	pins, err := session.Pinned(ctx, s.db)
	if err != nil {
		return all, err
	}
	s.releases.Forget(func(d greentic.Digest) bool { return pins[d] })
	return all, nil
}
