package events

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Relay carries events from the outbox to the bus and from the bus to the inbox. The zero value
// is not usable; it is safe for concurrent use.
type Relay struct {
	bus    bus.Bus
	accept func(context.Context, greentic.Trigger) (greentic.Receipt, error)
	log    *slog.Logger

	handling context.Context // of handlers
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	subs    map[string]*subscriber // by scope and name
}

// NewRelay subscribes to nothing yet. accept is the runner's.
func NewRelay(b bus.Bus, accept func(context.Context, greentic.Trigger) (greentic.Receipt, error), log *slog.Logger) *Relay {
	r := &Relay{bus: b, accept: accept, log: log, subs: map[string]*subscriber{}}
	r.handling, r.cancel = context.WithCancel(context.Background())
	return r
}

// Deliver implements runner.Deliverer: it publishes an event under the event's id, so that the bus
// and, later, the inbox recognise a repeat. Until the bus knows every subscription of this process
// it is fault.Unavailable: an event that goes out earlier would pass them by.
func (r *Relay) Deliver(ctx context.Context, o queue.Outgoing) error {
	if o.Event == nil {
		return fault.New(fault.Unsupported, "bus", "a reply is no event")
	}
	if s := r.unknown(); s != nil {
		return fault.Newf(fault.Unavailable, "bus", "it does not know subscription %s of pack %s yet", s.asked.ID, s.pack)
	}
	return r.bus.Publish(ctx, whom(o.Tenant), *o.Event)
}

func (r *Relay) unknown() *subscriber {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.subs {
		select {
		case <-s.known:
		default:
			return s
		}
	}
	return nil
}

// Sync serves the subscriptions of the packs a tenant is served, and no others of it: when it
// returns, those that are gone are handed nothing any more. It does not wait for the bus to know
// new ones; one that is away is asked again until Stop.
func (r *Relay) Sync(tenant greentic.TenantCtx, packs []Declared) {
	for _, old := range r.replace(tenant, packs) {
		<-old.ended
	}
}

// replace starts what is new and says what is to end.
func (r *Relay) replace(tenant greentic.TenantCtx, packs []Declared) (gone []*subscriber) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return nil
	}
	scope := string(tenant.Env) + "/" + string(tenant.Tenant) + "/"
	want := map[string]*subscriber{}
	for _, d := range packs {
		for _, asked := range d.Subscriptions {
			want[scope+SubscriptionName(d.Pack, asked.ID)] = &subscriber{relay: r, tenant: whom(tenant), pack: d.Pack, asked: asked,
				end: make(chan struct{}), known: make(chan struct{}), ended: make(chan struct{})}
		}
	}
	for key, old := range r.subs {
		if old.tenant.Env != tenant.Env || old.tenant.Tenant != tenant.Tenant {
			continue
		}
		if s := want[key]; s != nil {
			if s.asked.Flow == old.asked.Flow && slices.Equal(s.asked.Topics, old.asked.Topics) {
				delete(want, key)
				continue
			}
			s.after = old.ended
		}
		close(old.end)
		gone = append(gone, old)
		delete(r.subs, key)
	}
	for key, s := range want {
		r.subs[key] = s
		r.running.Go(s.serve)
	}
	return gone
}

// Stop hands out no further event, lets those that are being accepted finish and waits; when ctx
// ends first they are interrupted and come again. Deliver goes on.
func (r *Relay) Stop(ctx context.Context) {
	r.mu.Lock()
	if !r.stopped {
		r.stopped = true
		for _, s := range r.subs {
			close(s.end)
		}
	}
	r.mu.Unlock()
	release := context.AfterFunc(ctx, r.cancel)
	r.running.Wait()
	release()
	r.cancel()
}
