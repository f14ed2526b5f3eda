package wasm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// attack is one hostile invocation and what must come of it. Every guest of testdata/hostile
// exports fresh, which counts in its memory and in a global how often it was touched.
type attack struct {
	guest  string // of testdata/hostile; or bytes
	bytes  []byte
	iface  string
	fn     string
	args   []any
	limits wasm.Limits // zero: those of gentle
	hosts  *wasm.Hosts
	world  func() wasi.Config

	well    bool // it ends well
	kind    fault.Kind
	code    string // the fault's code; empty: none is asked for
	says    string // part of the error's text
	endless bool   // it ends only when it is stopped
	unborn  bool   // it never starts, so that there is no next invocation to be fresh
	check   func(t *testing.T, v any, s wasm.Stats)
	after   func(t *testing.T) // further checks when all is over
}

// Codes of faults that are the guest's.
const (
	trapped = "guest_trap"
	abuse   = "abi_trap"
)

// gentle are the limits of an attack that names none: small, so that what a guest costs shows.
func gentle(l wasm.Limits) wasm.Limits {
	if l.Memory == 0 {
		l.Memory = 16 << 20
	}
	if l.Payload == 0 {
		l.Payload = 4 << 20
	}
	if l.Wall == 0 {
		l.Wall = 20 * time.Second
	}
	return l
}

const (
	stopWithin = 50 * time.Millisecond // from the end of a context to the end of its invocation
	tries      = 20                    // the machine may be busy with something else
	headroom   = 16 << 20              // bytes the host may use besides twice the guest's limit
)

