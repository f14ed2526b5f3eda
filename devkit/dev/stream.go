package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"greentic.dev/internal/route"
)

// pending is work that is handed on without waiting.
type pending[T any] struct {
	mu   *sync.Mutex
	list *[]T
	some chan struct{}
}

func newPending[T any]() pending[T] {
	return pending[T]{&sync.Mutex{}, &[]T{}, make(chan struct{}, 1)}
}

func (p pending[T]) add(v T) {
	p.mu.Lock()
	*p.list = append(*p.list, v)
	p.mu.Unlock()
	select {
	case p.some <- struct{}{}:
	default:
	}
}

// take waits for work and takes all of it; false when ctx ends first.
func (p pending[T]) take(ctx context.Context) ([]T, bool) {
	select {
	case <-p.some:
	case <-ctx.Done():
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	list := *p.list
	*p.list = nil
	return list, true
}

// hub hands events to everybody who listens.
type hub struct {
	tell func(Event)

	mu        sync.Mutex
	state     *Event // the last one
	listeners map[chan Event]bool
}

// backlog is how many events a listener may be behind.
const backlog = 256

// publish tells an event. A listener that is too far behind is cut off: it comes back and gets the
// state as it is then.
func (h *hub) publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Kind == KindState {
		h.state = &e
	}
	h.tell(e)
	for c := range h.listeners {
		select {
		case c <- e:
		default:
			delete(h.listeners, c)
			close(c)
		}
	}
}

// last is the state as it was last told.
func (h *hub) last() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == nil {
		return State{}
	}
	return *h.state.State
}

// listen gives the events from now on, the state first.
func (h *hub) listen() chan Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := make(chan Event, backlog)
	if h.listeners == nil {
		h.listeners = map[chan Event]bool{}
	}
	h.listeners[c] = true
	if h.state != nil {
		c <- *h.state
	}
	return c
}

func (h *hub) leave(c chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, c)
}

// Routes is the stream of events, for operators: server-sent events, each named by its kind with an
// Event as data. The first is the state of the folder.
func (l *Loop) Routes() []route.Route {
	return []route.Route{{Method: "GET", Path: "/v1/dev/events", Action: "read", Resource: "dev", Auth: route.Operator, Handler: http.HandlerFunc(l.stream)}}
}

func (l *Loop) stream(w http.ResponseWriter, r *http.Request) {
	events := l.hub.listen()
	defer l.hub.leave(events)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w).Flush
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for {
		var err error
		select {
		case e, ok := <-events:
			raw, bad := json.Marshal(e)
			if !ok || bad != nil {
				return
			}
			_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Kind, raw)
		case <-alive.C:
			_, err = fmt.Fprint(w, ": alive\n\n")
		case <-l.quit:
			return
		case <-r.Context().Done():
			return
		}
		if err != nil || flush() != nil {
			return
		}
	}
}
