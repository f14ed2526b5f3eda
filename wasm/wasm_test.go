package wasm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/rewrite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine makes an engine that ends with the test.
func engine(t testing.TB) *wasm.Engine {
	t.Helper()
	e, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// load compiles a component of link/testdata, or of the folder GREENTIC_INPUT when the name
// has a path.
func load(t testing.TB, e *wasm.Engine, name string) *wasm.Component {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("link", "testdata", name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(context.Background(), code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bind(t testing.TB, c *wasm.Component, h *wasm.Hosts) *wasm.Bound {
	t.Helper()
	b, err := c.Bind(h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func call(b *wasm.Bound, iface, name string, args ...any) (any, error) {
	v, _, err := b.Invoke(context.Background(), wasm.Invocation{Interface: iface, Func: name, Args: args})
	return v, err
}

func must(t testing.TB, b *wasm.Bound, iface, name string, args ...any) any {
	t.Helper()
	v, err := call(b, iface, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestInvocationsAreConcurrentAndStartFresh(t *testing.T) {
	b := bind(t, load(t, engine(t), "adder"), nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				v, err := call(b, "", "add", uint32(i), uint32(j))
				if err != nil || v != uint32(i+j) {
					t.Errorf("%d+%d = %v, %v", i, j, v, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestEqualBytesCompileOnce(t *testing.T) {
	e := engine(t)
	var got [4]*wasm.Component
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = load(t, e, "adder") })
	}
	wg.Wait()
	for _, c := range got {
		if c != got[0] {
			t.Fatal("compiled twice")
		}
	}
	if d := got[0].Digest(); !strings.HasPrefix(d, "sha256:") || len(d) != 71 || got[0].Size() == 0 {
		t.Errorf("digest %q, size %d", d, got[0].Size())
	}
}

func TestCompiledCodeIsKeptOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for range 2 {
		e, err := wasm.New(context.Background(), wasm.Options{CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if v := must(t, bind(t, load(t, e, "adder"), nil), "", "add", uint32(20), uint32(22)); v != uint32(42) {
			t.Errorf("add = %v", v)
		}
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(files) == 0 {
		t.Error("nothing was kept")
	}
}

func TestUnknownFunctionsAreNotFound(t *testing.T) {
	b := bind(t, load(t, engine(t), "adder"), nil)
	for _, f := range [][2]string{{"", "nope"}, {"test:values/values@1.0.1", "grow"}, {"test:values/values@1.0.0", "nope"}, {"add", "add"}} {
		if _, err := call(b, f[0], f[1]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v: %v", f, err)
		}
	}
}

func TestReflectionShowsResolvedTypes(t *testing.T) {
	c := load(t, engine(t), "host-resource")
	imports := c.Imports()
	if len(imports) != 1 || imports[0].Name != "test:host/counters@1.2.0" || len(imports[0].Order) != 3 || imports[0].Resources[0] != "counter" {
		t.Fatalf("%+v", imports)
	}
	bump := imports[0].Funcs["[method]counter.bump"]
	give, ok := c.Func("", "give")
	if !ok || give.Result.Resource != bump.Params[0].Type.Resource || give.Result.Resource.Host != "test:host/counters@1.2.0/counter" {
		t.Errorf("the resource of give is not that of bump: %+v", give)
	}
	c = load(t, engine(t), "adder")
	f, ok := c.Func("test:values/values@1.0.0", "check")
	if !ok || f.Params[0].Type.Name != "person" || f.Params[0].Type.Fields[1].Name != "tags" {
		t.Errorf("%+v", f)
	}
}

func hostileHosts(f wasm.HostFunc) *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "", Funcs: map[string]wasm.HostFunc{"wait": f}})
	return h
}

func nothing(context.Context, *wasm.Call, []any) (any, error) { return nil, nil }

func TestTrapsCarryReasonAndBacktrace(t *testing.T) {
	b := bind(t, load(t, engine(t), "hostile"), hostileHosts(nothing))
	for name, reason := range map[string]string{"trap": "unreachable", "divide": "integer divide by zero", "far": "out of bounds memory access"} {
		var args []any
		if name == "divide" {
			args = []any{uint32(0)}
		}
		_, err := call(b, "", name, args...)
		var trap *wasm.Trap
		if !fault.Is(err, fault.Invalid) || !errors.As(err, &trap) || !strings.Contains(trap.Reason, reason) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, _, code := fault.Detail(err); code != link.TrapCode {
			t.Errorf("%s: code %q", name, code)
		}
		if name == "trap" && (len(trap.Backtrace) != 3 || !strings.Contains(trap.Backtrace[0], "inner") || !strings.Contains(trap.Backtrace[1], "outer")) {
			t.Errorf("backtrace %q", trap.Backtrace)
		}
	}
}

func TestAnEndlessLoopEndsAtItsDeadlineAndWhenCancelled(t *testing.T) {
	e := engine(t)
	for _, name := range []string{"hostile", "start-loops"} {
		f := map[string]string{"hostile": "spin", "start-loops": "f"}[name]
		b := bind(t, load(t, e, name), hostileHosts(nothing))
		start := time.Now()
		_, _, err := b.Invoke(context.Background(), wasm.Invocation{Func: f, Limits: wasm.Limits{Wall: 50 * time.Millisecond}})
		if !fault.Is(err, fault.Timeout) || time.Since(start) > 2*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, _, err = b.Invoke(ctx, wasm.Invocation{Func: f}); !fault.Is(err, fault.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABlockedHostCallEndsWithItsContext(t *testing.T) {
	b := bind(t, load(t, engine(t), "hostile"), hostileHosts(func(ctx context.Context, _ *wasm.Call, _ []any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	_, _, err := b.Invoke(context.Background(), wasm.Invocation{Func: "wait", Limits: wasm.Limits{Wall: 20 * time.Millisecond}})
	if !fault.Is(err, fault.Timeout) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, _, err = b.Invoke(ctx, wasm.Invocation{Func: "wait"}); !fault.Is(err, fault.Canceled) {
		t.Error(err)
	}
}

func TestLimitsAreExhausted(t *testing.T) {
	e := engine(t)
	b := bind(t, load(t, e, "hostile"), hostileHosts(nothing))
	v, s, err := b.Invoke(context.Background(), wasm.Invocation{Func: "hog", Limits: wasm.Limits{Memory: 4 << 20}})
	if err != nil || v.(uint32) > 64 || s.PeakMemory > 4<<20 {
		t.Errorf("hog got %v pages, %d bytes, %v", v, s.PeakMemory, err)
	}
	if _, _, err = b.Invoke(context.Background(), wasm.Invocation{Func: "hog", Limits: wasm.Limits{Memory: 1}}); !fault.Is(err, fault.Exhausted) {
		t.Errorf("initial memory: %v", err)
	}
	_, s, err = b.Invoke(context.Background(), wasm.Invocation{Func: "call-out", Args: []any{uint32(1000)}, Limits: wasm.Limits{HostCalls: 100}})
	if !fault.Is(err, fault.Exhausted) || s.HostCalls != 101 {
		t.Errorf("host calls: %v, %+v", err, s)
	}
	a := bind(t, load(t, e, "adder"), nil)
	_, _, err = a.Invoke(context.Background(), wasm.Invocation{Func: "echo", Args: []any{strings.Repeat("x", 100_000)}, Limits: wasm.Limits{Payload: 1000}})
	if !fault.Is(err, fault.Exhausted) {
		t.Errorf("payload: %v", err)
	}
	if _, _, err = b.Invoke(context.Background(), wasm.Invocation{Func: "deep"}); !fault.Is(err, fault.Exhausted) {
		t.Errorf("depth: %v", err)
	}
}

// The verdict is exact, on every machine, kept or fresh; only when it falls is a matter of slices.
func TestFuelIsTheSameForTheSameWorkAndItsLimitIsExact(t *testing.T) {
	b := bind(t, load(t, engine(t), "hostile"), hostileHosts(nothing))
	inv := wasm.Invocation{Func: "call-out", Args: []any{uint32(20_000)}}
	_, s, err := b.Invoke(t.Context(), inv)
	if err != nil || s.Fuel < 20_000 || s.CPU <= 0 || s.CPU > s.Wall+time.Millisecond {
		t.Fatalf("%+v %v", s, err)
	}
	for range 5 {
		for _, owner := range []string{"", "a", "b"} {
			inv.Owner, inv.Limits.Fuel = owner, s.Fuel
			if _, again, err := b.Invoke(t.Context(), inv); err != nil || again.Fuel != s.Fuel {
				t.Errorf("owner %q: %+v %v, want the fuel of %+v", owner, again, err, s)
			}
			inv.Limits.Fuel = s.Fuel - 1
			if _, _, err := b.Invoke(t.Context(), inv); !fault.Is(err, fault.Exhausted) {
				t.Errorf("owner %q, one point less: %v", owner, err)
			}
		}
	}
	_, s, err = b.Invoke(t.Context(), wasm.Invocation{Func: "spin", Limits: wasm.Limits{Fuel: 1_000_000}})
	if !fault.Is(err, fault.Exhausted) || s.Fuel > 1_000_000+rewrite.Slice {
		t.Errorf("an endless loop: %+v %v", s, err)
	}
}

func TestHostFailuresKeepTheirKind(t *testing.T) {
	secret := fault.New(fault.Denied, "policy", "not granted")
	b := bind(t, load(t, engine(t), "hostile"), hostileHosts(func(context.Context, *wasm.Call, []any) (any, error) { return nil, secret }))
	_, err := call(b, "", "wait")
	if !fault.Is(err, fault.Denied) || !errors.Is(err, secret) {
		t.Errorf("%v", err)
	}
	b = bind(t, load(t, engine(t), "hostile"), hostileHosts(func(context.Context, *wasm.Call, []any) (any, error) { panic("host defect") }))
	if _, err = call(b, "", "wait"); !fault.Is(err, fault.Internal) {
		t.Errorf("a panic of a host function: %v", err)
	}
}

func TestTheHostSideOfTheABIIsChecked(t *testing.T) {
	b := bind(t, load(t, engine(t), "hostile"), hostileHosts(nothing))
	for _, f := range []string{"bad-string", "leaves-in-post-return"} {
		if _, err := call(b, "", f); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", f, err)
		}
	}
	a := bind(t, load(t, engine(t), "adder"), nil)
	for _, args := range [][]any{{}, {uint32(1)}, {uint32(1), "x"}, {uint32(1), 2}} {
		if _, err := call(a, "", "add", args...); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestAMissingImportIsNamed(t *testing.T) {
	c := load(t, engine(t), "host-resource")
	_, err := c.Bind(nil)
	if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "test:host/counters@1.2.0#[constructor]counter") {
		t.Errorf("%v", err)
	}
	b := bind(t, c, &wasm.Hosts{TrapMissing: true})
	if _, err = call(b, "", "work", uint32(1)); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "[constructor]counter") {
		t.Errorf("%v", err)
	}
}

func TestAStartFunctionMayCallTheHost(t *testing.T) {
	calls := 0
	b := bind(t, load(t, engine(t), "start-calls"), hostileHosts(func(context.Context, *wasm.Call, []any) (any, error) {
		calls++
		return nil, nil
	}))
	if must(t, b, "", "f"); calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestReentranceTraps(t *testing.T) {
	b := bind(t, load(t, engine(t), "reenter"), nil)
	if _, err := call(b, "", "run"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "cannot enter") {
		t.Errorf("%v", err)
	}
}
