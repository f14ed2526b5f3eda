package wasm_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"greentic.dev/wasm"
	"greentic.dev/wasm/link"
)

// parking is a host function in which invocations wait for one another.
type parking struct {
	left atomic.Int64  // that have not come yet
	full chan struct{} // closed by the last one
	open chan struct{} // closed to let all go
}

func newParking(n int) *parking {
	p := &parking{full: make(chan struct{}), open: make(chan struct{})}
	p.left.Store(int64(n))
	return p
}

func (p *parking) wait(ctx context.Context) error {
	if p.left.Add(-1) == 0 {
		close(p.full)
	}
	select {
	case <-p.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// park runs n invocations, of a hundred owners and of nobody, until all of them wait in the
// host, measures, lets them go and checks their answers.
func park(t *testing.T, n int, b *wasm.Bound, p *parking, inv func(i int) wasm.Invocation, right func(i int, v any) bool) {
	t.Helper()
	debug.FreeOSMemory()
	before := resident("VmRSS:")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			in := inv(i)
			if i%4 != 0 {
				in.Owner = strconv.Itoa(i % 100)
			}
			v, _, err := b.Invoke(ctx, in)
			if err != nil || !right(i, v) {
				if ctx.Err() == nil {
					t.Errorf("invocation %d: %v, %v", i, v, err)
				}
				cancel() // the others need not wait
			}
		})
	}
	select {
	case <-p.full:
	case <-ctx.Done():
		wg.Wait()
		t.Fatal("not all of them came to wait")
	}
	grew, threads := resident("VmRSS:")-before, threads()
	close(p.open)
	wg.Wait()
	t.Logf("%d invocations wait in %d MiB, %d KiB each, on %d threads", n, grew>>20, grew/uint64(n)>>10, threads)
	if !raced && grew > 2<<30 || threads > 100 {
		t.Errorf("%d invocations wait in %d bytes on %d threads", n, grew, threads)
	}
}

// threads is how many threads the process has; 0 where the system does not say.
func threads() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "Threads:")
	line, _, _ := strings.Cut(after, "\n")
	n, _ := strconv.Atoi(strings.TrimSpace(line))
	return n
}

// crowd is how many invocations wait at once.
func crowd() int {
	if testing.Short() {
		return 1_000
	}
	return 10_000
}

func TestTenThousandInvocationsWaitInTheHost(t *testing.T) {
	code, err := os.ReadFile(filepath.Join("testdata", "parked.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	before := holdings(t)
	e, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	n := crowd()
	p := newParking(n)
	b := bind(t, c, hostileHosts(func(ctx context.Context, _ *wasm.Call, _ []any) (any, error) { return nil, p.wait(ctx) }))
	park(t, n, b, p,
		func(i int) wasm.Invocation { return wasm.Invocation{Func: "park", Args: []any{uint32(i)}} },
		func(i int, v any) bool { return v == uint32(16*i) })
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
	before.check(t)
}

func TestTenThousandPublicProvidersWaitInTheHost(t *testing.T) {
	e := engine(t)
	c := public(t, e, "telegram.wasm")
	n := crowd()
	p := newParking(n)
	h := telegramHosts(nil)
	h.Add(&wasm.Interface{Name: "greentic:secrets-store/secrets-store@1.0.0", Funcs: map[string]link.Func{
		"get": func(ctx context.Context, _ *wasm.Call, _ []any) (any, error) {
			return wasm.OK(wasm.Some([]byte("s3cret"))), p.wait(ctx)
		}}})
	park(t, n, bind(t, c, h), p,
		func(int) wasm.Invocation {
			return wasm.Invocation{Interface: telegramSchema, Func: "invoke", Args: []any{"send", []byte(telegramSend)}}
		},
		func(_ int, v any) bool { b, _ := v.([]byte); return strings.Contains(string(b), "sent") })
}
