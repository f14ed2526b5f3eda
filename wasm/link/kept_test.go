package link_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"greentic.dev/greentic/fault"
	wire "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program compiles a component of testdata on an engine that restores in the given way.
func program(t testing.TB, way core.Way, name string) *link.Program {
	t.Helper()
	ctx := context.Background()
	e, err := core.New(ctx, core.Options{Images: way})
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join("testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := wire.Decode(code, wire.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := link.NewPlan(decoded, wire.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := link.Compile(ctx, e, plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.Close(ctx), e.Close(ctx)); err != nil {
			t.Error(err)
		}
		if p.Open() != 0 {
			t.Error("a binding is still open")
		}
	})
	return p
}

// guest is a binding whose starts are counted.
type guest struct {
	*link.Bound
	starts atomic.Int32
	wait   link.Func
	born   func() // called by a component that asks for the time, as kept does when it starts
}

// bind binds with WASI and "wait"; a component that calls get-stdout or wait when it starts
// shows so in starts.
func bind(t testing.TB, p *link.Program) *guest {
	t.Helper()
	g := &guest{wait: func(context.Context, *link.Call, []any) (any, error) { return nil, nil }}
	system, own := &link.Hosts{}, &link.Hosts{}
	wasi.Register(system)
	own.Add(&link.Interface{Name: "", Funcs: map[string]link.Func{"wait": func(ctx context.Context, c *link.Call, args []any) (any, error) {
		return g.wait(ctx, c, args)
	}}})
	now := system.Lookup("wasi:clocks/monotonic-clock@0.2.9").Funcs["now"]
	own.Add(&link.Interface{Name: "wasi:clocks/monotonic-clock@0.2.0", Fixed: wasi.Fixed, Funcs: map[string]link.Func{
		"now": func(ctx context.Context, c *link.Call, args []any) (any, error) {
			if g.starts.Add(1); g.born != nil {
				g.born()
			}
			return now(ctx, c, args)
		}}})
	b, err := p.Bind(own, system)
	if err != nil {
		t.Fatal(err)
	}
	g.Bound = b
	return g
}

// as is a request of owner in an empty world.
func as(owner, fn string, args ...any) link.Request {
	return in(wasi.Config{}, owner, fn, args...)
}

func in(cfg wasi.Config, owner, fn string, args ...any) link.Request {
	return link.Request{Func: fn, Args: args, Owner: owner, Birth: wasi.Birth(cfg), System: wasi.NewState(cfg), Limits: link.Limits{Payload: 1 << 20}}
}

func (g *guest) do(t testing.TB, r link.Request) any {
	t.Helper()
	v, _, err := g.Invoke(context.Background(), r)
	if err != nil {
		t.Fatalf("%s: %v", r.Func, err)
	}
	return v
}

const secret = uint64(0x5ec5e75ec5e75ec5)

// clean checks that nothing of the secret is anywhere: not at rest, not for any owner.
func (g *guest) clean(t *testing.T, owners ...string) {
	t.Helper()
	needle := binary.LittleEndian.AppendUint64(nil, secret)
	memories, found := g.AtRest("seek")
	for i, m := range memories {
		if bytes.Contains(m, needle) {
			t.Errorf("memory %d holds the secret while it rests", i)
		}
	}
	for _, s := range g.Stacks() {
		if bytes.Contains(s, needle) {
			t.Error("a stack holds the secret while it rests")
		}
	}
	for _, v := range found {
		if v != 0 {
			t.Errorf("an instance at rest knows %#x", v)
		}
	}
	g.forgotten(t)
	for _, owner := range owners {
		if v := g.do(t, as(owner, "seek")); v != uint64(0) {
			t.Errorf("%s sees %#x", owner, v)
		}
		if v := g.do(t, as(owner, "pages")); v != uint32(1) {
			t.Errorf("%s has %v pages", owner, v)
		}
		if _, _, err := g.Invoke(t.Context(), as(owner, "far")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s reads past its memory: %v", owner, err)
		}
	}
}

func ways(t *testing.T, f func(t *testing.T, way core.Way)) {
	for name, way := range map[string]core.Way{"scanning": core.ByScanning, "page map": core.ByPageMap, "dropping": core.ByDropping, "copying": core.ByCopying} {
		t.Run(name, func(t *testing.T) { f(t, way) })
	}
}

