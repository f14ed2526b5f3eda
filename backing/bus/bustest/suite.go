package bustest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Bench is what a case works on.
type Bench struct {
	Bus bus.Bus
	// Reopen makes another bus over the same place, after Bus was closed; nil when there is none.
	Reopen func() (bus.Bus, error)
	// Patience is after how long without a sign of life the backend hands an event out again; 0: never.
	Patience time.Duration
}

// Open makes a bench over a fresh place; the suite closes its bus.
type Open func(t *testing.T) *Bench

// Case is one promise. Check returns what was broken. Durable ones need Reopen.
type Case struct {
	Name    string
	Durable bool
	Check   func(ctx context.Context, b *Bench) error
}

// Run checks every promise on fresh buses.
func Run(t *testing.T, open Open) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			b := open(t)
			defer func() {
				if err := b.Bus.Close(); err != nil {
					t.Error(err)
				}
			}()
			if c.Durable && b.Reopen == nil {
				t.Skip("this backend keeps nothing by design")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			if err := c.Check(ctx, b); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Cases is the contract as a list of promises.
func Cases() []Case {
	return []Case{
		{"an event arrives whole", false, whole},
		{"tenants and environments do not see each other", false, isolation},
		{"team and user do not scope events", false, teams},
		{"patterns select topics, and two of them deliver once", false, patterns},
		{"names that a transport cannot carry arrive", false, oddNames},
		{"every subscription is handed every event", false, fanOut},
		{"a subscription begins with what is published from then on", false, fromNow},
		{"a subscription goes on where it was", false, goesOn},
		{"one ID is delivered once", false, once},
		{"a lane is in order and one at a time", false, order},
		{"a retry holds its own lane and no other", false, retryHolds},
		{"events without a subject run side by side", false, sideBySide},
		{"handlers run up to the limit", false, parallel},
		{"a poisoned event becomes a dead letter after the limit", false, poison},
		{"an error not worth a retry becomes a dead letter at once", false, hopeless},
		{"a panic becomes a dead letter", false, panics},
		{"a given delay is kept", false, delay},
		{"a slow handler is not handed the event twice", false, slow},
		{"a dead letter is retried or dropped", false, letters},
		{"a name runs once", false, exists},
		{"stop waits for running handlers and keeps the rest", false, stops},
		{"a cancelled handler loses nothing", false, cancelledHandler},
		{"limits are refused by name", false, limits},
		{"a bad tenant is refused", false, badTenant},
		{"a canceled context is refused", false, canceled},
		{"close waits, and afterwards every call is unavailable", false, closed},
		{"reopening keeps events, their order and the place of a name", true, reopened},
		{"reopening keeps dead letters", true, reopenedLetters},
		{"an ID published before reopening is recognised", true, reopenedOnce},
	}
}

var (
	acme = greentic.TenantCtx{Env: "prod", Tenant: "acme"}
	beta = greentic.TenantCtx{Env: "prod", Tenant: "beta"}
	test = greentic.TenantCtx{Env: "test", Tenant: "acme"}
	bob  = greentic.TenantCtx{Env: "prod", Tenant: "acme", Team: "sales", User: "bob", CorrelationID: "c-1"}
)

// away is a failure worth another attempt.
func away() error { return fault.New(fault.Unavailable, "handler", "the far end is away") }

func event(id, topic, subject string) greentic.Event {
	return greentic.Event{ID: id, Topic: topic, Type: "cap://greentic/events/test/" + topic, Source: "bustest", Subject: subject,
		Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Payload: json.RawMessage(`{"id":"` + id + `"}`)}
}

func quick(name string, topics ...string) bus.Subscription {
	return bus.Subscription{Name: name, Topics: topics, Attempts: 3, Backoff: time.Millisecond}
}

func publish(ctx context.Context, b bus.Bus, t greentic.TenantCtx, events ...greentic.Event) error {
	for _, e := range events {
		if err := b.Publish(ctx, t, e); err != nil {
			return fmt.Errorf("publish %s: %w", e.ID, err)
		}
	}
	return nil
}

// inbox is a handler that accepts everything and shows it.
type inbox chan bus.Delivery

func (i inbox) handle(_ context.Context, d bus.Delivery) error { i <- d; return nil }

// open subscribes an inbox.
func open(ctx context.Context, b bus.Bus, t greentic.TenantCtx, s bus.Subscription) (inbox, func(), error) {
	in := make(inbox, 1000)
	stop, err := b.Subscribe(ctx, t, s, in.handle)
	return in, stop, err
}

func (i inbox) next(ctx context.Context) (bus.Delivery, error) {
	select {
	case d := <-i:
		return d, nil
	case <-ctx.Done():
		return bus.Delivery{}, errors.New("an event did not arrive")
	}
}

// want takes events and compares their IDs, in order.
func (i inbox) want(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		d, err := i.next(ctx)
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", id, err)
		}
		if d.Event.ID != id {
			return fmt.Errorf("got %s, want %s", d.Event.ID, id)
		}
	}
	return nil
}

// nothing says that the inbox is empty. Callers have waited for something later.
func (i inbox) nothing() error {
	select {
	case d := <-i:
		return fmt.Errorf("%s was delivered and should not", d.Event.ID)
	default:
		return nil
	}
}

func wantKind(what string, err error, kind fault.Kind) error {
	if !fault.Is(err, kind) {
		return fmt.Errorf("%s: %v, want %s", what, err, kind)
	}
	return nil
}

// awaitLetters polls until a subscription has n dead letters: a backend buries after the handler returned.
func awaitLetters(ctx context.Context, b bus.Bus, t greentic.TenantCtx, name string, n int) ([]bus.DeadLetter, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := b.DeadLetters(ctx, t, name, 0)
		if err != nil || len(list) >= n {
			if len(list) > n {
				err = fmt.Errorf("%d dead letters, want %d", len(list), n)
			}
			return list, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%d dead letters, want %d", len(list), n)
		}
	}
}
