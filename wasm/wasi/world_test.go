package wasi

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is one invocation to call functions in, by the name a guest imports.
type world struct {
	t     *testing.T
	ctx   context.Context
	state *State
	funcs map[string]link.Func
}

func newWorld(t *testing.T, cfg Config) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), state: NewState(cfg), funcs: functions()}
	t.Cleanup(w.state.Close)
	return w
}

// functions is everything a guest can import.
func functions() map[string]link.Func {
	funcs := map[string]link.Func{}
	for _, i := range Interfaces() {
		name, _, _ := strings.Cut(strings.TrimPrefix(i.Name, "wasi:"), "@")
		for f, fn := range i.Funcs {
			funcs[name+" "+f] = fn
		}
	}
	return funcs
}

// drop drops a handle as a guest does.
func (w *world) drop(h canon.Handle) error {
	if d, ok := h.Rep.(link.Dropper); ok {
		return d.Dropped()
	}
	return nil
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
