package nats

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// group is the one priority group of a consumer: whoever is pinned is served, the others stand by.
const group = "served"

// subscription is a subscriber of this process.
type subscription struct {
	b        *Bus
	link     *link
	tenant   greentic.TenantCtx
	want     bus.Subscription
	stream   *stream
	consumer jetstream.Consumer
	lanes    *bus.Lanes

	stop  func()
	ended chan struct{}
	all   sync.WaitGroup // of the goroutine that recovers

	arrivals
}

// Subscribe implements bus.Bus.
func (b *Bus) Subscribe(ctx context.Context, t greentic.TenantCtx, want bus.Subscription, handle bus.Handler) (func(), error) {
	want, err := want.Check()
	if err != nil {
		return nil, err
	}
	l, err := b.enter(ctx, t)
	if err != nil {
		return nil, err
	}
	defer b.calls.Done()
	scope, _ := bus.Scope(t)
	key := scope + "/" + want.Name
	s := &subscription{b: b, link: l, tenant: t, want: want, ended: make(chan struct{})}
	ready, consume := make(chan struct{}), jetstream.ConsumeContext(nil)
	s.stop = sync.OnceFunc(func() {
		<-ready
		if consume != nil {
			s.end(consume)
		}
		b.mu.Lock()
		delete(b.subs, key)
		b.mu.Unlock()
	})
	b.mu.Lock()
	_, runs := b.subs[key]
	if !runs && !b.closed {
		b.subs[key] = s
	}
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return nil, errClosed()
	}
	if runs {
		return nil, fault.Newf(fault.Exists, "bus", "the subscription %s runs already", want.Name)
	}
	consume, err = s.start(ctx, handle)
	close(ready)
	if err != nil {
		s.stop()
		return nil, err
	}
	forget := context.AfterFunc(ctx, s.stop)
	return func() { forget(); s.stop() }, nil
}

func (s *subscription) start(ctx context.Context, handle bus.Handler) (jetstream.ConsumeContext, error) {
	var err error
	if s.stream, err = s.b.stream(ctx, s.link, s.tenant); err != nil {
		return nil, err
	}
	within, cancel := deadline(ctx)
	defer cancel()
	patience := s.b.o.AckWait
	s.consumer, err = s.stream.CreateOrUpdateConsumer(within, jetstream.ConsumerConfig{
		Durable: escape(s.want.Name), Description: "subscription " + s.want.Name, FilterSubjects: filters(s.tenant, s.want),
		DeliverPolicy: jetstream.DeliverNewPolicy, AckPolicy: jetstream.AckExplicitPolicy, AckWait: patience, MaxDeliver: -1, MaxAckPending: bus.MaxHeld,
		InactiveThreshold: bus.Retention, // a name that nobody serves ends when its events have
		PriorityPolicy:    jetstream.PriorityPolicyPinned, PriorityGroups: []string{group}, PinnedTTL: patience,
	})
	if err != nil {
		return nil, failure(ctx, "subscribe", err)
	}
	s.arrivals = arrivals{sub: s, held: map[uint64]*hold{}, wake: make(chan struct{}, 1)}
	s.lanes = bus.NewLanes(ctx, s.want, handle, bus.LaneOptions{Extend: patience / 4})
	s.all.Go(s.recoverGaps)
	consume, err := s.consumer.Consume(s.receive, jetstream.PullMaxMessages(bus.MaxHeld), jetstream.PullPriorityGroup(group),
		jetstream.PullExpiry(max(patience/3, time.Second)),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			s.b.o.Log.Debug("subscription", "name", s.want.Name, "error", err)
		}))
	if err != nil {
		s.lanes.Stop()
		close(s.ended)
		s.all.Wait()
		return nil, failure(ctx, "subscribe", err)
	}
	return consume, nil
}

// end pulls no more, takes in what is on its way, lets handlers finish and gives the rest back.
func (s *subscription) end(consume jetstream.ConsumeContext) {
	consume.Drain()
	<-consume.Closed()
	close(s.ended)
	s.all.Wait()
	s.lanes.Stop()
	s.giveBack()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	reply := s.lastReply()
	if reply == "" {
		return // nothing was ever handed out here
	}
	// Acknowledgements are processed in order and not answered; this is, once they all are.
	_, _ = s.link.conn.RequestWithContext(ctx, reply, []byte("+WPI"))
	_ = s.stream.UnpinConsumer(ctx, escape(s.want.Name), group) // so that who stands by need not wait
}
