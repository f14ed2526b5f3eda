package runner_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"greentic.dev/backing/queue"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/runner"
)

// sink is the world behind the connectors: a good API, which knows a repeated id again.
type sink struct {
	items map[string]string     // by id: the text
	order map[sinkKey][]arrived // first arrivals
	fails map[string]int
	again int // repeats
}

type sinkKey struct{ tenant, key, route string }

type arrived struct {
	id, text string
	at       time.Time
}

func newSink() *sink {
	return &sink{items: map[string]string{}, order: map[sinkKey][]arrived{}, fails: map[string]int{}}
}

// connector is a process's way to the sink.
type connector struct{ p *process }

// maxFails bounds the failures of one item below the attempts a runner makes.
const maxFails = 4

func (c connector) Deliver(ctx context.Context, o queue.Outgoing) error {
	p, w, sim := c.p, c.p.w, c.p.w.sim
	text := o.Reply.Text
	if o.Event != nil {
		text = string(o.Event.Payload)
	}
	if w.mutant.newIDs {
		w.sink.fails["tries of "+o.ID]++
		o.ID = fmt.Sprintf("%s.%d", o.ID, w.sink.fails["tries of "+o.ID])
	}
	sim.park(p, "deliver "+o.ID, 0)
	w.struck(p, "deliver")
	if p.dead {
		return errDead
	}
	if strings.Contains(text, "undeliverable") {
		return fault.New(fault.NotFound, "channel", "nobody there")
	}
	if strings.Contains(text, "flaky") && w.sink.fails[o.ID] < 2 {
		w.sink.fails[o.ID]++
		return fault.New(fault.Unavailable, "channel", "down")
	}
	if w.mutant.overtakes && sim.chance(20) {
		sim.spawn(nil, "arrives "+o.ID, func() {
			sim.park(nil, "arrives late", time.Second)
			w.arrive(o, text)
		})
		return nil
	}
	if w.sink.fails[o.ID] < maxFails {
		w.sink.fails[o.ID]++
		switch {
		case sim.chance(w.sky.fail):
			return fault.New(fault.Unavailable, "channel", "down")
		case sim.chance(w.sky.later):
			return runner.Later{After: sim.between(100*time.Millisecond, 2*time.Second), Err: fault.New(fault.Unavailable, "channel", "too many requests")}
		case sim.chance(w.sky.unsure):
			w.arrive(o, text)
			return fault.New(fault.Unavailable, "channel", "the answer is lost")
		case sim.chance(w.sky.hang):
			sim.park(p, "deliver "+o.ID+" hangs", 4*time.Second)
			if !p.dead && sim.chance(50) {
				w.arrive(o, text)
			}
			if ctx.Err() != nil {
				return fault.Wrap("channel", ctx.Err())
			}
			return fault.New(fault.Unavailable, "channel", "reset")
		}
	}
	w.arrive(o, text)
	w.struck(p, "delivered")
	sim.park(p, "delivered "+o.ID, 0)
	if p.dead {
		return errDead
	}
	return nil
}

// arrive is the moment an item becomes visible outside.
func (w *world) arrive(o queue.Outgoing, text string) {
	if before, again := w.sink.items[o.ID]; again {
		w.sink.again++
		if before != text {
			w.report(fmt.Errorf("item %s was %q and is now %q", o.ID, before, text))
		}
		return
	}
	w.sim.note(nil, "%s arrives: %s", o.ID, text)
	w.sink.items[o.ID] = text
	k := sinkKey{string(o.Tenant.Tenant), o.Key, o.Route}
	w.sink.order[k] = append(w.sink.order[k], arrived{o.ID, text, time.Now()})
}

// outside is an API that components call: it knows a repeated idempotency key, and is slow at times.
type outside struct {
	world *world
	saved map[string]bool     // turns at a checkpoint after their call
	keys  map[string][]string // idempotency keys, by path
}

func (o *outside) RoundTrip(r *http.Request) (*http.Response, error) {
	w := o.world
	w.sim.park(nil, "outside "+r.URL.Path, 0)
	if turn, _, _ := strings.Cut(r.Header.Get("Idempotency-Key"), "/"); o.saved[turn] {
		w.report(fmt.Errorf("%s calls %s again after its checkpoint", turn, r.URL.Path))
	}
	o.keys[r.URL.Path] = append(o.keys[r.URL.Path], r.Header.Get("Idempotency-Key"))
	w.sim.note(nil, "%s with %s", r.URL.Path, r.Header.Get("Idempotency-Key"))
	if slow := w.sim.chance(20); slow {
		w.sim.park(nil, "outside is slow "+r.URL.Path, w.sim.between(0, 2*time.Second))
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}")), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}
