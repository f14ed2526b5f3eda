package link

import (
	"runtime"
	"sync/atomic"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
)

// meter counts the processor time of an invocation: of the guest and of moving values, not of
// host functions that may wait. The goroutine stays on its thread while it is counted, if not
// too many do: a thread that waits for its goroutine is lost to all others. The rest count how
// long they run, which is more when they take turns.
type meter struct {
	pinned       *atomic.Int32
	spent        time.Duration
	running, pin bool
	since        time.Duration // of the thread, while it is held
	begun        time.Time     // else
}

// maxPinned is how many invocations of an engine may hold their threads at once.
const maxPinned = 32

func (m *meter) start() {
	if m.running {
		return
	}
	m.running, m.pin = true, m.pinned.Add(1) <= maxPinned
	if m.pin {
		runtime.LockOSThread()
		m.since = core.ThreadTime()
	} else {
		m.pinned.Add(-1)
		m.begun = time.Now()
	}
}

func (m *meter) stop() {
	switch {
	case !m.running:
		return
	case m.pin:
		m.spent += core.ThreadTime() - m.since
		runtime.UnlockOSThread()
		m.pinned.Add(-1)
	default:
		m.spent += time.Since(m.begun)
	}
	m.running = false
}

// spent is the fuel the invocation has used so far. A kept instance counts as if it had been
// started for it.
func (in *instance) spent() (fuel uint64) {
	if in.image != nil {
		fuel = in.image.fuel
	}
	for _, c := range in.cores {
		fuel += c.Fuel()
	}
	return fuel
}

// Meter is asked at the end of each slice whether the guest may go on.
func (in *instance) Meter() error {
	if limit := in.limits.Fuel; limit > 0 {
		if spent := in.spent(); spent > limit {
			return fault.Newf(fault.Exhausted, "", "more than %d points of fuel", limit)
		}
	}
	return nil
}
