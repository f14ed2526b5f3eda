package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic/fault"
)

// arrivals keeps order where JetStream does not. A server hands a consumer's events out in order,
// but what went to a subscriber that crashed, or was lost with a connection, comes again later, after newer
// events. Deliveries are numbered, so this shows as a gap; then arriving events are held back
// until everything that is pending at the server is in these hands, sorted, and only then handled.
type arrivals struct {
	sub *subscription

	feeding sync.Mutex // whoever puts events into lanes; also guards last, reply, early and until
	last    uint64     // number of the last delivery
	reply   string     // its reply subject
	early   []*hold    // held back
	until   time.Time  // when to wait no longer; zero: no gap
	wake    chan struct{}

	mu       sync.Mutex
	held     map[uint64]*hold // by place in the stream: what the server thinks we work on
	released []*hold          // not handled here any more
}

// hold is an event in the hands of this subscription.
type hold struct {
	s        *subscription
	seq      uint64
	msg      jetstream.Msg // its latest delivery; guarded by arrivals.mu
	delivery bus.Delivery
}

// lostPerAttempt is how many deliveries without an answer count as a failed attempt. Events that only waited
// when a process crashed are lost with the one that may have crashed it.
const lostPerAttempt = 4

// receive is called for one message at a time.
func (a *arrivals) receive(msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		return // not of a stream, so not for us
	}
	a.feeding.Lock()
	defer a.feeding.Unlock()
	if meta.Sequence.Consumer != a.last+1 {
		a.until = time.Now().Add(2 * a.sub.b.o.AckWait)
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
	a.last, a.reply = meta.Sequence.Consumer, msg.Reply()
	h, isNew := a.take(meta.Sequence.Stream, msg)
	if !isNew {
		return
	}
	var e envelope
	if err := json.Unmarshal(msg.Data(), &e); err != nil || bus.CheckEvent(e.Event) != nil {
		a.sub.b.o.Log.Warn("something on the bus is no event; it is skipped", "subject", msg.Subject(), "sequence", h.seq)
		h.Settle()
		return
	}
	retried := strings.HasPrefix(msg.Subject(), "greentic."+retryKind+".")
	if !retried && !a.sub.want.Wants(e.Topic) {
		h.Settle()
		return
	}
	e.Tenant.Env, e.Tenant.Tenant = a.sub.tenant.Env, a.sub.tenant.Tenant // the subject decides whose it is
	h.delivery = bus.Delivery{Event: e.Event, Tenant: e.Tenant, Attempt: int(meta.NumDelivered-1) / lostPerAttempt}
	if a.until.IsZero() {
		a.sub.lanes.Add(h.delivery, h)
	} else {
		a.early = append(a.early, h)
	}
}

// take notes a delivery; one that is in hand already only gets its newer handle.
func (a *arrivals) take(seq uint64, msg jetstream.Msg) (h *hold, isNew bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h := a.held[seq]; h != nil {
		h.msg = msg
		return h, false
	}
	h = &hold{s: a.sub, seq: seq, msg: msg}
	a.held[seq] = h
	return h, true
}

// recoverGaps ends each gap once nothing is missing.
func (s *subscription) recoverGaps() {
	poll := min(max(s.b.o.AckWait/50, 5*time.Millisecond), 200*time.Millisecond)
	for {
		select {
		case <-s.wake:
		case <-s.ended:
			return
		}
		for !s.recovered() {
			select {
			case <-time.After(poll):
			case <-s.ended:
				return
			}
		}
	}
}

// recovered compares what the server waits for with what was in hand all the while it answered.
func (s *subscription) recovered() bool {
	s.mu.Lock()
	before := make([]*hold, 0, len(s.held))
	for _, h := range s.held {
		before = append(before, h)
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	info, err := s.consumer.Info(ctx)

	s.feeding.Lock()
	defer s.feeding.Unlock()
	mine := 0
	s.mu.Lock()
	for _, h := range before {
		if s.held[h.seq] == h {
			mine++
		}
	}
	s.mu.Unlock()
	if (err != nil || info.NumAckPending > mine) && time.Now().Before(s.until) {
		return false
	}
	slices.SortFunc(s.early, func(x, y *hold) int { return int(int64(x.seq) - int64(y.seq)) })
	for _, h := range s.early {
		s.lanes.Add(h.delivery, h)
	}
	s.early, s.until = nil, time.Time{}
	return true
}

// giveBack hands the server what was not handled; nothing arrives any more.
func (a *arrivals) giveBack() {
	for _, h := range append(a.early, a.released...) {
		_ = h.let().Nak()
	}
	a.early, a.released = nil, nil
}

// lastReply is where the last delivery is answered.
func (a *arrivals) lastReply() string {
	a.feeding.Lock()
	defer a.feeding.Unlock()
	return a.reply
}

// let takes the event out of the hands before the server hears of it, so that recovered never
// counts as present what the server no longer waits for.
func (h *hold) let() jetstream.Msg {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	delete(h.s.held, h.seq)
	return h.msg
}

// Settle implements bus.Held. An acknowledgement that is lost makes a repeat, which is recognised.
func (h *hold) Settle() { _ = h.let().Ack() }

// Release implements bus.Held. Lanes release when the subscription ends; while it still pulls, the server
// would hand the event straight back, again and again, until it had been lost too often.
func (h *hold) Release() {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.released = append(h.s.released, h)
}

// Extend implements bus.Held.
func (h *hold) Extend() {
	h.s.mu.Lock()
	msg := h.msg
	h.s.mu.Unlock()
	_ = msg.InProgress()
}

// Bury implements bus.Held: the letter is stored before the event is acknowledged.
func (h *hold) Bury(ctx context.Context, why bus.Burial) error {
	s := h.s
	ctx = context.WithoutCancel(ctx) // the decision is made; put has a deadline of its own
	err := s.b.bury(ctx, s.link, fmt.Sprintf("d/%s/%s/%s/%d", s.tenant.Env, s.tenant.Tenant, s.want.Name, h.seq), bus.DeadLetter{
		Subscription: s.want.Name, Event: h.delivery.Event, Tenant: h.delivery.Tenant,
		Kind: why.Kind, Reason: why.Reason, Attempts: why.Attempts, Time: s.b.o.Now().UTC()})
	if err != nil {
		s.b.o.Log.Warn("a dead letter could not be stored; it is tried again", "subscription", s.want.Name, "error", err)
		return fault.Wrap("dead letter", err)
	}
	h.Settle()
	return nil
}
