//go:build unix

package main

import (
	"context"
	"math"
	"path/filepath"

	"greentic.dev/build/js"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
)

// javascript measures an operation that does nothing, of a component that the JavaScript SDK makes:
// envelope in, result out, as the host gives and takes them.
func (g *guests) javascript(ctx context.Context) error {
	code, err := js.Build(ctx, filepath.Join("bench", "guests", "sdk"), js.Options{Engine: g.engine})
	if err != nil {
		return err
	}
	b, err := g.bind(ctx, code, nil)
	if err != nil {
		return err
	}
	text := func(name, v string) wasm.Named { return wasm.Named{Name: name, Value: v} }
	none := func(name string) wasm.Named { return wasm.Named{Name: name, Value: wasm.Option{}} }
	tenant := wasm.Record{text("tenant-id", "bench"), none("team-id"), none("user-id"), text("env-id", "local"), text("trace-id", ""), text("correlation-id", ""),
		{Name: "deadline-ms", Value: uint64(math.MaxUint64)}, {Name: "attempt", Value: uint32(1)}, none("idempotency-key"), text("i18n-id", "")}
	envelope := wasm.Record{{Name: "ctx", Value: tenant}, text("flow-id", "f"), text("step-id", "n"), text("component-id", "bench.noop"),
		{Name: "attempt", Value: uint32(1)}, {Name: "payload-cbor", Value: []byte{0xa0}}, none("metadata-cbor")}
	us, err := cost(ctx, b, kept(interfaces.Node, "invoke", "noop", envelope))
	if err != nil {
		return err
	}
	g.add("invoke_qjs_noop", us, "us CPU, of the SDK: envelope in, result out", bar(20))
	g.add("size_qjs_noop", float64(len(code))/1e6, "MB, a component of the SDK that does nothing", nil)
	return nil
}
