package wasihttp

import (
	"context"
	"sync"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/wasi"
)

// session is what the requests of one invocation share.
type session struct {
	wire    *wasi.Wire
	held    int                // bytes of headers, targets and the like that the guest holds
	alive   context.Context    // of the requests; nil: none was sent
	end     context.CancelFunc // of alive
	running sync.WaitGroup     // the goroutines of requests

	// With the wire locked.
	flying int // requests under way, or whose answers wait to be read
	ahead  int // bytes written to bodies before their requests were sent and not taken since
}

// sessionKey finds the session in the state of an invocation.
type sessionKey struct{}

func sessionOf(c *wasi.Call) *session {
	return c.Part(sessionKey{}, func() wasi.Part { return &session{wire: c.Wire()} }).(*session)
}

// Close ends the requests that are under way and waits for their goroutines.
func (s *session) Close() {
	if s.end != nil {
		s.end()
		s.running.Wait()
	}
}

// life is the context of all requests. It is not the guest's, which belongs to an instance that
// may serve another invocation afterwards.
func (s *session) life(guest context.Context) context.Context {
	if at, ok := guest.Deadline(); ok && s.alive == nil {
		s.alive, s.end = context.WithDeadline(context.Background(), at)
	} else if s.alive == nil {
		s.alive, s.end = context.WithCancel(context.Background())
	}
	return s.alive
}

// hold counts n bytes that the guest holds (fewer when n is negative); over the limit it traps.
func (s *session) hold(c *wasi.Call, n int) {
	s.held += n
	if n > 0 && s.held > maxHeld {
		c.Trapf(fault.Exhausted, "http", "more than %d bytes of headers and the like are held at once", maxHeld)
	}
}

// own is a new handle to a host value.
func own(rep any) canon.Handle { return canon.Handle{Rep: rep} }

// enum is a case without payload.
func enum(name string) canon.Variant { return canon.Variant{Case: name} }
