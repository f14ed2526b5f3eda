package bustest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func whole(ctx context.Context, b *Bench) error {
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "orders.>"))
	if err != nil {
		return err
	}
	defer stop()
	e := event("1", "orders.created", "order-7")
	e.CorrelationID, e.Metadata = "corr", map[string]string{"schema_version": "1", "producer": "p"}
	e.Payload = json.RawMessage(`"` + strings.Repeat("<ü&>", (bus.MaxPayload-2)/5) + `"`)
	sent := e
	sent.Payload, sent.Metadata = append(json.RawMessage(nil), e.Payload...), map[string]string{"schema_version": "1", "producer": "p"}
	if err := publish(ctx, b.Bus, bob, sent, greentic.Event{ID: "2", Topic: "orders.none", Type: "t"}); err != nil {
		return err
	}
	sent.Payload[1], sent.Metadata["producer"] = 'X', "changed after publishing"
	got := map[string]bus.Delivery{}
	for range 2 {
		d, err := in.next(ctx)
		if err != nil {
			return err
		}
		got[d.Event.ID] = d
	}
	if d := got["1"]; !reflect.DeepEqual(d.Event, e) || d.Tenant != bob || d.Attempt != 1 {
		return fmt.Errorf("got %s of %v with correlation %q, metadata %v and %d bytes, attempt %d",
			d.Event.ID, d.Tenant, d.Event.CorrelationID, d.Event.Metadata, len(d.Event.Payload), d.Attempt)
	}
	if string(got["2"].Event.Payload) != "null" {
		return fmt.Errorf("no payload arrives as %q, want null", got["2"].Event.Payload)
	}
	return nil
}

func isolation(ctx context.Context, b *Bench) error {
	tenants := []greentic.TenantCtx{acme, beta, test, {Env: "prod", Tenant: "acme.x"}, {Env: "prod.acme", Tenant: "x"}, {Env: "prod", Tenant: "Acme"}}
	inboxes := make([]inbox, len(tenants))
	for i, t := range tenants {
		in, stop, err := open(ctx, b.Bus, t, quick("s", ">"))
		if err != nil {
			return err
		}
		defer stop()
		inboxes[i] = in
	}
	for _, t := range tenants { // one ID for all: it belongs to its tenant
		e := event("same", "x.orders", "lane")
		e.Payload = json.RawMessage(`"` + string(t.Env) + "/" + string(t.Tenant) + `"`)
		if err := publish(ctx, b.Bus, t, e, event("last", "x.orders", "lane")); err != nil {
			return err
		}
	}
	for i, t := range tenants {
		d, err := inboxes[i].next(ctx)
		if err != nil || string(d.Event.Payload) != `"`+string(t.Env)+"/"+string(t.Tenant)+`"` {
			return fmt.Errorf("%s/%s is handed %s, %v", t.Env, t.Tenant, d.Event.Payload, err)
		}
		if err := errors.Join(inboxes[i].want(ctx, "last"), inboxes[i].nothing()); err != nil {
			return err
		}
	}
	return foreignLetters(ctx, b.Bus)
}

func foreignLetters(ctx context.Context, b bus.Bus) error {
	stop, err := b.Subscribe(ctx, acme, quick("dead", "bad"), func(context.Context, bus.Delivery) error { return fault.New(fault.Invalid, "h", "no") })
	if err != nil {
		return err
	}
	defer stop()
	if err := publish(ctx, b, acme, event("bad", "bad", "")); err != nil {
		return err
	}
	mine, err := awaitLetters(ctx, b, acme, "dead", 1)
	if err != nil {
		return err
	}
	for _, t := range []greentic.TenantCtx{beta, test} {
		if list, err := b.DeadLetters(ctx, t, "", 0); err != nil || len(list) > 0 {
			return fmt.Errorf("a stranger sees %d dead letters, %v", len(list), err)
		}
		if err := errors.Join(wantKind("a stranger's retry", b.Retry(ctx, t, mine[0].ID), fault.NotFound),
			wantKind("a stranger's drop", b.Drop(ctx, t, mine[0].ID), fault.NotFound)); err != nil {
			return err
		}
	}
	_, err = awaitLetters(ctx, b, acme, "dead", 1)
	return err
}