// survive runs an attack in a fresh and in a kept instance and checks what the host promises
// about every guest: the fault has the right kind, memory stays bounded, a guest that does not
// end is stopped soon, others are untouched, the next invocation is fresh, nothing leaks.
func survive(t *testing.T, a attack) {
	t.Helper()
	before := holdings(t)
	e, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	healthy := bind(t, load(t, e, "adder"), nil)
	b := bind(t, a.compile(t, e), a.hosts)
	for _, owner := range []string{"", "attacker"} {
		a.once(t, b, owner)
		if a.endless {
			a.stops(t, b, owner)
		}
		for _, other := range []string{"", "attacker", "other"} {
			v, _, err := healthy.Invoke(t.Context(), wasm.Invocation{Func: "add", Args: []any{uint32(20), uint32(22)}, Owner: other})
			if err != nil || v != uint32(42) {
				t.Errorf("owner %q: a healthy component answers %v, %v", other, v, err)
			}
			if a.unborn {
				continue
			}
			inv := a.invocation(other)
			inv.Interface, inv.Func, inv.Args = "", "fresh", nil
			if v, _, err = b.Invoke(t.Context(), inv); err != nil || v != uint32(1) {
				t.Errorf("owner %q after %q: the next invocation sees %v, %v", other, owner, v, err)
			}
		}
	}
	if a.after != nil {
		a.after(t)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
	before.check(t)
}

func (a *attack) compile(t *testing.T, e *wasm.Engine) *wasm.Component {
	t.Helper()
	code := a.bytes
	if code == nil {
		code = hostile(t, a.guest)
	}
	c, err := e.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hostile is a component of testdata/hostile; each is made from the text beside it.
func hostile(t testing.TB, name string) []byte {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("testdata", "hostile", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// linked is a component of link/testdata.
func linked(t testing.TB, name string) []byte {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("link", "testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (a *attack) invocation(owner string) wasm.Invocation {
	inv := wasm.Invocation{Interface: a.iface, Func: a.fn, Args: a.args, Owner: owner, Limits: gentle(a.limits)}
	if a.world != nil {
		inv.WASI = a.world()
	}
	return inv
}

// once runs the attack to its end, which is its deadline if it has no other.
func (a *attack) once(t *testing.T, b *wasm.Bound, owner string) {
	t.Helper()
	inv := a.invocation(owner)
	if a.endless {
		inv.Limits.Wall = 30 * time.Millisecond
	}
	m := meter(t)
	v, stats, err := b.Invoke(t.Context(), inv)
	m.under(t, 2*inv.Limits.Memory+headroom)
	if stats.PeakMemory > inv.Limits.Memory {
		t.Errorf("owner %q: %d bytes of guest memory, the limit is %d", owner, stats.PeakMemory, inv.Limits.Memory)
	}
	switch {
	case a.endless:
		if !fault.Is(err, fault.Timeout) {
			t.Errorf("owner %q: an endless guest ends with %v, %v", owner, v, err)
		}
	case a.well:
		if err != nil {
			t.Errorf("owner %q: %v", owner, err)
		}
	default:
		_, _, code := fault.Detail(err)
		if !fault.Is(err, a.kind) || code != a.code && a.code != "" || !strings.Contains(err.Error(), a.says) {
			t.Errorf("owner %q: got %v, %v of kind %s and code %q; want kind %s, code %q, …%s…", owner, v, err, fault.KindOf(err), code, a.kind, a.code, a.says)
		}
		var trap *wasm.Trap
		if a.code == trapped && errors.As(err, &trap) && trap.Reason == "" {
			t.Errorf("owner %q: a trap without a reason: %v", owner, err)
		}
	}
	if a.check != nil {
		a.check(t, v, stats)
	}
}

// stops checks that the attack ends soon after its deadline, and soon after it is cancelled by
// a goroutine that has first seen two garbage collections through while the guest was running.
func (a *attack) stops(t *testing.T, b *wasm.Bound, owner string) {
	t.Helper()
	soon := func(name string, try func() (time.Duration, error), want fault.Kind) {
		best := time.Hour
		for range tries {
			took, err := try()
			if !fault.Is(err, want) {
				t.Fatalf("owner %q: %s ends with %v", owner, name, err)
			}
			if best = min(best, took); best < stopWithin {
				return
			}
		}
		t.Errorf("owner %q: %s took at least %v", owner, name, best)
	}
	soon("the deadline", func() (time.Duration, error) {
		inv := a.invocation(owner)
		inv.Limits.Wall = 10 * time.Millisecond
		start := time.Now()
		_, _, err := b.Invoke(t.Context(), inv)
		return time.Since(start) - inv.Limits.Wall, err
	}, fault.Timeout)
	soon("cancelling", func() (time.Duration, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cancelled := make(chan time.Time, 1)
		time.AfterFunc(5*time.Millisecond, func() {
			runtime.GC()
			runtime.GC()
			cancelled <- time.Now()
			cancel()
		})
		_, _, err := b.Invoke(ctx, a.invocation(owner))
		return time.Since(<-cancelled), err
	}, fault.Canceled)
}

// refuse checks that a component is refused when it is compiled, soon and without much memory,
// and that the engine compiles and runs others afterwards.
func refuse(t *testing.T, code []byte, kind fault.Kind, says string) {
	t.Helper()
	c, err := compiles(t, code)
	if err == nil || !slices.Contains([]fault.Kind{fault.Invalid, fault.Unsupported, fault.Exhausted}, fault.KindOf(err)) ||
		!fault.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, %v; want kind %s, …%s…", c, err, kind, says)
	}
}

// compiles compiles a component of hostile form on an engine of its own.
func compiles(t *testing.T, code []byte) (c *wasm.Component, err error) {
	t.Helper()
	const soon, small, each = 20 * time.Second, 96 << 20, 64 // bytes of the host for one of the binary
	e := engine(t)
	m, start := meter(t), time.Now()
	c, err = e.Compile(t.Context(), code)
	if took := time.Since(start); took > soon*patience {
		t.Errorf("it took %v", took)
	}
	m.under(t, small+each*uint64(len(code)))
	if v := must(t, bind(t, load(t, e, "adder"), nil), "", "add", uint32(1), uint32(2)); v != uint32(3) {
		t.Errorf("afterwards 1+2 = %v", v)
	}
	return c, err
}
