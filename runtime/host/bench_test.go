package host

import (
	"context"
	"testing"

	"greentic.dev/wasm"
)

// BenchmarkInvoke is a whole invocation through this package: the Telegram provider when
// GREENTIC_INPUT is set, else the example's triage node.
func BenchmarkInvoke(b *testing.B) {
	for _, c := range []struct{ name, operation string }{{"triage", "classify"}, {"telegram", "healthcheck"}} {
		b.Run(c.name, func(b *testing.B) {
			path := guests + "/helpdesk.triage/component.wasm"
			if c.name == "telegram" {
				path = public(b, "telegram.wasm")
			}
			e, err := wasm.New(b.Context(), wasm.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close(context.Background())
			component, err := New(Deps{Engine: e}, Options{}).Load(b.Context(), c.name, read(b, path))
			if err != nil {
				b.Fatal(err)
			}
			request := Request{Operation: c.operation, Input: map[string]any{"text": "hello"}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := component.Invoke(b.Context(), ofTenant("a"), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
