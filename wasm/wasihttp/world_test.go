package wasihttp

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	inRead  = "io/streams [method]input-stream.read"
	inBlock = "io/streams [method]input-stream.blocking-read"
	permits = "io/streams [method]output-stream.check-write"
	write   = "io/streams [method]output-stream.write"
	flushed = "io/streams [method]output-stream.blocking-write-and-flush"
)

// world is one invocation to call functions in, by the name a guest imports.
type world struct {
	t     *testing.T
	ctx   context.Context
	state *wasi.State
	funcs map[string]link.Func
}

func newWorld(t *testing.T, cfg wasi.Config) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), state: wasi.NewState(cfg), funcs: functions()}
	t.Cleanup(w.state.Close)
	return w
}

// functions is everything a guest can import.
func functions() map[string]link.Func {
	funcs := map[string]link.Func{}
	for _, i := range append(wasi.Interfaces(), Interfaces()...) {
		name, _, _ := strings.Cut(strings.TrimPrefix(i.Name, "wasi:"), "@")
		for f, fn := range i.Funcs {
			funcs[name+" "+f] = fn
		}
	}
	return funcs
}

func (w *world) try(name string, args ...any) (any, error) {
	w.t.Helper()
	f := w.funcs[name]
	if f == nil {
		w.t.Fatalf("there is no function %q", name)
	}
	return f(w.ctx, &link.Call{System: w.state}, args)
}

func (w *world) call(name string, args ...any) any {
	w.t.Helper()
	v, err := w.try(name, args...)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return v
}

// drop drops a handle as a guest does.
func (w *world) drop(h canon.Handle) error {
	if d, ok := h.Rep.(link.Dropper); ok {
		return d.Dropped()
	}
	return nil
}

// session is what the package holds for the invocation.
func (w *world) session() *session {
	return w.state.Part(sessionKey{}, func() wasi.Part { return &session{wire: w.state.Wire()} }).(*session)
}

func ok[T any](t *testing.T, v any) T {
	t.Helper()
	r, isResult := v.(canon.Result)
	if !isResult || r.IsErr {
		t.Fatalf("got %#v, want an ok result", v)
	}
	got, isT := r.Value.(T)
	if !isT {
		t.Fatalf("got ok of %T, want %T", r.Value, got)
	}
	return got
}

// failure is the case name inside an error result.
func failure(t *testing.T, v any) string {
	t.Helper()
	r, _ := v.(canon.Result)
	c, isCase := r.Value.(canon.Variant)
	if !r.IsErr || !isCase {
		t.Fatalf("got %#v, want an error result", v)
	}
	return c.Case
}
