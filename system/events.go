package system

import (
	"context"
	"slices"
	"sync"

	"greentic.dev/runtime/events"
	"greentic.dev/runtime/loader"
)

// declarations is what the served packs ask for.
type declarations struct {
	mu   sync.Mutex
	list []events.Declared
	live bool // the process has started: changes take effect at once
}

// declare notes what a pack asks for, in place of an earlier version of it.
func (s *System) declare(ctx context.Context, v *loader.Verified) error {
	d := events.Declared{Pack: v.Archive().ID(), Digest: v.Digest()}
	d.Schedules, d.Subscriptions = v.Archive().Events()
	s.declared.mu.Lock()
	defer s.declared.mu.Unlock()
	s.declared.list = append(slices.DeleteFunc(s.declared.list, func(old events.Declared) bool { return old.Pack == d.Pack }), d)
	if !s.declared.live {
		return nil
	}
	return s.syncEvents(ctx)
}

// startEvents runs before anything fires that is no longer declared, and before anything is
// emitted that a subscription should get. Where nothing is declared it opens nothing.
func (s *System) startEvents(ctx context.Context) error {
	s.declared.mu.Lock()
	defer s.declared.mu.Unlock()
	s.declared.live = true
	return s.syncEvents(ctx)
}

func (s *System) syncEvents(ctx context.Context) error {
	if err := s.schedules.Sync(ctx, s.Tenant(), s.declared.list); err != nil {
		return err
	}
	s.relay.Sync(s.Tenant(), s.declared.list)
	return nil
}
