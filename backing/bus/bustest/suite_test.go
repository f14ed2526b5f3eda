package bustest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/bustest"
	"greentic.dev/backing/bus/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// broken is the reference with one promise broken; a nil field breaks nothing.
type broken struct {
	bus.Bus
	tenant  func(greentic.TenantCtx) greentic.TenantCtx
	publish func(ctx context.Context, b bus.Bus, t greentic.TenantCtx, e greentic.Event) error
	want    func(bus.Subscription) bus.Subscription
	handle  func(bus.Handler) bus.Handler
	stop    func(stop func())
	retry   func(b bus.Bus) error
	close   func(b bus.Bus) error
	names   bool // forgets who subscribed
}

func (b *broken) scope(t greentic.TenantCtx) greentic.TenantCtx {
	if b.tenant != nil && t.Check() == nil {
		return b.tenant(t)
	}
	return t
}

func (b *broken) Publish(ctx context.Context, t greentic.TenantCtx, e greentic.Event) error {
	if b.publish != nil {
		return b.publish(ctx, b.Bus, b.scope(t), e)
	}
	return b.Bus.Publish(ctx, b.scope(t), e)
}

func (b *broken) Subscribe(ctx context.Context, t greentic.TenantCtx, s bus.Subscription, h bus.Handler) (func(), error) {
	if b.want != nil {
		s = b.want(s)
	}
	if b.handle != nil {
		h = b.handle(h)
	}
	stop, err := b.Bus.Subscribe(ctx, b.scope(t), s, h)
	if b.names && fault.Is(err, fault.Exists) {
		return func() {}, nil
	}
	if b.stop != nil && err == nil {
		return func() { b.stop(stop) }, nil
	}
	return stop, err
}

func (b *broken) DeadLetters(ctx context.Context, t greentic.TenantCtx, name string, limit int) ([]bus.DeadLetter, error) {
	return b.Bus.DeadLetters(ctx, b.scope(t), name, limit)
}

func (b *broken) Retry(ctx context.Context, t greentic.TenantCtx, id string) error {
	if b.retry != nil {
		return b.retry(b.Bus)
	}
	return b.Bus.Retry(ctx, b.scope(t), id)
}

func (b *broken) Drop(ctx context.Context, t greentic.TenantCtx, id string) error {
	return b.Bus.Drop(ctx, b.scope(t), id)
}

func (b *broken) Close() error {
	if b.close != nil {
		return b.close(b.Bus)
	}
	return b.Bus.Close()
}

