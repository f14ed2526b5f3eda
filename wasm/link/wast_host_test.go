package link_test

import (
	"context"
	"fmt"

	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// wastHosts offers what the scripts of Wasmtime expect of an embedder, less the core modules,
// which a host of ours does not supply.
func wastHosts() *link.Hosts {
	constant := func(v any) link.Func {
		return func(context.Context, *link.Call, []any) (any, error) { return v, nil }
	}
	var drops, last uint32
	is := func(rep any, want any) error {
		if rep != want {
			return fmt.Errorf("the handle is %v, want %v", rep, want)
		}
		return nil
	}
	h := &link.Hosts{}
	h.Add(&link.Interface{Name: "", Funcs: map[string]link.Func{
		"host-return-two": constant(uint32(2)),
		"host-echo-u32":   func(_ context.Context, _ *link.Call, args []any) (any, error) { return args[0], nil },
	}})
	h.Add(&link.Interface{Name: "host/nested", Funcs: map[string]link.Func{"return-four": constant(uint32(4))}})
	h.Add(&link.Interface{
		Name: "host",
		Funcs: map[string]link.Func{
			"return-three": constant(uint32(3)),
			"return-hi":    constant("hi"),
			"[constructor]resource1": func(_ context.Context, _ *link.Call, args []any) (any, error) {
				return canon.Handle{Rep: args[0]}, nil
			},
			"[static]resource1.assert": func(_ context.Context, _ *link.Call, args []any) (any, error) {
				drops, last = drops+1, args[0].(canon.Handle).Rep.(uint32) // an own that came in ends here
				return nil, is(args[0].(canon.Handle).Rep, args[1])
			},
			"[static]resource1.last-drop": func(context.Context, *link.Call, []any) (any, error) { return last, nil },
			"[static]resource1.drops":     func(context.Context, *link.Call, []any) (any, error) { return drops, nil },
			"[method]resource1.simple": func(_ context.Context, _ *link.Call, args []any) (any, error) {
				return nil, is(args[0].(canon.Handle).Rep, args[1])
			},
			"[method]resource1.take-borrow": constant(nil),
			"[method]resource1.take-own":    constant(nil),
		},
		Resources: map[string]func(context.Context, *link.Call, any){
			"resource1": func(_ context.Context, _ *link.Call, rep any) { drops, last = drops+1, rep.(uint32) },
		},
	})
	return h
}