func teams(ctx context.Context, b *Bench) error {
	in, stop, err := open(ctx, b.Bus, bob, quick("s", "a"))
	if err != nil {
		return err
	}
	defer stop()
	return errors.Join(publish(ctx, b.Bus, acme, event("1", "a", "x")), in.want(ctx, "1"))
}

func patterns(ctx context.Context, b *Bench) error {
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "orders.*", "*.created", "orders.created", "a.>", "exact"))
	if err != nil {
		return err
	}
	defer stop()
	for i, topic := range []string{"orders.created", "users.created", "orders.gone", "users.gone", "orders", "orders.a.b", "a", "a.b.c", "exact", "exact.not"} {
		if err := publish(ctx, b.Bus, acme, event(fmt.Sprintf("%s-%d", topic, i), topic, "x")); err != nil {
			return err
		}
	}
	got := map[string]bool{}
	for range 5 {
		d, err := in.next(ctx)
		if err != nil {
			return err
		}
		if got[d.Event.Topic] {
			return fmt.Errorf("%s was delivered twice", d.Event.Topic)
		}
		got[d.Event.Topic] = true
	}
	for _, topic := range []string{"orders.created", "users.created", "orders.gone", "a.b.c", "exact"} {
		if !got[topic] {
			return fmt.Errorf("%s is missing in %v", topic, got)
		}
	}
	return in.nothing()
}

func oddNames(ctx context.Context, b *Bench) error {
	odd := greentic.TenantCtx{Env: "Prod.1", Tenant: greentic.TenantID(strings.Repeat("x.", 128))}
	s := quick("My.Sub_-"+strings.Repeat("Z", bus.MaxName-8), "a b.*", "Ä/ö.$x", "=2e.>")
	in, stop, err := open(ctx, b.Bus, odd, s)
	if err != nil {
		return err
	}
	defer stop()
	for i, topic := range []string{"a b.c", "Ä/ö.$x", "=2e.\\%", "a b.\u00a0"} {
		id := fmt.Sprintf("id %d/ü.>*", i)
		if err := errors.Join(publish(ctx, b.Bus, odd, event(id, topic, "sub ject.*>")), in.want(ctx, id)); err != nil {
			return err
		}
	}
	return in.nothing()
}

func fanOut(ctx context.Context, b *Bench) error {
	one, stopOne, err := open(ctx, b.Bus, acme, quick("one", "a"))
	if err != nil {
		return err
	}
	defer stopOne()
	two, stopTwo, err := open(ctx, b.Bus, acme, quick("two", ">"))
	if err != nil {
		return err
	}
	defer stopTwo()
	return errors.Join(publish(ctx, b.Bus, acme, event("1", "a", "x"), event("2", "a", "x")), one.want(ctx, "1", "2"), two.want(ctx, "1", "2"))
}

func fromNow(ctx context.Context, b *Bench) error {
	if err := publish(ctx, b.Bus, acme, event("before", "a", "x")); err != nil {
		return err
	}
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	defer stop()
	return errors.Join(publish(ctx, b.Bus, acme, event("after", "a", "x")), in.want(ctx, "after"), in.nothing())
}

func goesOn(ctx context.Context, b *Bench) error {
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	err = errors.Join(publish(ctx, b.Bus, acme, event("1", "a", "x")), in.want(ctx, "1"))
	stop()
	err = errors.Join(err, publish(ctx, b.Bus, acme, event("2", "a", "x"), event("3", "a", "x")), in.nothing())
	if err != nil {
		return err
	}
	again, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	defer stop()
	return errors.Join(again.want(ctx, "2", "3"), again.nothing())
}

func once(ctx context.Context, b *Bench) error {
	in, stop, err := open(ctx, b.Bus, acme, quick("s", "a"))
	if err != nil {
		return err
	}
	defer stop()
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { errs[i] = publish(ctx, b.Bus, acme, event("1", "a", "x")) })
	}
	all.Wait()
	return errors.Join(errors.Join(errs...), publish(ctx, b.Bus, acme, event("1", "a", "x"), event("2", "a", "x")), in.want(ctx, "1", "2"), in.nothing())
}
