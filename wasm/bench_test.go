package wasm_test

import (
	"context"
	"os"
	"testing"

	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// BenchmarkInvoke is one call, in a fresh instance and in one that is kept for its owner.
func BenchmarkInvoke(b *testing.B) {
	e := engine(b)
	run := func(name string, bound *wasm.Bound, inv wasm.Invocation) {
		for _, owner := range []string{"", "tenant"} {
			inv.Owner = owner
			way := "/fresh"
			if owner != "" {
				way = "/kept"
			}
			b.Run(name+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := bound.Invoke(context.Background(), inv); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	run("add", bind(b, load(b, e, "adder"), nil), wasm.Invocation{Func: "add", Args: []any{uint32(1), uint32(2)}})
	run("composed", bind(b, load(b, e, "composed"), nil), wasm.Invocation{Interface: "test:composed/user@1.0.0", Func: "life", Args: []any{uint32(1)}})
	run("go classify", bind(b, example(b, e, "helpdesk.triage"), nil), nodeCall("classify", wasi.Config{}))
	if os.Getenv("GREENTIC_INPUT") == "" {
		return // the public components are not here
	}
	var requests []string
	telegram := bind(b, public(b, e, "telegram.wasm"), telegramHosts(&requests))
	run("telegram healthcheck", telegram, wasm.Invocation{Interface: telegramSchema, Func: "healthcheck"})
	run("telegram send", telegram, wasm.Invocation{Interface: telegramSchema, Func: "invoke", Args: []any{"send", []byte(telegramSend)}})
	run("telegram describe", telegram, wasm.Invocation{Interface: "greentic:component/descriptor@0.6.1", Func: "describe"})
	card := bind(b, public(b, e, "ai.greentic.component-adaptive-card.wasm"), &wasm.Hosts{TrapMissing: true})
	run("card describe", card, wasm.Invocation{Interface: "greentic:component/component-descriptor@0.6.0", Func: "describe"})
}
