package wasi

import "time"

// Witness sees what a guest learns of time, so that the same can be told to it again. Its methods
// are called on the goroutine of the State.
type Witness interface {
	// Wall and Monotonic are given what a clock says, in nanoseconds since 1970 or since any fixed
	// moment, and give what the guest is told.
	Wall(now int64) int64
	Monotonic(now uint64) uint64
	// Foretell gives what the next poll answers, the indexes of what is ready; false: what happens.
	// Moments it names are over, events it names are waited for.
	Foretell() ([]uint32, bool)
	// Polled is told what a poll answered.
	Polled(ready []any)
}

// wall is the wall clock as the guest sees it.
func (s *State) wall() time.Time {
	now := s.cfg.Clock()
	if s.cfg.Witness == nil {
		return now
	}
	return time.Unix(0, s.cfg.Witness.Wall(now.UnixNano()))
}

// monotonic is the monotonic clock as the guest sees it.
func (s *State) monotonic() uint64 {
	if s.cfg.Witness == nil {
		return s.now()
	}
	return s.cfg.Witness.Monotonic(s.now())
}

// foretold waits for what the witness names and gives it; false when it names nothing of all.
func (c *Call) foretold(all []Pollable) ([]any, bool) {
	if c.cfg.Witness == nil {
		return nil, false
	}
	list, ok := c.cfg.Witness.Foretell()
	if !ok || len(list) == 0 {
		return nil, false
	}
	ready := make([]any, len(list))
	for i, at := range list {
		if int64(at) >= int64(len(all)) {
			return nil, false
		}
		ready[i] = at
	}
	for _, at := range list {
		if _, timed := all[at].(moment); !timed && c.waitForOne([]Pollable{all[at]}) == nil {
			return nil, true // the guest ends
		}
	}
	return ready, true
}

// isReady is one look at p.
func (c *Call) isReady(p Pollable) bool {
	w := c.cfg.Witness
	if w != nil {
		if list, ok := w.Foretell(); ok {
			ready := len(list) > 0
			if _, timed := p.(moment); ready && !timed {
				c.waitForOne([]Pollable{p})
			}
			return ready
		}
	}
	c.wire.Lock()
	ready := p.ready(c.now())
	c.wire.Unlock()
	if w != nil && ready {
		w.Polled([]any{uint32(0)})
	} else if w != nil {
		w.Polled(nil)
	}
	return ready
}
