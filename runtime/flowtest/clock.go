package flowtest

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// clock is the scheduler of a runner whose time passes only when it is told to.
type clock struct {
	mu     sync.Mutex
	idle   sync.Cond
	now    time.Time
	timers []*timer
	count  int
	active int // goroutines that run
}

type timer struct {
	at time.Time
	n  int // timers of one moment ring in the order they were set
	do func()
}

func newClock(now time.Time) *clock {
	c := &clock{now: now}
	c.idle.L = &c.mu
	return c
}

// Now is the time of the clock.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Go runs f beside others; settle waits for it.
func (c *clock) Go(f func()) {
	c.mu.Lock()
	c.active++
	c.mu.Unlock()
	go func() {
		defer func() {
			c.mu.Lock()
			if c.active--; c.active == 0 {
				c.idle.Broadcast()
			}
			c.mu.Unlock()
		}()
		f()
	}()
}

// After sets a timer.
func (c *clock) After(d time.Duration, f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	t := &timer{c.now.Add(d), c.count, f}
	c.timers = append(c.timers, t)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.timers = slices.DeleteFunc(c.timers, func(one *timer) bool { return one == t })
	}
}

// settle waits until nothing runs.
func (c *clock) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.active > 0 {
		c.idle.Wait()
	}
}

// ring lets the next timer up to a time ring and waits until nothing runs; false when there is none.
func (c *clock) ring(until time.Time) bool {
	c.mu.Lock()
	if len(c.timers) == 0 {
		c.mu.Unlock()
		return false
	}
	next := slices.MinFunc(c.timers, func(a, b *timer) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.n, b.n)) })
	if next.at.After(until) {
		c.mu.Unlock()
		return false
	}
	c.timers = slices.DeleteFunc(c.timers, func(t *timer) bool { return t == next })
	if next.at.After(c.now) {
		c.now = next.at
	}
	c.mu.Unlock()
	next.do()
	c.settle()
	return true
}

// pass lets the time become at and the timers ring that are over by then, each once: what they set
// anew comes after it.
func (c *clock) pass(at time.Time) {
	c.mu.Lock()
	if at.After(c.now) {
		c.now = at
	}
	now := c.now
	c.mu.Unlock()
	for range maxRings {
		if !c.ring(now) {
			return
		}
	}
}

// maxRings bounds the timers of one moment: more are a defect, and no reason to hang.
const maxRings = 10_000