func TestNoInvocationSeesWhatAnotherLeft(t *testing.T) {
	ways(t, func(t *testing.T, way core.Way) {
		g := bind(t, program(t, way, "kept"))
		for range 20 {
			g.do(t, as("a", "hide", secret))
			if g.Resting() == 0 {
				t.Fatal("nothing is kept")
			}
			g.clean(t, "a", "b", "")
			if v := g.do(t, as("a", "hide-and-grow", secret)); v != uint32(1) {
				t.Errorf("it grew at %v", v)
			}
			g.clean(t, "a", "b")
			if _, _, err := g.Invoke(t.Context(), as("a", "hide-and-trap", secret)); !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
			g.clean(t, "b", "a")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, _, err := g.Invoke(ctx, as("a", "hide-and-spin", secret)); !fault.Is(err, fault.Timeout) {
			t.Error(err)
		}
		g.clean(t, "a", "b")
	})
}

func TestAnInstanceServesItsOwnerOnly(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "kept"))
	for range 50 {
		g.do(t, as("a", "hide", secret))
	}
	if n := g.starts.Load(); n != 1 || g.Resting() != 1 {
		t.Errorf("%d starts, %d at rest", n, g.Resting())
	}
	g.do(t, as("b", "seek"))
	if n := g.starts.Load(); n != 1 || g.Resting() != 2 {
		t.Errorf("another owner, whose instance resumes the image: %d starts, %d at rest", n, g.Resting())
	}
	g.do(t, as("", "seek"))
	if n := g.starts.Load(); n != 2 || g.Resting() != 2 {
		t.Errorf("nobody: %d starts, %d at rest", n, g.Resting())
	}
	for i := range 2 * link.MaxIdle {
		g.do(t, as(strconv.Itoa(i), "seek"))
	}
	if n := g.Resting(); n != link.MaxIdle {
		t.Errorf("%d at rest, want %d", n, link.MaxIdle)
	}
	g.Age()
	g.do(t, as("a", "seek"))
	g.Sweep()
	if n := g.Resting(); n != 1 {
		t.Errorf("%d at rest, but all but one were old", n)
	}
}

func TestAnInstanceThatFailedIsNotUsedAgain(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "kept"))
	g.wait = func(context.Context, *link.Call, []any) (any, error) { return nil, fault.New(fault.Denied, "", "no") }
	g.do(t, as("a", "seek"))
	for _, r := range []link.Request{as("a", "hide-and-trap", secret), as("a", "hide-and-wait", secret), as("a", "hide", "wrong")} {
		if _, _, err := g.Invoke(t.Context(), r); err == nil || g.Resting() != 0 {
			t.Errorf("%s: %v, %d at rest", r.Func, err, g.Resting())
		}
		g.do(t, as("a", "seek"))
	}
	if n := g.starts.Load(); n != 1 {
		t.Errorf("%d starts, but later instances resume the image", n)
	}
}

func TestHandlesFromTheStartBelongToTheInvocation(t *testing.T) {
	ways(t, func(t *testing.T, way core.Way) {
		g := bind(t, program(t, way, "kept"))
		for range 3 {
			var out bytes.Buffer
			g.do(t, in(wasi.Config{Stdout: &out}, "a", "print"))
			if out.String() != "hello" {
				t.Fatalf("it printed %q", &out)
			}
			g.do(t, as("a", "drop"))
			if v := g.do(t, as("a", "more", uint32(3))); v != uint32(4) {
				t.Fatalf("the third further handle is %v", v)
			}
		}
		if n := g.starts.Load(); n != 1 {
			t.Errorf("%d starts", n)
		}
		if v := g.do(t, as("a", "age")).(int64); v <= 0 {
			t.Errorf("the clock went back by %d", -v)
		}
	})
}

func TestAStackThatHasGrownIsNotKept(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "kept"))
	g.do(t, as("a", "deep", uint32(9000)))
	if g.Resting() != 1 || len(g.Stacks()) != 0 {
		t.Errorf("%d at rest with %d functions", g.Resting(), len(g.Stacks()))
	}
	if g.do(t, as("a", "seek")); len(g.Stacks()) != 1 {
		t.Errorf("%d functions are kept", len(g.Stacks()))
	}
}

