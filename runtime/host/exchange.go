package host

import (
	"context"
	"net/http"
	"strconv"

	"greentic.dev/backing/egress"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/trace"
)

// traced says whether arguments and results are looked at beyond the call itself.
func (inv *invocation) traced() bool { return inv.recorder != nil || inv.player != nil }

// exchange makes one host call: do carries it out and fills in e, and its error ends the guest. In
// a replay the trace answers instead.
func (inv *invocation) exchange(ctx context.Context, e *trace.Exchange, do func() error) error {
	start := inv.host.deps.Now()
	if inv.player == nil {
		err := do()
		if err != nil {
			e.Outcome = fault.KindOf(err).String()
			e.Answered = trace.Answered{Fatal: true, Message: inv.redact(err.Error())}
		}
		e.Call = inv.record(e.Call, start)
		inv.note(e)
		return err
	}
	if ctx.Err() != nil {
		return fault.Wrap("replay", context.Cause(ctx))
	}
	recorded, err := inv.answer(e)
	if err != nil {
		return err
	}
	e.Outcome, e.Effect, e.Answered = recorded.Outcome, recorded.Effect, recorded.Answered
	inv.record(e.Call, start)
	if e.Answered.Fatal {
		return fault.New(kindNamed(e.Outcome), "", e.Answered.Message)
	}
	return nil
}

func kindNamed(name string) fault.Kind {
	for _, k := range fault.Kinds() {
		if k.String() == name {
			return k
		}
	}
	return fault.Internal
}

const idempotencyHeader = "Idempotency-Key"

// idempotencyKey is the key that the host adds to a request: to POST and PATCH, which alone are
// not idempotent by themselves (RFC 9110 9.2.2, RFC 5789), unless the guest chose one. The first
// of an invocation has the key of the step, the n-th "/n" after it, whether it is sent or not. Only
// the guest's goroutine calls it.
func (inv *invocation) idempotencyKey(method string, has func(header string) bool) string {
	if method != http.MethodPost && method != http.MethodPatch {
		return ""
	}
	inv.unsafe++
	key := inv.tenant.IdempotencyKey
	switch {
	case key == "" || has(idempotencyHeader):
		return ""
	case inv.unsafe > 1:
		key += "/" + strconv.Itoa(inv.unsafe)
	}
	return key
}

// heed remembers how long a server that cannot serve now asks to be left alone.
func (inv *invocation) heed(status int, header [][2]string) {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return
	}
	for _, h := range header {
		if wait, ok := egress.RetryAfter(h[1], inv.host.deps.Now()); ok && http.CanonicalHeaderKey(h[0]) == "Retry-After" {
			inv.mu.Lock()
			inv.wait = max(inv.wait, min(wait, maxBackoff))
			inv.mu.Unlock()
		}
	}
}
