package bus

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"greentic.dev/greentic/fault"
)

// Held is an event that a backend has given into the hands of a subscription. Exactly one of
// Settle, Bury (until it succeeds) and Release ends that; none is called concurrently for one event,
// except Extend, which may come at any time and must not call the lanes.
type Held interface {
	Settle()                            // it was handled
	Release()                           // it was not: the next subscriber gets it
	Extend()                            // it is still being worked on
	Bury(context.Context, Burial) error // it is a dead letter; an error means it is not yet
}

// Burial is why an event became a dead letter.
type Burial struct {
	Kind     string
	Reason   string
	Attempts int
}

// LaneOptions configures Lanes.
type LaneOptions struct {
	Extend time.Duration  // how often held events are extended; 0: never
	Random func() float64 // jitter, in [0, 1); nil: math/rand
}

// Lanes hands the events of one subscription to its handler: lanes in order and one at a time,
// different lanes side by side, failures back to their lane or to the dead letters. Backends give it
// what arrives, at most MaxHeld at a time. Safe for concurrent use.
type Lanes struct {
	sub    Subscription
	handle Handler
	o      LaneOptions
	ctx    context.Context // of the handlers

	stop  chan struct{}
	once  sync.Once
	slots chan struct{}
	all   sync.WaitGroup // of the lanes

	empty     chan struct{}
	extending sync.WaitGroup

	mu      sync.Mutex
	lanes   map[lane][]*held // a lane that is here has a goroutine
	alone   uint64           // names the lanes of events without a subject
	inHand  map[*held]struct{}
	handled recent
}

type lane struct {
	topic, subject string
	alone          uint64
}

type held struct {
	Held
	delivery Delivery
}

// NewLanes starts no work; s must have been checked. ctx is the handlers'; when it ends, no
// further handler starts. The owner calls Stop.
func NewLanes(ctx context.Context, s Subscription, handle Handler, o LaneOptions) *Lanes {
	if o.Random == nil {
		o.Random = rand.Float64
	}
	l := &Lanes{sub: s, handle: handle, o: o, ctx: ctx, stop: make(chan struct{}), empty: make(chan struct{}), slots: make(chan struct{}, s.Parallel),
		lanes: map[lane][]*held{}, inHand: map[*held]struct{}{}, handled: recent{has: map[string]struct{}{}}}
	if o.Extend > 0 {
		l.extending.Go(l.extend)
	}
	return l
}

// Add puts an event at the end of its lane; d.Attempt attempts count already. After Stop it is released.
func (l *Lanes) Add(d Delivery, h Held) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.stop:
		h.Release()
		return
	default:
	}
	key := lane{topic: d.Event.Topic, subject: d.Event.Subject}
	if key.subject == "" {
		l.alone++
		key.alone = l.alone
	}
	item := &held{h, d}
	l.inHand[item] = struct{}{}
	waiting, running := l.lanes[key]
	l.lanes[key] = append(waiting, item)
	if !running {
		l.all.Go(func() { l.run(key) })
	}
}

// Stop starts no further handler, waits for those that run and releases the rest.
func (l *Lanes) Stop() {
	l.once.Do(func() {
		l.mu.Lock()
		close(l.stop)
		l.mu.Unlock()
		l.all.Wait()
		close(l.empty)
	})
	l.extending.Wait()
}

// run empties one lane.
func (l *Lanes) run(key lane) {
	for {
		l.mu.Lock()
		waiting := l.lanes[key]
		if len(waiting) == 0 {
			delete(l.lanes, key)
			l.mu.Unlock()
			return
		}
		item := waiting[0]
		l.lanes[key] = waiting[1:]
		l.mu.Unlock()
		l.take(item)
		l.mu.Lock()
		delete(l.inHand, item)
		l.mu.Unlock()
	}
}

// take brings one event to its end.
func (l *Lanes) take(item *held) {
	id := item.delivery.Event.ID
	if l.handledBefore(id) {
		item.Settle()
		return
	}
	attempt := item.delivery.Attempt
	if attempt >= l.sub.Attempts { // not handed out again: it may be what ended the process
		l.bury(item, fault.Newf(fault.Unavailable, "handler", "it was lost %d times before it answered", attempt), attempt)
		return
	}
	for {
		attempt++
		err, ran := l.attempt(item, attempt)
		switch {
		case !ran || err != nil && l.ctx.Err() != nil: // a handler that was cancelled has not failed
			item.Release()
			return
		case err == nil:
			l.mu.Lock()
			l.handled.add(id)
			l.mu.Unlock()
			item.Settle()
			return
		}
		delay, again := l.sub.Again(err, attempt, l.o.Random())
		if !again {
			l.bury(item, err, attempt)
			return
		}
		if !l.wait(delay) {
			item.Release()
			return
		}
	}
}

func (l *Lanes) handledBefore(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, yes := l.handled.has[id]
	return yes
}

// attempt calls the handler once there is a slot; ran is false when the lanes stopped first.
func (l *Lanes) attempt(item *held, attempt int) (err error, ran bool) {
	select {
	case <-l.stop:
		return nil, false
	case <-l.ctx.Done():
		return nil, false
	case l.slots <- struct{}{}:
	}
	defer func() { <-l.slots }()
	select { // a slot that was freed by the end is no slot
	case <-l.stop:
		return nil, false
	default:
	}
	defer func() {
		if p := recover(); p != nil {
			err, ran = fault.Newf(fault.Internal, "handler", "it panicked: %v", p), true
		}
	}()
	d := item.delivery
	d.Attempt = attempt
	return l.handle(l.ctx, d), true
}

// bury keeps the lane until the dead letter is stored: giving up would lose the event.
func (l *Lanes) bury(item *held, err error, attempts int) {
	b := Burial{Kind: fault.KindOf(err).String(), Reason: err.Error(), Attempts: attempts}
	b.Reason = b.Reason[:min(len(b.Reason), MaxReason)]
	for wait := 100 * time.Millisecond; item.Bury(l.ctx, b) != nil; wait = min(2*wait, MaxBackoff) {
		if !l.wait(wait) {
			item.Release()
			return
		}
	}
}

// wait is false when the lanes stopped first.
func (l *Lanes) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.stop:
	case <-l.ctx.Done():
	}
	return false
}

// extend keeps held events from being handed to somebody else, until nothing is held.
func (l *Lanes) extend() {
	tick := time.NewTicker(l.o.Extend)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.empty:
			return
		}
		l.mu.Lock()
		for item := range l.inHand {
			item.Extend()
		}
		l.mu.Unlock()
	}
}

// recent remembers the last Remembered IDs.
type recent struct {
	has  map[string]struct{}
	ring []string
	next int
}

func (r *recent) add(id string) {
	if len(r.ring) < Remembered {
		r.ring = append(r.ring, id)
	} else {
		delete(r.has, r.ring[r.next])
		r.ring[r.next] = id
	}
	r.next = (r.next + 1) % Remembered
	r.has[id] = struct{}{}
}
