package wasi

import (
	"math"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// pollable is ready from an instant of the monotonic clock on, in nanoseconds; 0 is ready
// always. Every pollable of this package is a moment, for streams never wait.
type pollable uint64

func poll() *link.Interface {
	return face("io/poll", map[string]link.Func{
		"[method]pollable.ready": fn(func(c *call) any { return uint64(self[pollable](c, 0)) <= c.now() }),
		"[method]pollable.block": fn(func(c *call) any { return c.sleepUntil(self[pollable](c, 0)) }),
		"poll":                   fn((*call).poll),
	}, "pollable")
}

// now is the monotonic clock in nanoseconds.
func (s *State) now() uint64 { return uint64(max(s.cfg.Monotonic(), 0)) }

// sleepUntil returns at p or traps when the context ends first.
func (c *call) sleepUntil(p pollable) any {
	now := c.now()
	if c.err != nil || uint64(p) <= now {
		return nil
	}
	d := time.Duration(min(uint64(p)-now, math.MaxInt64))
	if err := c.cfg.Sleep(c.ctx, d); err != nil {
		return c.trap(fault.Wrap("wasi poll", err))
	}
	return nil
}

// poll gives the indexes of what is ready, after waiting for the first.
func (c *call) poll() any {
	list := arg[[]any](c, 0)
	if c.err == nil && len(list) == 0 {
		return c.trapf(fault.Invalid, "poll", "the list is empty")
	}
	first := pollable(math.MaxUint64)
	all := make([]pollable, len(list))
	for i, v := range list {
		h, _ := v.(canon.Handle)
		all[i] = rep[pollable](c, h)
		first = min(first, all[i])
	}
	if c.err != nil {
		return nil
	}
	c.sleepUntil(first)
	now := max(c.now(), uint64(first)) // the sleep is over, whatever an injected clock says
	ready := []any{}
	for i, p := range all {
		if uint64(p) <= now {
			ready = append(ready, uint32(i))
		}
	}
	return ready
}
