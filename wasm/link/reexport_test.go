package link_test

import (
	"context"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/link"
)

// TestWhatIsImportedCanBeExportedAgain: functions, instances, resources and types of the host
// are called through; components and core modules are there but cannot be called.
func TestWhatIsImportedCanBeExportedAgain(t *testing.T) {
	h := &link.Hosts{}
	h.Add(&link.Interface{Name: "", Funcs: map[string]link.Func{"twice": func(_ context.Context, _ *link.Call, args []any) (any, error) {
		return 2 * args[0].(uint32), nil
	}}})
	destroyed := 0
	h.Add(&link.Interface{Name: "test:host/counters@1.0.0",
		Funcs: map[string]link.Func{
			"[constructor]counter": func(_ context.Context, _ *link.Call, args []any) (any, error) { return canon.Handle{Rep: args[0]}, nil },
			"[method]counter.get": func(_ context.Context, _ *link.Call, args []any) (any, error) {
				return args[0].(canon.Handle).Rep, nil
			},
		},
		Resources: map[string]func(context.Context, *link.Call, any){"counter": func(context.Context, *link.Call, any) { destroyed++ }},
	})
	p := program(t, core.Way(0), "reexport")
	b, err := p.Bind(h)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	call := func(iface, name string, args ...any) (any, error) {
		v, _, err := b.Invoke(context.Background(), link.Request{Interface: iface, Func: name, Args: args, Limits: link.Limits{Payload: 1 << 20}})
		return v, err
	}
	if v, err := call("", "again", uint32(21)); err != nil || v != uint32(42) {
		t.Errorf("again = %v, %v", v, err)
	}
	made, err := call("test:guest/counters@1.0.0", "[constructor]counter", uint32(7))
	if err != nil || made.(canon.Handle).Rep != uint32(7) {
		t.Fatalf("constructor = %v, %v", made, err)
	}
	if v, err := call("test:guest/counters@1.0.0", "[method]counter.get", made); err != nil || v != uint32(7) || destroyed != 0 {
		t.Errorf("get = %v, %v; %d destroyed", v, err, destroyed)
	}
	for _, name := range []string{"part", "code"} {
		if _, err := call("", name); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := call(name, "f"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s f: %v", name, err)
		}
	}
	var kinds link.Extern
	for _, x := range p.Plan().Exports() {
		if x.Name == "test:guest/kinds@1.0.0" {
			kinds = x
		}
	}
	if k := kinds.Types["kind"]; k == nil || len(k.Names) != 2 || len(kinds.Funcs) != 0 {
		t.Errorf("kinds: %+v", kinds)
	}
}
