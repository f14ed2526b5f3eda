package link

import (
	"errors"
	"fmt"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
)

// TrapCode is the fault code of every failure that a guest caused by trapping.
const TrapCode = "guest_trap"

// Trap is what stopped a guest: the cause of a fault of kind Invalid and code TrapCode.
type Trap struct {
	Reason    string   // "unreachable", "out of bounds memory access", …
	Func      string   // the core function the host called
	Backtrace []string // innermost frame first; at most 30
}

// Error is the reason with the innermost frame.
func (t *Trap) Error() string {
	if len(t.Backtrace) == 0 {
		return t.Reason
	}
	return t.Reason + " in " + t.Backtrace[0]
}

// trap gives the failure of a call into a core module its meaning: what a host function
// raised, the end of the invocation, a limit, or a trap of the guest itself.
func (in *instance) trap(fn string, err error) error {
	if in.cause != nil {
		return in.cause
	}
	if in.Err() != nil {
		return stopped(in.Context)
	}
	var known *fault.Error
	if errors.As(err, &known) && !core.IsTrap(err) {
		return known
	}
	reason, backtrace := core.Explain(err)
	t := &Trap{Reason: reason, Func: fn, Backtrace: backtrace}
	if core.IsTooDeep(err) { // the engine's own stack ended before our count did
		return &fault.Error{Kind: fault.Exhausted, Msg: "calls are nested too deeply", Err: t}
	}
	if in.budget.Denied() {
		return &fault.Error{Kind: fault.Exhausted, Msg: fmt.Sprintf("memory limit reached, %d MiB", in.limits.Memory>>20), Err: t}
	}
	return &fault.Error{Kind: fault.Invalid, Code: TrapCode, Msg: "guest trapped", Err: t}
}
