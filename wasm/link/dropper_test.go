package link_test

import (
	"context"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/link"
)

// stubborn is a counter that does not want to end.
type stubborn struct{ asked *int }

func (s stubborn) Dropped() error {
	*s.asked++
	return fault.New(fault.Invalid, "counter", "it is needed")
}

func TestAHostValueMayRefuseToBeDropped(t *testing.T) {
	asked, destroyed := 0, 0
	h := &link.Hosts{}
	h.Add(&link.Interface{Name: "test:host/counters@1.2.0", Funcs: map[string]link.Func{
		"[constructor]counter": func(context.Context, *link.Call, []any) (any, error) {
			return canon.Handle{Rep: stubborn{&asked}}, nil
		},
		"[method]counter.bump":  func(context.Context, *link.Call, []any) (any, error) { return uint32(1), nil },
		"[static]counter.count": func(context.Context, *link.Call, []any) (any, error) { return uint32(1), nil },
	}, Resources: map[string]func(context.Context, *link.Call, any){
		"counter": func(context.Context, *link.Call, any) { destroyed++ },
	}})
	b, err := program(t, core.ByPageMap, "host-resource").Bind(h)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for fn, fails := range map[string]bool{"work": true, "leak": false} {
		asked = 0
		_, _, err := b.Invoke(t.Context(), link.Request{Func: fn, Args: []any{uint32(1)}, Limits: link.Limits{Payload: 1 << 10}})
		if fails != fault.Is(err, fault.Invalid) || asked != 1 || destroyed != 0 {
			t.Errorf("%s: asked %d times, destroyed %d times, %v", fn, asked, destroyed, err)
		}
	}
}
