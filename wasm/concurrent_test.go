package wasm_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// act is one thing that many goroutines do to a shared component, and how it must end.
type act struct {
	inv   wasm.Invocation
	stop  time.Duration // when the caller gives up; 0: never
	want  any
	kinds []fault.Kind // of the error; none: it ends well
}

// acts are healthy and hostile calls of components that all goroutines share.
func acts(t *testing.T, e *wasm.Engine) (bounds []*wasm.Bound, list [][]act) {
	t.Helper()
	compile := func(code []byte) *wasm.Component {
		c, err := e.Compile(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	wait := hostileHosts(func(ctx context.Context, _ *wasm.Call, _ []any) (any, error) {
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Microsecond):
		}
		return nil, ctx.Err()
	})
	// boxes of one goroutine are destroyed by it, so that the shelf needs no lock
	handles := &wasm.Hosts{}
	handles.Add(&wasm.Interface{Name: "", Funcs: map[string]wasm.HostFunc{
		"[constructor]box": func(context.Context, *wasm.Call, []any) (any, error) { return wasm.Handle{Rep: new(int)}, nil },
		"[method]box.look": nothing, "swap": nothing, "two": nothing,
	}})
	call := func(fn string, args ...any) wasm.Invocation {
		return wasm.Invocation{Func: fn, Args: args, Limits: wasm.Limits{Memory: 4 << 20}}
	}
	invalid, exhausted := []fault.Kind{fault.Invalid}, []fault.Kind{fault.Exhausted}
	ended := []fault.Kind{fault.Canceled, fault.Timeout}
	soon := call("spin")
	soon.Limits.Wall = time.Millisecond
	bounds = []*wasm.Bound{bind(t, load(t, e, "adder"), nil), bind(t, compile(hostile(t, "code")), wait),
		bind(t, compile(hostile(t, "handles")), handles), bind(t, compile(hostile(t, "memory")), wait), bind(t, load(t, e, "composed"), nil)}
	life := call("life", uint32(5))
	life.Interface = "test:composed/user@1.0.0"
	list = [][]act{
		{{inv: call("add", uint32(1), uint32(2)), want: uint32(3)}, {inv: call("echo", "Grüße"), want: "Grüße"}},
		{{inv: call("fresh"), want: uint32(1)}, {inv: call("spoil"), want: uint32(7)}, {inv: call("spoil-and-trap"), kinds: invalid},
			{inv: call("unreachable"), kinds: invalid}, {inv: soon, kinds: ended}, {inv: call("spin"), stop: time.Millisecond, kinds: ended},
			{inv: call("wait")}, {inv: call("flood"), stop: time.Millisecond, kinds: ended}, {inv: call("dive"), kinds: exhausted}},
		{{inv: call("fresh"), want: uint32(1)}, {inv: call("hoard", uint32(100))}, {inv: call("twice"), kinds: invalid},
			{inv: call("hoard-boxes", uint32(50))}, {inv: call("destroy", uint32(0))}},
		{{inv: call("fresh"), want: uint32(1)}, {inv: call("grows", []any{uint32(9)}), want: uint32(9)}, {inv: call("post-traps"), kinds: invalid},
			{inv: call("loops", "x"), stop: time.Millisecond, kinds: ended}},
		{{inv: life, want: uint32(105*1000 + 105)}},
	}
	return bounds, list
}

// do carries out an act and checks its end.
func (a act) do(t *testing.T, b *wasm.Bound, owner string) {
	ctx := t.Context()
	if a.stop > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.stop)
		defer cancel()
	}
	inv := a.inv
	inv.Owner = owner
	v, _, err := b.Invoke(ctx, inv)
	ok := err == nil && v == a.want && len(a.kinds) == 0
	for _, k := range a.kinds {
		ok = ok || fault.Is(err, k)
	}
	if !ok {
		t.Errorf("%s of owner %q: %v, %v", inv.Func, owner, v, err)
	}
}

// Sixty-four goroutines share components, some of which misbehave, for several owners and for
// nobody, and lose and make bindings on the way. Nothing of it is left in the end.
func TestManyGoroutinesShareHostileComponents(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 10
	}
	share(t, rounds) // now the runtime has the threads and the memory it needs
	before := holdings(t)
	share(t, rounds)
	before.check(t)
}

func share(t *testing.T, rounds int) {
	t.Helper()
	e, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bounds, list := acts(t, e)
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 64))
			for range rounds {
				n := r.IntN(len(bounds))
				owner := ""
				if k := r.IntN(5); k > 0 {
					owner = strconv.Itoa(k)
				}
				list[n][r.IntN(len(list[n]))].do(t, bounds[n], owner)
			}
			bounds[g%len(bounds)].Close() // what the others keep goes; they work on
		})
	}
	wg.Wait()
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// Fifty engines, each with kept and failed instances, leave no mapping and no file behind.
func TestAnEngineThatIsClosedHoldsNothing(t *testing.T) {
	code, err := os.ReadFile(filepath.Join("testdata", "parked.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	var before held
	for round := range 50 {
		if round == 5 { // the runtime has what it needs
			before = holdings(t)
		}
		e, err := wasm.New(context.Background(), wasm.Options{CacheDir: filepath.Join(t.TempDir(), "cache")})
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.Compile(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []error{nil, fault.New(fault.Denied, "", "no")} {
			b := bind(t, c, hostileHosts(func(context.Context, *wasm.Call, []any) (any, error) { return nil, host }))
			for _, owner := range []string{"", "a", "b"} {
				_, _, err := b.Invoke(t.Context(), wasm.Invocation{Func: "park", Args: []any{uint32(1)}, Owner: owner})
				if (err == nil) != (host == nil) {
					t.Errorf("%v", err)
				}
			}
		}
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	before.check(t)
}
