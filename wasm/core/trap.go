package core

import (
	"context"
	"errors"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/rewrite"
)

// killed is why a guest was stopped at a safe point.
type killed struct{ cause error }

func (k killed) Error() string { return "stopped: " + k.cause.Error() }
func (k killed) Unwrap() error { return k.cause }

// errTooDeep is the cause of the failure of a guest that nests calls too deeply.
var errTooDeep = errors.New("calls are nested too deeply")

// Meter is asked at the end of each slice whether the guest may go on; an error ends it. The
// context of a call may be one, or have one as the value of MeterKey.
type Meter interface{ Meter() error }

// MeterKey is the key of the Meter of a context.
type MeterKey struct{}

// point is what a guest calls at the end of a slice and when it nests too deeply. Being Go, it
// lets the scheduler and the garbage collector in; its panics end the guest with that error.
func point(ctx context.Context, _ api.Module, stack []uint64) {
	if uint32(stack[0]) == rewrite.PointDepth { // what is above 32 bits is undefined
		panic(fault.As(fault.Exhausted, "guest", errTooDeep))
	}
	if err := ctx.Err(); err != nil {
		panic(fault.As(fault.KindOf(err), "guest", killed{err}))
	}
	m, ok := ctx.(Meter)
	if !ok {
		m, ok = ctx.Value(MeterKey{}).(Meter)
	}
	if !ok {
		return
	}
	if err := m.Meter(); err != nil {
		panic(err)
	}
}

// IsKilled says whether err is a guest that was stopped because the context of its call ended.
// Its kind is then fault.Timeout or fault.Canceled.
func IsKilled(err error) bool {
	var k killed
	return errors.As(err, &k)
}

// IsTooDeep says whether err is a guest that nested its calls too deeply: past the depth of its
// instance, or past the stack of the engine.
func IsTooDeep(err error) bool {
	reason, _ := Explain(err)
	return errors.Is(err, errTooDeep) || reason == engineOverflow
}

// IsTrap says whether err is a trap of the guest's own code, also in a start function.
func IsTrap(err error) bool { return err != nil && strings.Contains(err.Error(), trapPrefix) }

// Words of wazero's errors; a test holds them.
const (
	engineOverflow = "stack overflow"
	trapPrefix     = "wasm error: "
	recovered      = " (recovered by wazero)"
	stackHeading   = "wasm stack trace:"
	goHeading      = "Go runtime stack trace:"
)

// Explain takes apart the error of a call into a guest: why it ended ("unreachable", "out of
// bounds memory access", "calls are nested too deeply", the text of what a host function
// raised) and where, innermost function first, with the names of the name section. At most 30
// frames are there.
func Explain(err error) (reason string, backtrace []string) {
	if err == nil {
		return "", nil
	}
	text, stack, _ := strings.Cut(err.Error(), stackHeading)
	stack, _, _ = strings.Cut(stack, goHeading)
	text = strings.TrimSuffix(strings.TrimSpace(text), strings.TrimSpace(recovered))
	_, trap, isTrap := strings.Cut(text, trapPrefix)
	if isTrap {
		text = trap
	}
	for line := range strings.Lines(stack) {
		if line = strings.TrimPrefix(strings.TrimSpace(line), "."); line != "" {
			backtrace = append(backtrace, line)
		}
	}
	return strings.TrimSpace(text), backtrace
}

// linkFailure gives an error of instantiation its kind: what a start function raised keeps it,
// everything else is the module's fault.
func linkFailure(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return fault.As(known.Kind, "core instance", err)
	}
	if IsTooDeep(err) {
		return fault.As(fault.Exhausted, "core instance", err)
	}
	return fault.As(fault.Invalid, "core instance", err)
}
