package bustest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func exists(ctx context.Context, b *Bench) error {
	_, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	_, _, again := open(ctx, b.Bus, acme, quick("s", "a"))
	_, stopBeta, foreign := open(ctx, b.Bus, beta, quick("s", "a"))
	stop()
	if foreign == nil {
		stopBeta()
	}
	_, stop, free := open(ctx, b.Bus, acme, quick("s", "a"))
	if free == nil {
		stop()
	}
	return errors.Join(wantKind("a second subscriber", again, fault.Exists), foreign, free)
}

// blocked publishes three events of one lane and returns while the handler works on the first.
func blocked(ctx context.Context, b bus.Bus) (in inbox, leave chan struct{}, stop func(), err error) {
	in, leave = make(inbox, 10), make(chan struct{})
	entered := make(chan struct{}, 10)
	stop, err = b.Subscribe(ctx, acme, quick("s", "a"), func(ctx context.Context, d bus.Delivery) error {
		entered <- struct{}{}
		select {
		case <-leave:
		case <-ctx.Done():
			return ctx.Err()
		}
		return in.handle(ctx, d)
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if err = publish(ctx, b, acme, event("1", "a", "x"), event("2", "a", "x"), event("3", "a", "y")); err == nil {
		<-entered
		<-entered
	}
	return in, leave, stop, err
}

func stops(ctx context.Context, b *Bench) error {
	in, leave, stop, err := blocked(ctx, b.Bus)
	if err != nil {
		return err
	}
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		err = errors.New("stop did not wait for the handlers")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	<-stopped
	got := map[string]bool{}
	for len(in) > 0 {
		got[(<-in).Event.ID] = true
	}
	if !got["1"] || !got["3"] || got["2"] {
		return errors.Join(err, fmt.Errorf("after stop the handler had %v, want 1 and 3", got))
	}
	again, stop, oerr := open(ctx, b.Bus, acme, quick("s", "a"))
	if oerr != nil {
		return oerr
	}
	defer stop()
	return errors.Join(err, again.want(ctx, "2"), again.nothing())
}

func cancelledHandler(ctx context.Context, b *Bench) error {
	sub, cancel := context.WithCancel(ctx)
	_, _, stop, err := blocked(sub, b.Bus)
	cancel()
	if err != nil {
		return err
	}
	stop()
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	defer stop()
	got := map[string]bool{}
	first := ""
	for range 3 {
		d, err := in.next(ctx)
		if err != nil {
			return err
		}
		if d.Event.Subject == "x" && first == "" {
			first = d.Event.ID
		}
		got[d.Event.ID] = true
	}
	list, err := b.Bus.DeadLetters(ctx, acme, "", 0)
	if first != "1" || len(got) != 3 || len(list) > 0 {
		return errors.Join(err, fmt.Errorf("got %v beginning with %q, and %d dead letters", got, first, len(list)))
	}
	return err
}

func limits(ctx context.Context, b *Bench) error {
	nop := func(context.Context, bus.Delivery) error { return nil }
	e := event("1", "a", "x")
	e.Payload = json.RawMessage(`"` + strings.Repeat("x", bus.MaxPayload) + `"`)
	errs := []error{
		wantKind("long payload", b.Bus.Publish(ctx, acme, e), fault.Invalid),
		wantKind("topic with *", b.Bus.Publish(ctx, acme, event("1", "a.*", "x")), fault.Invalid),
		wantKind("no id", b.Bus.Publish(ctx, acme, event("", "a", "x")), fault.Invalid),
	}
	for what, s := range map[string]bus.Subscription{
		"no topics":         {Name: "s"},
		"no name":           {Topics: []string{"a"}},
		"long name":         {Name: strings.Repeat("n", bus.MaxName+1), Topics: []string{"a"}},
		"bad pattern":       {Name: "s", Topics: []string{"a.>.b"}},
		"negative attempts": {Name: "s", Topics: []string{"a"}, Attempts: -1},
	} {
		_, err := b.Bus.Subscribe(ctx, acme, s, nop)
		errs = append(errs, wantKind(what, err, fault.Invalid))
	}
	return errors.Join(errs...)
}

// every calls each method once.
func every(ctx context.Context, b bus.Bus, t greentic.TenantCtx) map[string]error {
	_, subscribe := b.Subscribe(ctx, t, quick("s", "a"), func(context.Context, bus.Delivery) error { return nil })
	_, list := b.DeadLetters(ctx, t, "", 0)
	return map[string]error{"publish": b.Publish(ctx, t, event("1", "a", "x")), "subscribe": subscribe, "dead letters": list,
		"retry": b.Retry(ctx, t, "1"), "drop": b.Drop(ctx, t, "1")}
}

func badTenant(ctx context.Context, b *Bench) error {
	for _, t := range []greentic.TenantCtx{{}, {Env: "prod"}, {Env: "prod", Tenant: "a/b"}, {Env: "*", Tenant: "a"}} {
		for what, err := range every(ctx, b.Bus, t) {
			if err := wantKind(fmt.Sprintf("%s of %+v", what, t), err, fault.Invalid); err != nil {
				return err
			}
		}
	}
	return nil
}

func canceled(ctx context.Context, b *Bench) error {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for what, err := range every(gone, b.Bus, acme) {
		if err := wantKind(what, err, fault.Canceled); err != nil {
			return err
		}
	}
	return nil
}

func closed(ctx context.Context, b *Bench) error {
	in, leave, _, err := blocked(ctx, b.Bus)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- b.Bus.Close() }()
	select {
	case <-done:
		err = errors.New("close did not wait for the handlers")
		done <- nil
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	if err := errors.Join(err, <-done); err != nil {
		return err
	}
	if len(in) != 2 {
		return fmt.Errorf("close let %d handlers finish, want 2", len(in))
	}
	for what, err := range every(ctx, b.Bus, acme) {
		if err := wantKind(what, err, fault.Unavailable); err != nil {
			return err
		}
	}
	return b.Bus.Close()
}

func (b *Bench) reopen() (err error) {
	if err := b.Bus.Close(); err != nil {
		return err
	}
	b.Bus, err = b.Reopen()
	return err
}

func reopened(ctx context.Context, b *Bench) error {
	_, stop, err := open(ctx, b.Bus, acme, quick("idle", "b"))
	if err != nil {
		return err
	}
	stop()
	if err := publish(ctx, b.Bus, acme, event("b1", "b", "x"), event("b2", "b", "x")); err != nil {
		return err
	}
	if err := b.reopen(); err != nil {
		return err
	}
	idle, stop, err := open(ctx, b.Bus, acme, quick("idle", "b"))
	if err != nil {
		return err
	}
	defer stop()
	return errors.Join(idle.want(ctx, "b1", "b2"), publish(ctx, b.Bus, acme, event("b3", "b", "x")), idle.want(ctx, "b3"), idle.nothing())
}

func reopenedLetters(ctx context.Context, b *Bench) error {
	stop, err := failing(ctx, b.Bus, nil, func(int) error { return fault.New(fault.Denied, "h", "never") })
	if err != nil {
		return err
	}
	defer stop()
	if err := publish(ctx, b.Bus, acme, event("bad", "a", "x")); err != nil {
		return err
	}
	list, err := awaitLetters(ctx, b.Bus, acme, "s", 1)
	if err != nil {
		return err
	}
	if err := b.reopen(); err != nil {
		return err
	}
	again, err := awaitLetters(ctx, b.Bus, acme, "s", 1)
	if err != nil || again[0].ID != list[0].ID || again[0].Reason != list[0].Reason {
		return fmt.Errorf("after reopening %+v, %w", again, err)
	}
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	defer stop()
	return errors.Join(b.Bus.Retry(ctx, acme, again[0].ID), in.want(ctx, "bad"))
}

func reopenedOnce(ctx context.Context, b *Bench) error {
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	err = errors.Join(publish(ctx, b.Bus, acme, event("1", "a", "x")), in.want(ctx, "1"))
	stop()
	if err = errors.Join(err, b.reopen()); err != nil {
		return err
	}
	in, stop, err = open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	defer stop()
	return errors.Join(publish(ctx, b.Bus, acme, event("1", "a", "x"), event("2", "a", "x")), in.want(ctx, "2"), in.nothing())
}