// mutants are broken buses by the promise that must notice.
func mutants() map[string]broken {
	without := func(change func(*greentic.Event)) broken {
		return broken{publish: func(ctx context.Context, b bus.Bus, t greentic.TenantCtx, e greentic.Event) error {
			if bus.CheckEvent(e) == nil {
				change(&e)
			}
			return b.Publish(ctx, t, e)
		}}
	}
	handler := func(change func(ctx context.Context, d bus.Delivery, h bus.Handler) error) broken {
		return broken{handle: func(h bus.Handler) bus.Handler {
			return func(ctx context.Context, d bus.Delivery) error { return change(ctx, d, h) }
		}}
	}
	var ids sync.Map
	return map[string]broken{
		"an event arrives whole":                         without(func(e *greentic.Event) { e.CorrelationID = "" }),
		"tenants and environments do not see each other": {tenant: func(t greentic.TenantCtx) greentic.TenantCtx { t.Env = "all"; return t }},
		"team and user do not scope events":              {tenant: func(t greentic.TenantCtx) greentic.TenantCtx { t.Tenant += greentic.TenantID(t.User); return t }},
		"patterns select topics, and two of them deliver once": {want: func(s bus.Subscription) bus.Subscription {
			s.Topics = append(s.Topics[:len(s.Topics):len(s.Topics)], ">")
			return s
		}},
		"names that a transport cannot carry arrive": {publish: func(ctx context.Context, b bus.Bus, t greentic.TenantCtx, e greentic.Event) error {
			e.ID = e.ID[:min(len(e.ID), 2)]
			return b.Publish(ctx, t, e)
		}},
		"every subscription is handed every event": {handle: func(h bus.Handler) bus.Handler {
			return func(ctx context.Context, d bus.Delivery) error {
				if _, taken := ids.LoadOrStore(d.Event.ID, true); taken {
					return nil
				}
				return h(ctx, d)
			}
		}},
		"one ID is delivered once": handler(func(ctx context.Context, d bus.Delivery, h bus.Handler) error {
			return errors.Join(h(ctx, d), h(ctx, d))
		}),
		"a lane is in order and one at a time":                   without(func(e *greentic.Event) { e.Subject = "" }),
		"a retry holds its own lane and no other":                without(func(e *greentic.Event) { e.Subject = "one" }),
		"events without a subject run side by side":              without(func(e *greentic.Event) { e.Subject = "one" }),
		"handlers run up to the limit":                           {want: func(s bus.Subscription) bus.Subscription { s.Parallel = 8; return s }},
		"a poisoned event becomes a dead letter after the limit": {want: func(s bus.Subscription) bus.Subscription { s.Attempts++; return s }},
		"an error not worth a retry becomes a dead letter at once": handler(func(ctx context.Context, d bus.Delivery, h bus.Handler) error {
			return fault.As(fault.Unavailable, "x", h(ctx, d))
		}),
		"a panic becomes a dead letter": handler(func(ctx context.Context, d bus.Delivery, h bus.Handler) error {
			defer func() { _ = recover() }()
			return h(ctx, d)
		}),
		"a given delay is kept": handler(func(ctx context.Context, d bus.Delivery, h bus.Handler) error {
			if h(ctx, d) != nil {
				return fault.New(fault.Unavailable, "x", "the delay is forgotten")
			}
			return nil
		}),
		"a slow handler is not handed the event twice": handler(func(ctx context.Context, d bus.Delivery, h bus.Handler) error {
			return errors.Join(h(ctx, d), h(ctx, d))
		}),
		"a dead letter is retried or dropped":                {retry: func(bus.Bus) error { return nil }},
		"a name runs once":                                   {names: true},
		"stop waits for running handlers and keeps the rest": {stop: func(stop func()) { go stop() }},
		"a cancelled handler loses nothing": handler(func(ctx context.Context, d bus.Delivery, h bus.Handler) error {
			if err := h(ctx, d); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}),
		"limits are refused by name": {publish: func(ctx context.Context, b bus.Bus, t greentic.TenantCtx, e greentic.Event) error {
			if err := b.Publish(ctx, t, e); !fault.Is(err, fault.Invalid) || t.Check() != nil {
				return err
			}
			return nil
		}},
		"a bad tenant is refused": {publish: func(context.Context, bus.Bus, greentic.TenantCtx, greentic.Event) error { return nil }},
		"a canceled context is refused": {publish: func(ctx context.Context, b bus.Bus, t greentic.TenantCtx, e greentic.Event) error {
			return b.Publish(context.WithoutCancel(ctx), t, e)
		}},
		"close waits, and afterwards every call is unavailable": {close: func(b bus.Bus) error { go b.Close(); return nil }},
	}
}

// TestBrokenBusesAreCaughtByName breaks the reference in one way at a time; the promise named
// must notice.
func TestBrokenBusesAreCaughtByName(t *testing.T) {
	for promise, b := range mutants() {
		t.Run(promise, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(bustest.Cases(), func(c bustest.Case) bool { return c.Name == promise })
			if i < 0 {
				t.Fatalf("no promise is called %q", promise)
			}
			b.Bus = memory.New(memory.Options{})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := bustest.Cases()[i].Check(ctx, &bustest.Bench{Bus: &b}); err == nil {
				t.Error("it was broken and nobody noticed")
			}
		})
	}
}

// A bus that keeps nothing breaks every durable promise.
func TestABusThatForgetsIsCaught(t *testing.T) {
	for _, c := range bustest.Cases() {
		if !c.Durable {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		bench := &bustest.Bench{Bus: memory.New(memory.Options{}), Reopen: func() (bus.Bus, error) { return memory.New(memory.Options{}), nil }}
		if err := c.Check(ctx, bench); err == nil {
			t.Errorf("%q: everything was forgotten and nobody noticed", c.Name)
		}
		cancel()
		_ = bench.Bus.Close()
	}
}
