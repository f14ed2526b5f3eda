package guests

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"greentic.dev/wasm"
)

// calls is the interface every guest exports.
const calls = "bench:guest/calls@1.0.0"

// hosts is what the guests import.
func hosts() *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "bench:guest/host@1.0.0", Funcs: map[string]wasm.HostFunc{
		"tick": func(_ context.Context, _ *wasm.Call, args []any) (any, error) { return args[0].(uint32) + 1, nil },
	}})
	return h
}

var languages = []string{"go", "qjs", "sm"}

// bound is a guest ready to be called; the test is skipped when it was not built.
func bound(t testing.TB, name string) *wasm.Bound {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("out", name+".wasm"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s.wasm is not there: bench/guests/build.sh makes it", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	e, err := wasm.New(t.Context(), wasm.Options{CacheDir: filepath.Join(cache, "greentic", "code")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	c, err := e.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Bind(hosts())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func call(t testing.TB, b *wasm.Bound, name string, args ...any) (any, wasm.Stats) {
	t.Helper()
	v, stats, err := b.Invoke(t.Context(), wasm.Invocation{Interface: calls, Func: name, Args: args, Owner: "bench", Limits: wasm.Limits{Wall: time.Minute}})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v, stats
}

// TestEveryGuestRunsOnKeptInstances: what is measured is the path that tenants get.
func TestEveryGuestRunsOnKeptInstances(t *testing.T) {
	for _, name := range languages {
		t.Run(name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("compiles up to 12 MB")
			}
			b := bound(t, name)
			payload := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			for range 3 {
				if _, stats := call(t, b, "noop"); !stats.Kept {
					t.Errorf("noop was not kept: %+v", stats)
				}
				if _, stats := call(t, b, "hostcalls", uint32(1000)); !stats.Kept || stats.HostCalls < 1000 {
					t.Errorf("hostcalls: %+v", stats)
				}
				v, stats := call(t, b, "echo", payload)
				if got, _ := v.([]byte); !stats.Kept || !bytes.Equal(got, payload) {
					t.Errorf("echo gave %d bytes, %+v", len(got), stats)
				}
			}
		})
	}
}

func BenchmarkNoop(b *testing.B) {
	for _, name := range languages {
		b.Run(name, func(b *testing.B) {
			g := bound(b, name)
			call(b, g, "noop")
			for b.Loop() {
				call(b, g, "noop")
			}
		})
	}
}

func BenchmarkEcho1MiB(b *testing.B) {
	payload := make([]byte, 1<<20)
	for _, name := range languages {
		b.Run(name, func(b *testing.B) {
			g := bound(b, name)
			call(b, g, "echo", payload)
			for b.Loop() {
				call(b, g, "echo", payload)
			}
		})
	}
}

// BenchmarkHostCall is the price of one of a thousand calls.
func BenchmarkHostCall(b *testing.B) {
	for _, name := range languages {
		b.Run(name, func(b *testing.B) {
			g := bound(b, name)
			call(b, g, "hostcalls", uint32(1000))
			for b.Loop() {
				call(b, g, "hostcalls", uint32(1000))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/call")
		})
	}
}
