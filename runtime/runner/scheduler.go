package runner

import (
	"runtime"
	"time"
)

// Scheduler is where the work of a runner runs and where its time comes from. A simulation has
// one of its own; everybody else leaves it out.
type Scheduler interface {
	Now() time.Time
	// Go runs f later, beside others.
	Go(f func())
	// After runs f once d has passed, unless stop was called before. stop does not wait.
	After(d time.Duration, f func()) (stop func())
}

// goroutines is the scheduler of a real process.
type goroutines struct{ now func() time.Time }

func (g goroutines) Now() time.Time { return g.now() }
func (goroutines) Go(f func()) {
	go func() {
		deepen()
		f()
	}()
}
func (goroutines) After(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// deepen gives a new goroutine the stack that a turn needs while nothing lies on it: grown step by
// step in the depth of a turn, it is moved several times with all it holds.
//
//go:noinline
func deepen() {
	var room [24 << 10]byte
	runtime.KeepAlive(&room)
}
