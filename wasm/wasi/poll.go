package wasi

import (
	"context"
	"math"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// Pollable is what a pollable handle points to: a moment or an Event.
type Pollable interface {
	ready(now uint64) bool // with the wire locked
}

// moment is ready from an instant of the monotonic clock on, in nanoseconds; 0 is ready always,
// as streams are that never wait.
type moment uint64

func (m moment) ready(now uint64) bool { return uint64(m) <= now }

// Event is ready when its source is. The source is asked with the wire locked and tells of every
// change through it.
type Event struct{ Source interface{ Ready() bool } }

func (e Event) ready(uint64) bool { return e.Source.Ready() }

func poll() *link.Interface {
	return Face("io/poll", map[string]link.Func{
		"[method]pollable.ready": Func(func(c *Call) any {
			ready := false
			if p := Self[Pollable](c, 0); c.err == nil {
				ready = c.isReady(p)
			}
			return ready
		}),
		"[method]pollable.block": Func(func(c *Call) any {
			if p := Self[Pollable](c, 0); c.err == nil {
				c.waitFor([]Pollable{p})
			}
			return nil
		}),
		"poll": Func((*Call).poll),
	}, "pollable")
}

// now is the monotonic clock in nanoseconds.
func (s *State) now() uint64 { return uint64(max(s.cfg.Monotonic(), 0)) }

// poll gives the indexes of what is ready, after waiting for the first.
func (c *Call) poll() any {
	list := Arg[[]any](c, 0)
	if c.err == nil && len(list) == 0 {
		return c.Trapf(fault.Invalid, "poll", "the list is empty")
	}
	all := make([]Pollable, len(list))
	for i, v := range list {
		h, _ := v.(canon.Handle)
		all[i] = Rep[Pollable](c, h)
	}
	if c.err != nil {
		return nil
	}
	return c.waitFor(all)
}

// waitFor gives the indexes of what is ready in all, at least one, or traps when the context
// ends first. It sleeps with Config.Sleep, which an event cuts short.
func (c *Call) waitFor(all []Pollable) []any {
	ready, foretold := c.foretold(all)
	if !foretold {
		ready = c.waitForOne(all)
	}
	if c.cfg.Witness != nil && ready != nil {
		c.cfg.Witness.Polled(ready)
	}
	return ready
}

func (c *Call) waitForOne(all []Pollable) []any {
	slept := uint64(0) // a sleep that is over reached its moment, whatever an injected clock says
	for {
		ready, rest := c.look(all, slept)
		if len(ready) > 0 {
			return ready
		}
		if err := rest.wait(c); err != nil {
			c.Trap(fault.Wrap("wasi poll", err))
			return nil
		}
		if rest.over {
			slept = rest.until
		}
	}
}

// pause is how to wait while nothing is ready.
type pause struct {
	timed   bool
	until   uint64             // timed: the first moment to come
	length  time.Duration      // timed: how far away it is
	ctx     context.Context    // timed: ends at an event as well
	cancel  context.CancelFunc // timed
	changed <-chan struct{}    // not timed: closed at an event
	over    bool               // set by wait: the moment has come
}

func (c *Call) look(all []Pollable, slept uint64) (ready []any, p *pause) {
	now := max(c.now(), slept)
	p = &pause{until: math.MaxUint64}
	c.wire.Lock()
	defer c.wire.Unlock()
	events := false
	for i, one := range all {
		m, isMoment := one.(moment)
		switch {
		case one.ready(now):
			ready = append(ready, uint32(i))
		case isMoment:
			p.timed, p.until = true, min(p.until, uint64(m))
		default:
			events = true
		}
	}
	switch {
	case len(ready) > 0:
	case p.timed:
		p.length = time.Duration(min(p.until-now, math.MaxInt64))
		p.ctx, p.cancel = context.WithCancel(c.ctx)
		if events {
			c.wire.waker = p.cancel
		}
	default:
		p.changed = c.wire.watch()
	}
	return ready, p
}

// wait returns at the moment, at an event, or with the error of the guest's context.
func (p *pause) wait(c *Call) error {
	if !p.timed {
		select {
		case <-p.changed:
			return nil
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
	err := c.cfg.Sleep(p.ctx, p.length)
	p.over = err == nil
	woken := p.ctx.Err() != nil
	c.wire.Lock()
	c.wire.waker = nil
	c.wire.Unlock()
	p.cancel()
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	if woken {
		return nil
	}
	return err
}
