package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"greentic.dev/backing/bus"
)

func order(ctx context.Context, b *Bench) error {
	const lanes, each = 7, 30
	var (
		mu   sync.Mutex
		seen = map[string]int{}
		busy = map[string]bool{}
		bad  []error
	)
	done := make(chan struct{}, lanes*each)
	s := quick("s", "a", "b")
	s.Parallel = lanes
	stop, err := b.Bus.Subscribe(ctx, acme, s, func(_ context.Context, d bus.Delivery) error {
		key := d.Event.Topic + d.Event.Subject
		mu.Lock()
		if busy[key] {
			bad = append(bad, fmt.Errorf("two events of %s at a time", key))
		}
		busy[key] = true
		n := seen[key]
		mu.Unlock()
		defer func() { mu.Lock(); busy[key] = false; mu.Unlock() }()
		if n%5 == 3 && d.Attempt == 1 {
			return away() // the lane must not overtake it
		}
		mu.Lock()
		defer mu.Unlock()
		if want := fmt.Sprintf("%s-%d", key, n); d.Event.ID != want {
			bad = append(bad, fmt.Errorf("%s is handed %s, want %s", key, d.Event.ID, want))
		}
		seen[key]++
		done <- struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	defer stop()
	for n := range each {
		for l := range lanes {
			topic, subject := string("ab"[l%2]), fmt.Sprint("s", l/2)
			if err := publish(ctx, b.Bus, acme, event(fmt.Sprintf("%s%s-%d", topic, subject, n), topic, subject)); err != nil {
				return err
			}
		}
	}
	for range lanes * each {
		select {
		case <-done:
		case <-ctx.Done():
			bad = append(bad, errors.New("not every event arrived"))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return errors.Join(bad...)
}

func retryHolds(ctx context.Context, b *Bench) error {
	in := make(inbox, 10)
	heal := make(chan struct{})
	stop, err := b.Bus.Subscribe(ctx, acme, bus.Subscription{Name: "s", Topics: []string{"a"}, Attempts: 1 << 20, Backoff: time.Millisecond},
		func(ctx context.Context, d bus.Delivery) error {
			select {
			case <-heal:
			default:
				if d.Event.ID == "sick" {
					return bus.RetryAfter(away(), time.Millisecond)
				}
			}
			return in.handle(ctx, d)
		})
	if err != nil {
		return err
	}
	defer stop()
	err = errors.Join(publish(ctx, b.Bus, acme, event("sick", "a", "x"), event("behind", "a", "x"), event("other", "a", "y"), event("last", "a", "y")),
		in.want(ctx, "other", "last"), in.nothing())
	close(heal)
	return errors.Join(err, in.want(ctx, "sick", "behind"))
}

func sideBySide(ctx context.Context, b *Bench) error {
	const events = 4
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var inside atomic.Int32
	together := make(chan struct{})
	stop, err := b.Bus.Subscribe(ctx, acme, quick("s", "a"), func(ctx context.Context, d bus.Delivery) error {
		if inside.Add(1) == events {
			close(together)
		}
		select {
		case <-together:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	defer stop()
	for i := range events {
		if err := publish(ctx, b.Bus, acme, event(fmt.Sprint(i), "a", "")); err != nil {
			return err
		}
	}
	select {
	case <-together:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d events are handled at a time, want %d", inside.Load(), events)
	}
}

func parallel(ctx context.Context, b *Bench) error {
	const events = 12
	var mu sync.Mutex
	running, most := 0, 0
	done := make(chan struct{}, events)
	s := quick("s", "a")
	s.Parallel = 2
	stop, err := b.Bus.Subscribe(ctx, acme, s, func(context.Context, bus.Delivery) error {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		time.Sleep(2 * time.Millisecond) // work, so that a third one could begin
		mu.Lock()
		running--
		mu.Unlock()
		done <- struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	defer stop()
	for i := range events {
		if err := publish(ctx, b.Bus, acme, event(fmt.Sprint(i), "a", fmt.Sprint(i))); err != nil {
			return err
		}
	}
	for range events {
		select {
		case <-done:
		case <-ctx.Done():
			return errors.New("not every event arrived")
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if most > 2 {
		return fmt.Errorf("%d handlers at a time, at most 2 are allowed", most)
	}
	return nil
}
