package host

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/trace"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// maxCalls is how many calls a Response lists.
const maxCalls = 1000

// Call is one call of a host interface, as it is recorded. It carries no secret and no body.
type Call = trace.Call

// invocation is one running Invoke: what host functions find in wasm.Call.Data. One goroutine
// at a time uses it, but for record and redact, which requests under way use as well.
type invocation struct {
	host      *Host
	tenant    greentic.TenantCtx
	request   *Request
	component string
	owner     string // of the instances it may use; empty: none is kept

	mu     sync.Mutex
	calls  []Call
	handed []handed // secrets the guest got, to be kept out of texts

	recorder *recorder // nil: there is no trace
	player   *player   // nil: calls reach the world
	origin   wasi.Origin
	wait     time.Duration // the longest Retry-After of its answers
	unsafe   int           // requests so far that an Idempotency-Key is for
}

// handed is a secret the guest got.
type handed struct{ key, value string }

func invocationOf(call *wasm.Call) (*invocation, error) {
	inv, ok := call.Data.(*invocation)
	if !ok {
		return nil, fault.New(fault.Internal, "host", "a host function was called outside an invocation")
	}
	return inv, nil
}

// record notes a call and gives it complete. start comes from the host's clock.
func (inv *invocation) record(c Call, start time.Time) Call {
	c.Duration = inv.host.deps.Now().Sub(start)
	c.Subject = inv.redact(c.Subject)
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if len(inv.calls) < maxCalls {
		inv.calls = append(inv.calls, c)
	}
	return c
}

// hand remembers a secret value. Very short ones are not searched for: they occur by chance.
func (inv *invocation) hand(key string, value []byte) {
	if s := strings.TrimSpace(string(value)); len(s) >= 4 {
		inv.mu.Lock()
		defer inv.mu.Unlock()
		if h := (handed{key, s}); !slices.Contains(inv.handed, h) {
			inv.handed = append(inv.handed, h)
		}
	}
}

// redact replaces every secret the guest got.
func (inv *invocation) redact(s string) string {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for _, h := range inv.handed {
		s = strings.ReplaceAll(s, h.value, "[secret]")
	}
	return s
}

// log is the host's logger with what every line about this invocation says.
func (inv *invocation) log() *slog.Logger {
	return inv.host.deps.Log.With("env", inv.tenant.Env, "tenant", inv.tenant.Tenant, "pack", inv.request.Pack,
		"flow", inv.request.Flow, "node", inv.request.Node, "component", inv.component)
}

// lines logs what a guest prints, line by line, and keeps the last line for its epitaph.
type lines struct {
	inv  *invocation
	ctx  context.Context
	part []byte
	last string
	said bool // last is why a runtime gave up, and what follows is only where
}

// Write implements io.Writer; it never fails.
func (l *lines) Write(b []byte) (int, error) {
	l.part = append(l.part, b...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 {
			break
		}
		l.line(string(l.part[:i]))
		l.part = l.part[i+1:]
	}
	if len(l.part) > 4096 {
		l.flush()
	}
	return len(b), nil
}

func (l *lines) flush() {
	if len(l.part) > 0 {
		l.line(string(l.part))
		l.part = nil
	}
}

func (l *lines) line(s string) {
	if s = strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD")); s == "" || strings.HasPrefix(s, "note: run with `RUST_BACKTRACE") {
		return
	}
	line := l.inv.redact(s)
	if !l.said {
		l.last = line
		l.said = strings.HasPrefix(s, "fatal error: ") || strings.HasPrefix(s, "panic: ") // of Go
	}
	if l.inv.player == nil && l.inv.host.deps.Log.Enabled(l.ctx, slog.LevelDebug) {
		l.inv.log().DebugContext(l.ctx, "guest output", "line", line)
	}
}
