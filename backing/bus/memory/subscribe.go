package memory

import (
	"context"
	"slices"
	"sync"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Subscribe implements bus.Bus. Only this process can subscribe, so nobody stands by.
func (b *Bus) Subscribe(ctx context.Context, t greentic.TenantCtx, want bus.Subscription, handle bus.Handler) (func(), error) {
	want, err := want.Check()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	of, err := b.tenant(ctx, t)
	if err != nil {
		return nil, err
	}
	s := of.subs[want.Name]
	if s == nil {
		s = &subscription{}
		of.subs[want.Name] = s
	}
	if s.stop != nil {
		return nil, fault.Newf(fault.Exists, "bus", "the subscription %s runs already", want.Name)
	}
	s.Subscription = want
	s.lanes = bus.NewLanes(ctx, want, handle, bus.LaneOptions{})
	s.stop = sync.OnceFunc(func() { b.end(s) })
	forget := context.AfterFunc(ctx, s.stop)
	of.feed(b, s)
	stop := s.stop
	return func() { forget(); stop() }, nil
}

// end takes the lanes away first, so that nothing is fed to lanes that stop.
func (b *Bus) end(s *subscription) {
	b.mu.Lock()
	lanes := s.lanes
	s.lanes = nil
	b.mu.Unlock()
	lanes.Stop()
	b.mu.Lock()
	s.stop = nil
	b.mu.Unlock()
}

// hold is an entry in the hands of a subscriber.
type hold struct {
	b  *Bus
	of *tenant
	s  *subscription
	*entry
}

// Settle implements bus.Held.
func (h hold) Settle() {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	h.settle()
}

func (h hold) settle() {
	h.s.held--
	h.of.bytes -= len(h.event.Payload)
	h.of.feed(h.b, h.s)
}

// Release implements bus.Held: the entry goes back to its place.
func (h hold) Release() {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	h.s.held--
	i, _ := slices.BinarySearchFunc(h.s.ready, h.seq, func(e *entry, seq uint64) int { return int(int64(e.seq) - int64(seq)) })
	h.s.ready = slices.Insert(h.s.ready, i, h.entry)
}

// Extend implements bus.Held; nobody else is handed what is held here.
func (hold) Extend() {}

// Bury implements bus.Held.
func (h hold) Bury(_ context.Context, why bus.Burial) error {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	h.of.dead = append(h.of.dead, bus.DeadLetter{ID: h.of.nextID(), Subscription: h.s.Name, Event: h.event, Tenant: h.tenant,
		Kind: why.Kind, Reason: why.Reason, Attempts: why.Attempts, Time: h.b.o.Now()})
	h.settle()
	return nil
}
