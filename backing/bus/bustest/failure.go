package bustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic/fault"
)

// failing subscribes a handler that fails for the ID "bad" and otherwise accepts.
func failing(ctx context.Context, b bus.Bus, in inbox, fail func(attempt int) error) (stop func(), err error) {
	return b.Subscribe(ctx, acme, quick("s", "a"), func(ctx context.Context, d bus.Delivery) error {
		if d.Event.ID == "bad" {
			return fail(d.Attempt)
		}
		return in.handle(ctx, d)
	})
}

func poison(ctx context.Context, b *Bench) error {
	in, attempts := make(inbox, 10), make(chan int, 10)
	stop, err := failing(ctx, b.Bus, in, func(attempt int) error { attempts <- attempt; return away() })
	if err != nil {
		return err
	}
	defer stop()
	bad := event("bad", "a", "x")
	err = errors.Join(publish(ctx, b.Bus, bob, bad, event("behind", "a", "x"), event("other", "a", "y")))
	if err != nil {
		return err
	}
	got := map[string]bool{}
	for range 2 {
		d, err := in.next(ctx)
		if err != nil {
			return err
		}
		got[d.Event.ID] = true
	}
	list, err := awaitLetters(ctx, b.Bus, acme, "s", 1)
	if err != nil || !got["behind"] || !got["other"] {
		return fmt.Errorf("others got %v, %w", got, err)
	}
	l := list[0]
	if l.Subscription != "s" || l.Event.ID != "bad" || string(l.Event.Payload) != string(bad.Payload) || l.Tenant != bob || l.Attempts != 3 ||
		l.Kind != "unavailable" || !strings.Contains(l.Reason, "the far end is away") || l.ID == "" || l.Time.IsZero() {
		return fmt.Errorf("the dead letter is %+v", l)
	}
	for want := 1; want <= 3; want++ {
		if got := <-attempts; got != want {
			return fmt.Errorf("attempt %d, want %d", got, want)
		}
	}
	if len(attempts) > 0 {
		return errors.New("there were attempts after the limit")
	}
	return nil
}

func hopeless(ctx context.Context, b *Bench) error {
	return firstIsLast(ctx, b.Bus, fault.Invalid, func() error { return fault.New(fault.Invalid, "h", "the handler cannot read it") })
}

func panics(ctx context.Context, b *Bench) error {
	return firstIsLast(ctx, b.Bus, fault.Internal, func() error { panic("the handler cannot read it") })
}

func firstIsLast(ctx context.Context, b bus.Bus, kind fault.Kind, fail func() error) error {
	in, calls := make(inbox, 10), atomic.Int32{}
	stop, err := failing(ctx, b, in, func(int) error { calls.Add(1); return fail() })
	if err != nil {
		return err
	}
	defer stop()
	if err := errors.Join(publish(ctx, b, acme, event("bad", "a", "x"), event("behind", "a", "x")), in.want(ctx, "behind")); err != nil {
		return err
	}
	list, err := awaitLetters(ctx, b, acme, "s", 1)
	if err != nil {
		return err
	}
	if l := list[0]; l.Attempts != 1 || calls.Load() != 1 || l.Kind != kind.String() || !strings.Contains(l.Reason, "the handler cannot read it") {
		return fmt.Errorf("after %d calls the dead letter is %+v", calls.Load(), l)
	}
	return nil
}

