package link

import (
	"runtime"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
)

// meter counts the processor time of an invocation: of the guest and of moving values, not of
// host functions that may wait. The goroutine stays on its thread while it is counted.
type meter struct {
	spent, since time.Duration
	running      bool
}

func (m *meter) start() {
	if !m.running {
		runtime.LockOSThread()
		m.running, m.since = true, core.ThreadTime()
	}
}

func (m *meter) stop() {
	if m.running {
		m.spent += core.ThreadTime() - m.since
		m.running = false
		runtime.UnlockOSThread()
	}
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