func TestLimitsHoldInKeptInstances(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "kept"))
	g.wait = func(ctx context.Context, _ *link.Call, _ []any) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
	for range 3 {
		with := func(l link.Limits, fn string, args ...any) (any, link.Stats, error) {
			r := as("a", fn, args...)
			r.Limits = l
			return g.Invoke(t.Context(), r)
		}
		if v, s, err := with(link.Limits{Memory: 2 << 16}, "hide-and-grow", secret); v != uint32(1<<32-1) || s.PeakMemory > 2<<16 {
			t.Errorf("grew to %v, %d bytes: %v", v, s.PeakMemory, err)
		}
		if v, _, err := with(link.Limits{Memory: 8 << 16}, "hide-and-grow", secret); v != uint32(1) {
			t.Errorf("grew to %v: %v", v, err)
		}
		if _, _, err := with(link.Limits{Memory: 1}, "seek"); !fault.Is(err, fault.Exhausted) {
			t.Errorf("no memory: %v", err)
		}
		if _, _, err := with(link.Limits{Depth: 50}, "deep", uint32(100)); !fault.Is(err, fault.Exhausted) {
			t.Errorf("depth: %v", err)
		}
		if _, _, err := with(link.Limits{Depth: 200}, "deep", uint32(100)); err != nil {
			t.Errorf("depth: %v", err)
		}
		if _, s, err := with(link.Limits{HostCalls: 4}, "more", uint32(3)); !fault.Is(err, fault.Exhausted) || s.HostCalls != 5 {
			t.Errorf("host calls: %v, %+v", err, s)
		}
		if _, _, err := with(link.Limits{Handles: 3}, "more", uint32(3)); !fault.Is(err, fault.Exhausted) {
			t.Errorf("handles: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Millisecond, cancel)
		if _, _, err := g.Invoke(ctx, as("a", "hide-and-wait", secret)); !fault.Is(err, fault.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if _, _, err := g.Invoke(ctx, as("c", "seek")); !fault.Is(err, fault.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
	}
	g.clean(t, "a")
}

func TestKeptAndFreshInstancesUseTheSame(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "kept"))
	for _, r := range []link.Request{as("", "seek"), as("", "deep", uint32(100)), as("", "more", uint32(3)), as("", "hide-and-grow", secret)} {
		want, fresh, _ := g.Invoke(t.Context(), r)
		for range 3 {
			r.Owner = "a"
			got, kept, err := g.Invoke(t.Context(), r)
			if !kept.Kept || fresh.Kept {
				t.Errorf("%s: kept %+v, fresh %+v", r.Func, kept, fresh)
			}
			fresh.Wall, fresh.CPU, kept.Wall, kept.CPU, kept.Kept = 0, 0, 0, 0, false
			if got != want || kept != fresh {
				t.Errorf("%s: %v %+v, fresh %v %+v, %v", r.Func, got, kept, want, fresh, err)
			}
		}
	}
}

func TestAStartThatCallsTheHostIsNeverKept(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "start-calls"))
	seen := 0
	g.wait = func(_ context.Context, c *link.Call, _ []any) (any, error) {
		if c.Data != "mine" {
			t.Errorf("called with %v", c.Data)
		}
		seen++
		return nil, nil
	}
	for range 5 {
		r := as("a", "f")
		r.Data = "mine"
		g.do(t, r)
	}
	if seen != 5 || g.Resting() != 0 || g.Images() != 0 {
		t.Errorf("%d calls, %d at rest", seen, g.Resting())
	}
}

func TestWhatAnInvocationShowsTheStartIsNotKept(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "kept"))
	for _, cfg := range []wasi.Config{{Args: []string{"x"}}, {Env: [][2]string{{"K", "v"}}}, {InsecureSeed: [2]uint64{1, 2}},
		{Random: strings.NewReader("x")}, {Monotonic: func() time.Duration { return 1 }}} {
		g.do(t, in(cfg, "a", "seek"))
	}
	if g.Resting() != 0 {
		t.Errorf("%d at rest", g.Resting())
	}
	g.do(t, in(wasi.Config{Files: os.DirFS(t.TempDir())}, "a", "seek"))
	g.do(t, as("a", "seek"))
	if g.Resting() != 2 || g.Images() != 2 {
		t.Errorf("%d at rest of %d images; files make a difference", g.Resting(), g.Images())
	}
}

func TestALeakedResourceIsDestroyedAndItsInstanceGone(t *testing.T) {
	destroyed := 0
	h := &link.Hosts{}
	h.Add(&link.Interface{Name: "test:host/counters@1.2.0", Funcs: map[string]link.Func{
		"[constructor]counter":  func(context.Context, *link.Call, []any) (any, error) { return canon.Handle{Rep: new(int)}, nil },
		"[method]counter.bump":  func(context.Context, *link.Call, []any) (any, error) { return uint32(1), nil },
		"[static]counter.count": func(context.Context, *link.Call, []any) (any, error) { return uint32(1), nil },
	}, Resources: map[string]func(context.Context, *link.Call, any){"counter": func(context.Context, *link.Call, any) { destroyed++ }}})
	b, err := program(t, core.ByScanning, "host-resource").Bind(h)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{Bound: b}
	g.do(t, as("a", "work", uint32(1)))
	if destroyed != 1 || g.Resting() != 1 {
		t.Errorf("%d destroyed, %d at rest", destroyed, g.Resting())
	}
	g.do(t, as("a", "leak", uint32(1)))
	if destroyed != 2 || g.Resting() != 0 {
		t.Errorf("after a leak %d destroyed, %d at rest", destroyed, g.Resting())
	}
}

