package guests

import (
	"context"

	"greentic.dev/wasm"
)

// Calls is the interface every guest exports: noop: func(), echo: func(b: list<u8>) -> list<u8>
// and hostcalls: func(n: u32), which calls tick n times.
const Calls = "bench:guest/calls@1.0.0"

// Hosts is what the guests import: tick: func(x: u32) -> u32, which gives the next number.
func Hosts() *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "bench:guest/host@1.0.0", Funcs: map[string]wasm.HostFunc{
		"tick": func(_ context.Context, _ *wasm.Call, args []any) (any, error) { return args[0].(uint32) + 1, nil },
	}})
	return h
}
