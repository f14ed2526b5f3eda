package host

import (
	"context"
	"sync"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// originAge is for how long components are born of one origin: what they keep of it, such as the
// seed of a generator, is the same in every image made meanwhile.
const originAge = 10 * time.Minute

// origin is the world in which components are born now. Without randomness there is none, and
// nothing to replay.
func (h *Host) origin() wasi.Origin {
	now := h.deps.Now().UnixNano()
	if o := h.born.Load(); o != nil && now >= o.Time && now-o.Time < int64(originAge) {
		return *o
	}
	o := wasi.Origin{Time: now}
	if _, err := h.deps.Random.Read(o.Seed[:]); err != nil {
		return wasi.Origin{}
	}
	h.born.Store(&o)
	return o
}

// watch gives inv its recorder or player; done must be called when the invocation is over. The
// error is fault.Invalid: a trace that is none.
func (c *Component) watch(ctx context.Context, inv *invocation, r Request) (_ context.Context, done func(), _ error) {
	if r.Replay == nil {
		if r.Record != nil {
			inv.recorder = newRecorder(ctx, c.host, *r.Record)
		}
		return ctx, func() {}, nil
	}
	o := r.Replay.Origin
	if len(o.Seed) != len(inv.origin.Seed) {
		return ctx, nil, fault.New(fault.Invalid, "replay", "the trace has no origin")
	}
	inv.origin = wasi.Origin{Seed: [32]byte(o.Seed), Time: o.Time}
	stage, err := c.stages.take(c, inv.origin)
	if err != nil {
		return ctx, nil, err
	}
	if !o.Kept {
		inv.owner = "" // it started within the invocation
	}
	ctx, stop := context.WithCancelCause(ctx)
	inv.player = newPlayer(r.Replay, stop)
	inv.player.bound = stage.bound
	return ctx, func() { stop(nil); c.stages.give(stage) }, nil
}

// stage is a binding that one replay at a time uses, so that whether an instance begins with an
// image depends on nobody else.
type stage struct {
	origin wasi.Origin
	bound  *wasm.Bound
}

// stages keeps the last stage for the next replay. It is safe for concurrent use.
type stages struct {
	mu   sync.Mutex
	idle *stage
}

func (s *stages) take(c *Component, o wasi.Origin) (*stage, error) {
	s.mu.Lock()
	free := s.idle
	if free != nil && free.origin == o {
		s.idle = nil
		s.mu.Unlock()
		return free, nil
	}
	s.mu.Unlock()
	bound, err := c.code.Bind(c.host.hosts)
	if err != nil {
		return nil, err
	}
	return &stage{o, bound}, nil
}

func (s *stages) give(used *stage) {
	s.mu.Lock()
	before := s.idle
	s.idle = used
	s.mu.Unlock()
	if before != nil {
		before.bound.Close()
	}
}
