package events

import (
	"context"
	"math"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
)

// How long to wait before the bus is asked again for a subscription.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// subscriber is a subscription of a pack that this process serves.
type subscriber struct {
	relay  *Relay
	tenant greentic.TenantCtx
	pack   string
	asked  pack.Subscription

	after <-chan struct{} // closed when its predecessor has ended; nil: there is none
	end   chan struct{}   // closed: serve no longer
	known chan struct{}   // closed: the bus keeps events for it, or never will
	ended chan struct{}
}

// SubscriptionName is what the bus knows a pack's subscription by: readable, at most
// bus.MaxName bytes, and its own for each pack and id.
func SubscriptionName(packID, id string) string {
	name, sum := packID+"."+id, greentic.DigestOf([]byte(packID + "/" + id)).Hex()[:16]
	return name[:min(len(name), bus.MaxName-len(sum)-1)] + "." + sum
}

func (s *subscriber) name() string { return SubscriptionName(s.pack, s.asked.ID) }

// serve takes events until it is to end. A bus that is away is asked again.
func (s *subscriber) serve() {
	defer close(s.ended)
	if s.after != nil {
		<-s.after
	}
	r := s.relay
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		// Whether the inbox takes an event is no matter of attempts: it does, or the event is bad.
		stop, err := r.bus.Subscribe(r.handling, s.tenant, bus.Subscription{Name: s.name(), Topics: s.asked.Topics, Attempts: math.MaxInt32}, s.handle)
		if err == nil {
			close(s.known)
			<-s.end
			stop()
			return
		}
		again := fault.KindOf(err).Retryable()
		r.log.Error("subscription", "pack", s.pack, "id", s.asked.ID, "retry", again, "error", err)
		if !again {
			close(s.known)
			return
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-s.end:
			t.Stop()
			return
		}
	}
}

// handle gives an event to the inbox. Only then is it settled; one that comes again is a
// duplicate there.
func (s *subscriber) handle(ctx context.Context, d bus.Delivery) error {
	t, err := s.trigger(d)
	if err == nil {
		_, err = s.relay.accept(ctx, t)
	}
	return err
}

// trigger is what an event starts. Events with a subject run one after the other with those of the
// same subscription and subject, in the order of the bus as far as their topic is the same, and
// a flow that waits goes on with the next of them; events without a subject run side by side.
func (s *subscriber) trigger(d bus.Delivery) (greentic.Trigger, error) {
	key := s.name() + "#" + d.Event.ID // no subscription has a # in its name
	if d.Event.Subject != "" {
		key = s.name() + "/" + d.Event.Subject
	}
	t := greentic.Trigger{ID: s.name() + "/" + d.Event.ID, Route: EventRoute, Key: key, Pack: s.pack, Flow: s.asked.Flow}
	return starting(t, d.Tenant, d.Event)
}