func delay(ctx context.Context, b *Bench) error {
	const given = 300 * time.Millisecond
	times := make(chan time.Time, 10)
	stop, err := failing(ctx, b.Bus, nil, func(attempt int) error {
		times <- time.Now()
		if attempt == 1 {
			return bus.RetryAfter(away(), given)
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer stop()
	if err := publish(ctx, b.Bus, acme, event("bad", "a", "x")); err != nil {
		return err
	}
	first := <-times
	select {
	case second := <-times:
		if waited := second.Sub(first); waited < given {
			return fmt.Errorf("the second attempt came after %v, told was %v", waited, given)
		}
		return nil
	case <-ctx.Done():
		return errors.New("there was no second attempt")
	}
}

func slow(ctx context.Context, b *Bench) error {
	in := make(inbox, 10)
	calls := atomic.Int32{}
	stop, err := failing(ctx, b.Bus, in, func(int) error {
		calls.Add(1)
		time.Sleep(2 * b.Patience) // the work itself
		return nil
	})
	if err != nil {
		return err
	}
	defer stop()
	err = errors.Join(publish(ctx, b.Bus, acme, event("bad", "a", "x"), event("behind", "a", "x")), in.want(ctx, "behind"))
	if n := calls.Load(); n != 1 {
		err = errors.Join(err, fmt.Errorf("the slow handler was called %d times", n))
	}
	return err
}

func letters(ctx context.Context, b *Bench) error {
	in, sick := make(inbox, 10), atomic.Bool{}
	sick.Store(true)
	other, stopOther, err := open(ctx, b.Bus, acme, quick("other", "a"))
	if err != nil {
		return err
	}
	defer stopOther()
	stop, err := failing(ctx, b.Bus, in, func(attempt int) error {
		if sick.Load() {
			return fault.New(fault.Denied, "h", "not now")
		}
		in <- bus.Delivery{Event: event("bad", "a", "x"), Attempt: attempt}
		return nil
	})
	if err != nil {
		return err
	}
	defer stop()
	if err := errors.Join(publish(ctx, b.Bus, acme, event("bad", "a", "x")), other.want(ctx, "bad")); err != nil {
		return err
	}
	for range 2 { // retried while still sick it is a dead letter again
		list, err := awaitLetters(ctx, b.Bus, acme, "s", 1)
		if err != nil {
			return err
		}
		if err := b.Bus.Retry(ctx, acme, list[0].ID); err != nil {
			return err
		}
		if err := wantKind("a second retry", b.Bus.Retry(ctx, acme, list[0].ID), fault.NotFound); err != nil {
			return err
		}
	}
	list, err := awaitLetters(ctx, b.Bus, acme, "", 1)
	if err != nil {
		return err
	}
	sick.Store(false)
	if err := errors.Join(b.Bus.Retry(ctx, acme, list[0].ID), in.want(ctx, "bad")); err != nil {
		return err
	}
	sick.Store(true)
	if err := errors.Join(other.nothing(), publish(ctx, b.Bus, acme, event("1", "a", "y")), other.want(ctx, "1")); err != nil {
		return err
	}
	return dropLetters(ctx, b.Bus)
}

func dropLetters(ctx context.Context, b bus.Bus) error {
	stop, err := b.Subscribe(ctx, acme, quick("drop", "d"), func(context.Context, bus.Delivery) error { return fault.New(fault.Denied, "h", "never") })
	if err != nil {
		return err
	}
	defer stop()
	if err := publish(ctx, b, acme, event("d1", "d", "x"), event("d2", "d", "x"), event("d3", "d", "x")); err != nil {
		return err
	}
	list, err := awaitLetters(ctx, b, acme, "drop", 3)
	if err != nil {
		return err
	}
	if list[0].Event.ID != "d1" || list[2].Event.ID != "d3" {
		return fmt.Errorf("the oldest is %s and the newest %s", list[0].Event.ID, list[2].Event.ID)
	}
	if two, err := b.DeadLetters(ctx, acme, "drop", 2); err != nil || len(two) != 2 {
		return fmt.Errorf("of at most 2 there are %d, %w", len(two), err)
	}
	err = errors.Join(b.Drop(ctx, acme, list[1].ID), wantKind("a second drop", b.Drop(ctx, acme, list[1].ID), fault.NotFound),
		wantKind("a letter that never was", b.Drop(ctx, acme, "no such"), fault.NotFound))
	rest, lerr := b.DeadLetters(ctx, acme, "drop", 0)
	if len(rest) != 2 || rest[0].ID != list[0].ID || rest[1].ID != list[2].ID {
		return fmt.Errorf("after a drop there are %d", len(rest))
	}
	return errors.Join(err, lerr)
}
