package system

import (
	"context"
	"slices"

	"greentic.dev/runtime/events"
	"greentic.dev/runtime/loader"
)

// declare notes what a pack asks for, in place of an earlier version of it.
func (s *System) declare(v *loader.Verified) {
	d := events.Declared{Pack: v.Archive().ID(), Digest: v.Digest()}
	d.Schedules, d.Subscriptions = v.Archive().Events()
	s.declared = append(slices.DeleteFunc(s.declared, func(old events.Declared) bool { return old.Pack == d.Pack }), d)
}

// startEvents runs before anything fires that is no longer declared, and before anything is
// emitted that a subscription should get. Where nothing is declared it opens nothing.
func (s *System) startEvents(ctx context.Context) error {
	if err := s.schedules.Sync(ctx, s.Tenant(), s.declared); err != nil {
		return err
	}
	s.relay.Sync(s.Tenant(), s.declared)
	return nil
}