func TestImagesAreMadeAnew(t *testing.T) {
	ways(t, func(t *testing.T, way core.Way) {
		g := bind(t, program(t, way, "kept"))
		for round := range 5 {
			g.do(t, as("a", "hide", secret))
			g.do(t, as("b", "hide", secret))
			g.clean(t, "a", "b")
			if g.Images() != 1 {
				t.Errorf("round %d: %d images", round, g.Images())
			}
			g.Age()
		}
	})
}

func TestConcurrentInvocationsDoNotMeet(t *testing.T) {
	ways(t, func(t *testing.T, way core.Way) {
		g := bind(t, program(t, way, "kept"))
		g.wait = func(context.Context, *link.Call, []any) (any, error) { runtime.Gosched(); return nil, nil }
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				owner := strconv.Itoa(i % 3)
				for j := range 50 {
					mine := uint64(i)<<32 | uint64(j) + 1
					if v := g.do(t, as(owner, "hide-and-wait", mine)); v != mine {
						t.Errorf("got %v, want %v", v, mine)
					}
					if v := g.do(t, as(owner, "seek")); v != uint64(0) {
						t.Errorf("%s sees %v", owner, v)
					}
					if j%10 == 5 && i%4 == 0 {
						g.Age()
						_, _, _ = g.Invoke(t.Context(), as(owner, "hide-and-trap", mine))
					}
				}
			})
		}
		wg.Wait()
		g.clean(t, "0", "1", "2")
	})
}

func TestCloseFreesWhatIsKept(t *testing.T) {
	p := program(t, core.ByScanning, "kept")
	before := mappings(t)
	for range 50 {
		g := bind(t, p)
		g.wait = func(context.Context, *link.Call, []any) (any, error) {
			g.Close() // while an instance works
			return nil, nil
		}
		g.do(t, as("a", "hide", secret))
		g.do(t, as("b", "hide-and-grow", secret))
		g.do(t, as("a", "hide-and-wait", secret))
		g.do(t, as("a", "seek")) // after Close: fresh
		g.Close()
		if g.Resting() != 0 {
			t.Fatal("an instance rests in a closed binding")
		}
	}
	early := bind(t, p)
	early.born = early.Close // while an image is made
	early.do(t, as("a", "seek"))
	if early.Images() != 0 || early.Resting() != 0 {
		t.Error("a closed binding has an image")
	}
	if after := mappings(t); after.images != before.images || after.files != before.files || after.all > before.all+20 {
		t.Errorf("%+v, before %+v", after, before)
	}
	func() { bind(t, p).do(t, as("a", "seek")) }()
	for p.Open() > 0 { // a dropped binding is closed when the collector finds it
		if t.Context().Err() != nil {
			t.Fatal("a dropped binding stays open")
		}
		runtime.GC()
		runtime.Gosched()
	}
	if after := mappings(t); after.images != before.images {
		t.Errorf("%+v, before %+v", after, before)
	}
}

// held is what a process holds of the system.
type held struct{ all, images, files int }

func mappings(t *testing.T) (h held) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip("the system does not show its mappings")
	}
	h.all, h.images = bytes.Count(maps, []byte("\n")), bytes.Count(maps, []byte("guest-image"))
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if name, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(name, "guest-image") || strings.HasSuffix(name, "/pagemap") {
			h.files++
		}
	}
	return h
}

// A start that was cut short says nothing about the component.
func TestACancelledBirthIsTriedAgain(t *testing.T) {
	g := bind(t, program(t, core.ByScanning, "kept"))
	ctx, cancel := context.WithCancel(t.Context())
	g.born = cancel
	if _, _, err := g.Invoke(ctx, as("a", "seek")); !fault.Is(err, fault.Canceled) {
		t.Error(err)
	}
	g.born = nil
	if g.do(t, as("a", "seek")); g.Resting() != 1 {
		t.Errorf("%d at rest", g.Resting())
	}
}
