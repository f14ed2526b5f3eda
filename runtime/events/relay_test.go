package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/memory"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inbox takes triggers unless refuse says no to one, which is asked for each attempt.
type inbox struct {
	refuse func(t greentic.Trigger, attempt int) error
	got    chan greentic.Trigger

	mu       sync.Mutex
	attempts map[string]int
}

func newInbox() *inbox {
	return &inbox{got: make(chan greentic.Trigger, 100), attempts: map[string]int{}}
}

func (i *inbox) accept(_ context.Context, t greentic.Trigger) (greentic.Receipt, error) {
	i.mu.Lock()
	i.attempts[t.ID]++
	n := i.attempts[t.ID]
	i.mu.Unlock()
	if i.refuse != nil {
		if err := i.refuse(t, n); err != nil {
			return greentic.Receipt{}, err
		}
	}
	i.got <- t
	return greentic.Receipt{ID: t.ID}, nil
}

func relay(t *testing.T, b bus.Bus, i *inbox) *events.Relay {
	r := events.NewRelay(b, i.accept, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		r.Stop(context.Background())
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

var orders = events.Declared{Pack: "shop", Subscriptions: []pack.Subscription{{ID: "orders", Topics: []string{"orders.>"}, Flow: "pack"}}}

func event(id, topic, subject string) *greentic.Event {
	return &greentic.Event{ID: id, Topic: topic, Type: topic, Subject: subject, CorrelationID: "c-" + id, Payload: json.RawMessage(`{"n":1}`)}
}

// publish delivers an event as the outbox does: until it is taken.
func publish(t *testing.T, r *events.Relay, e *greentic.Event) {
	t.Helper()
	tenant := greentic.DefaultTenant()
	tenant.Team, tenant.Session, tenant.Attempt, tenant.IdempotencyKey = "sales", "k", 3, "x"
	for {
		err := r.Deliver(t.Context(), queue.Outgoing{ID: e.ID, Tenant: tenant, Route: "bus", Event: e})
		if err == nil {
			return
		}
		if !fault.Is(err, fault.Unavailable) || t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // between attempts
	}
}

func next(t *testing.T, i *inbox) greentic.Trigger {
	t.Helper()
	select {
	case got := <-i.got:
		return got
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}

func TestAnEventBecomesATriggerOfTheSubscribedFlow(t *testing.T) {
	i := newInbox()
	r := relay(t, memory.New(memory.Options{}), i)
	r.Sync(greentic.DefaultTenant(), []events.Declared{orders})
	publish(t, r, event("0", "returns.created", "order 7"))
	name := events.SubscriptionName("shop", "orders")
	for _, want := range []struct{ id, subject, key string }{{"1", "order 7", name + "/order 7"}, {"2", "", name + "#2"}} {
		publish(t, r, event(want.id, "orders.eu.created", want.subject))
		got := next(t, i)
		if got.ID != name+"/"+want.id || got.Key != want.key || got.Kind != greentic.KindEvent || got.Route != "event" || got.Pack != "shop" || got.Flow != "pack" ||
			queue.Check(got) != nil {
			t.Errorf("%+v", got)
		}
		tenant := greentic.TenantCtx{Env: "local", Tenant: "demo", Team: "sales", CorrelationID: "c-" + want.id}
		var e events.Envelope
		if err := json.Unmarshal(got.Body, &e); err != nil || got.Tenant != tenant || e.Tenant != tenant || e.ID != want.id || e.Topic != "orders.eu.created" || string(e.Payload) != `{"n":1}` {
			t.Errorf("%+v %s %v", got.Tenant, got.Body, err)
		}
	}
}

// An event is settled only when the inbox has it, however long that takes; one that the inbox can
// never take is a dead letter of the bus and holds nobody up.
func TestTheInboxDecidesWhatBecomesOfAnEvent(t *testing.T) {
	i := newInbox()
	i.refuse = func(tr greentic.Trigger, attempt int) error {
		switch {
		case strings.HasSuffix(tr.ID, "/bad"):
			return fault.New(fault.Invalid, "accept", "a bad event")
		case strings.HasSuffix(tr.ID, "/early") && attempt < 3:
			return fault.New(fault.Unavailable, "accept", "the store is away")
		}
		return nil
	}
	b := memory.New(memory.Options{})
	r := relay(t, b, i)
	r.Sync(greentic.DefaultTenant(), []events.Declared{orders})
	for _, id := range []string{"bad", "early", "late"} {
		publish(t, r, event(id, "orders.created", "7"))
	}
	for _, want := range []string{"early", "late"} {
		if got := next(t, i); !strings.HasSuffix(got.ID, "/"+want) {
			t.Errorf("%s arrived, want %s", got.ID, want)
		}
	}
	letters, err := b.DeadLetters(t.Context(), greentic.DefaultTenant(), "", 0)
	if err != nil || len(letters) != 1 || letters[0].Event.ID != "bad" || letters[0].Subscription != events.SubscriptionName("shop", "orders") || letters[0].Attempts != 1 {
		t.Errorf("%+v %v", letters, err)
	}
	for id, n := range i.attempts {
		if want := map[string]int{"bad": 1, "early": 3, "late": 1}[id[strings.LastIndex(id, "/")+1:]]; n != want {
			t.Errorf("%s was tried %d times, want %d", id, n, want)
		}
	}
}

// away is a bus whose server cannot be reached for some calls of Subscribe.
type away struct {
	bus.Bus
	mu    sync.Mutex
	fails int
	kind  fault.Kind
}

func (a *away) Subscribe(ctx context.Context, t greentic.TenantCtx, s bus.Subscription, h bus.Handler) (func(), error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fails--; a.fails >= 0 {
		return nil, fault.New(a.kind, "bus", "away")
	}
	return a.Bus.Subscribe(ctx, t, s, h)
}

func TestNothingIsPublishedBeforeTheBusKnowsTheSubscriptions(t *testing.T) {
	i := newInbox()
	r := relay(t, &away{Bus: memory.New(memory.Options{}), fails: 1, kind: fault.Unavailable}, i)
	r.Sync(greentic.DefaultTenant(), []events.Declared{orders})
	err := r.Deliver(t.Context(), queue.Outgoing{ID: "1", Tenant: greentic.DefaultTenant(), Event: event("1", "orders.created", "")})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "orders") {
		t.Fatalf("published into the void: %v", err)
	}
	publish(t, r, event("1", "orders.created", ""))
	if got := next(t, i); !strings.HasSuffix(got.ID, "/1") {
		t.Error(got.ID)
	}
}

func TestASubscriptionTheBusRefusesForGoodHoldsNothingUp(t *testing.T) {
	r := relay(t, &away{Bus: memory.New(memory.Options{}), fails: 1, kind: fault.Invalid}, newInbox())
	r.Sync(greentic.DefaultTenant(), []events.Declared{orders})
	publish(t, r, event("1", "orders.created", ""))
}

func TestOnlyEventsArePublishedAndOnlyGoodOnes(t *testing.T) {
	r := relay(t, memory.New(memory.Options{}), newInbox())
	if err := r.Deliver(t.Context(), queue.Outgoing{ID: "1", Tenant: greentic.DefaultTenant()}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a reply: %v", err)
	}
	if err := r.Deliver(t.Context(), queue.Outgoing{ID: "1", Tenant: greentic.DefaultTenant(), Event: event("1", "a..b", "")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a bad topic: %v", err)
	}
}

func TestSubscriptionsFollowWhatIsServed(t *testing.T) {
	i := newInbox()
	r := relay(t, memory.New(memory.Options{}), i)
	other := orders
	other.Pack = "warehouse"
	moved := events.Declared{Pack: "shop", Subscriptions: []pack.Subscription{{ID: "orders", Topics: []string{"orders.*"}, Flow: "pack2"}}}
	for n, step := range []struct {
		packs []events.Declared
		want  string
	}{
		{[]events.Declared{orders}, "shop/pack"},
		{[]events.Declared{orders, other}, "shop/pack warehouse/pack"},
		{[]events.Declared{moved, other}, "shop/pack2 warehouse/pack"},
		{[]events.Declared{moved}, "shop/pack2"},
	} {
		r.Sync(greentic.DefaultTenant(), step.packs)
		r.Sync(greentic.TenantCtx{Env: "local", Tenant: "other"}, []events.Declared{other}) // a tenant of its own
		publish(t, r, event(fmt.Sprint(n), "orders.created", ""))
		var got []string
		for range strings.Fields(step.want) {
			one := next(t, i)
			if !strings.HasSuffix(one.Key, "#"+fmt.Sprint(n)) {
				t.Errorf("step %d: %s", n, one.ID)
			}
			got = append(got, one.Pack+"/"+one.Flow)
		}
		if len(got) == 2 && got[0] > got[1] {
			got[0], got[1] = got[1], got[0]
		}
		if strings.Join(got, " ") != step.want {
			t.Errorf("step %d: %v, want %s", n, got, step.want)
		}
	}
	r.Stop(t.Context())
	if len(i.got) > 0 {
		t.Errorf("also arrived: %+v", <-i.got)
	}
}

func TestStopWaitsForWhatIsBeingAccepted(t *testing.T) {
	i := newInbox()
	reached, leave := make(chan struct{}), make(chan struct{})
	i.refuse = func(greentic.Trigger, int) error { close(reached); <-leave; return nil }
	r := relay(t, memory.New(memory.Options{}), i)
	r.Sync(greentic.DefaultTenant(), []events.Declared{orders})
	publish(t, r, event("1", "orders.created", ""))
	<-reached
	stopped := make(chan struct{})
	go func() { r.Stop(t.Context()); close(stopped) }()
	publish(t, r, event("2", "orders.created", "")) // what is drained may still emit
	select {
	case <-stopped:
		t.Fatal("it did not wait")
	default:
	}
	close(leave)
	<-stopped
	if got := next(t, i); !strings.HasSuffix(got.ID, "/1") {
		t.Error(got.ID)
	}
}

func TestSubscriptionsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]string{}
	for _, c := range []struct{ pack, id string }{{"a", "b"}, {"a.b", "c"}, {"a", "b.c"}, {strings.Repeat("p", 256), "a"}, {strings.Repeat("p", 256), "b"}} {
		name := events.SubscriptionName(c.pack, c.id)
		if _, err := (bus.Subscription{Name: name, Topics: []string{"a"}}).Check(); err != nil {
			t.Error(err)
		}
		if before, taken := seen[name]; taken {
			t.Errorf("%v and %s are both %s", c, before, name)
		}
		seen[name] = fmt.Sprint(c)
	}
}
