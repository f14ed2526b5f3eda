package wasi

import (
	"context"
	"sync"
)

// Wire is what the goroutine of a guest and others that work for it share: one lock, and one
// signal for whatever changed. What is waited for is changed in Change only.
type Wire struct {
	sync.Mutex
	changed chan struct{}      // closed at the next change; nil when nobody waits
	waker   context.CancelFunc // called at the next change; nil when nobody sleeps
}

// Change runs f with the wire locked and wakes whoever waits.
func (w *Wire) Change(f func()) {
	w.Lock()
	defer w.Unlock()
	f()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
	if w.waker != nil {
		w.waker()
		w.waker = nil
	}
}

// watch is closed at the next change. It is called with the wire locked.
func (w *Wire) watch() <-chan struct{} {
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

// Await returns when done, which is asked with the wire locked, says so, or with the cause why
// ctx ended.
func (w *Wire) Await(ctx context.Context, done func() bool) error {
	for {
		w.Lock()
		if done() {
			w.Unlock()
			return nil
		}
		changed := w.watch()
		w.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
