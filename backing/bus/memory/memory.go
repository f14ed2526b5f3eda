package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Options configures a Bus. The zero value is usable.
type Options struct {
	Now      func() time.Time // nil: time.Now
	MaxBytes int              // of payloads nobody has handled yet, per tenant; 0: 64 MiB
}

// Bus keeps events in memory. Safe for concurrent use.
type Bus struct {
	o Options

	mu      sync.Mutex
	closed  bool
	tenants map[string]*tenant
}

type tenant struct {
	bytes int
	seen  map[string]time.Time // published IDs
	order []string             // of seen, oldest first
	subs  map[string]*subscription
	dead  []bus.DeadLetter
	last  uint64 // sequence of events and of dead letters
}

// subscription is the place of a name in the stream; it outlives its subscribers.
type subscription struct {
	bus.Subscription
	ready []*entry // in order, not held
	held  int
	lanes *bus.Lanes // nil when nothing may be fed
	stop  func()     // nil while nobody subscribes
}

type entry struct {
	seq    uint64
	event  greentic.Event
	tenant greentic.TenantCtx
}

// New makes an empty bus.
func New(o Options) *Bus {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
	}
	return &Bus{o: o, tenants: map[string]*tenant{}}
}

// tenant is called with the lock held.
func (b *Bus) tenant(ctx context.Context, t greentic.TenantCtx) (*tenant, error) {
	scope, err := bus.Scope(t)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap("bus", err)
	}
	if b.closed {
		return nil, fault.New(fault.Unavailable, "bus", "it is closed")
	}
	of := b.tenants[scope]
	if of == nil {
		of = &tenant{seen: map[string]time.Time{}, subs: map[string]*subscription{}}
		b.tenants[scope] = of
	}
	return of, nil
}

// Publish implements bus.Bus.
func (b *Bus) Publish(ctx context.Context, t greentic.TenantCtx, e greentic.Event) error {
	if err := bus.CheckEvent(e); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	of, err := b.tenant(ctx, t)
	if err != nil {
		return err
	}
	now := b.o.Now()
	for len(of.order) > 0 && now.Sub(of.seen[of.order[0]]) >= bus.Window {
		delete(of.seen, of.order[0])
		of.order = of.order[1:]
	}
	if _, repeated := of.seen[e.ID]; repeated {
		return nil
	}
	var wanted []*subscription
	for _, s := range of.subs {
		if s.Wants(e.Topic) {
			wanted = append(wanted, s)
		}
	}
	if of.bytes+len(wanted)*len(e.Payload) > b.o.MaxBytes {
		return fault.Newf(fault.Exhausted, "bus", "events of %d bytes wait to be handled, at most %d are allowed", of.bytes, b.o.MaxBytes)
	}
	of.seen[e.ID] = now
	of.order = append(of.order, e.ID)
	for _, s := range wanted {
		of.append(b, s, t, e)
	}
	return nil
}

func (of *tenant) append(b *Bus, s *subscription, t greentic.TenantCtx, e greentic.Event) {
	of.last++
	of.bytes += len(e.Payload)
	s.ready = append(s.ready, &entry{of.last, own(e), t})
	of.feed(b, s)
}

// own copies what the caller may change.
func own(e greentic.Event) greentic.Event {
	if len(e.Payload) == 0 {
		e.Payload = json.RawMessage("null")
	}
	e.Payload, e.Metadata = bytes.Clone(e.Payload), maps.Clone(e.Metadata)
	return e
}

// feed gives the subscriber what it may hold.
func (of *tenant) feed(b *Bus, s *subscription) {
	for s.lanes != nil && s.held < bus.MaxHeld && len(s.ready) > 0 {
		e := s.ready[0]
		s.ready = s.ready[1:]
		s.held++
		s.lanes.Add(bus.Delivery{Event: own(e.event), Tenant: e.tenant}, hold{b, of, s, e})
	}
}

// DeadLetters implements bus.Bus.
func (b *Bus) DeadLetters(ctx context.Context, t greentic.TenantCtx, name string, limit int) ([]bus.DeadLetter, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, err := b.tenant(ctx, t)
	if err != nil {
		return nil, err
	}
	var list []bus.DeadLetter
	for _, l := range of.dead {
		if (name == "" || l.Subscription == name) && (limit == 0 || len(list) < limit) {
			l.Event = own(l.Event)
			list = append(list, l)
		}
	}
	return list, nil
}

// Retry implements bus.Bus.
func (b *Bus) Retry(ctx context.Context, t greentic.TenantCtx, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, i, err := b.letter(ctx, t, id)
	if err != nil {
		return err
	}
	l := of.dead[i]
	of.dead = slices.Delete(of.dead, i, i+1)
	of.append(b, of.subs[l.Subscription], l.Tenant, l.Event)
	return nil
}

// Drop implements bus.Bus.
func (b *Bus) Drop(ctx context.Context, t greentic.TenantCtx, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, i, err := b.letter(ctx, t, id)
	if err == nil {
		of.dead = slices.Delete(of.dead, i, i+1)
	}
	return err
}

// letter is called with the lock held.
func (b *Bus) letter(ctx context.Context, t greentic.TenantCtx, id string) (*tenant, int, error) {
	of, err := b.tenant(ctx, t)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(of.dead, func(l bus.DeadLetter) bool { return l.ID == id })
	if i < 0 {
		return nil, 0, fault.Newf(fault.NotFound, "bus", "there is no dead letter %q", id)
	}
	return of, i, nil
}

// Close implements bus.Bus.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	var stops []func()
	for _, of := range b.tenants {
		for _, s := range of.subs {
			if s.stop != nil {
				stops = append(stops, s.stop)
			}
		}
	}
	b.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	return nil
}

func (of *tenant) nextID() string {
	of.last++
	return strconv.FormatUint(of.last, 10)
}
