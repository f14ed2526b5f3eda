package core_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"greentic.dev/wasm/core"
)

// hot has three functions that are nearly all safe points: the worst case for their cost.
func hot() []byte {
	m := &wasmModule{memories: [][]byte{{0, 2}}}
	// fib(n): recursion
	m.fn("fib", []byte{i32}, []byte{i32}, nil,
		0x20, 0, 0x41, 2, 0x49, 0x04, 0x40, 0x20, 0, 0x0f, 0x0b,
		0x20, 0, 0x41, 1, 0x6b, 0x10, 0, 0x20, 0, 0x41, 2, 0x6b, 0x10, 0, 0x6a)
	// hash(n): h = (h ^ byte) * 16777619 over n bytes
	m.fn("hash", []byte{i32}, []byte{i32}, []byte{i32, i32},
		0x03, 0x40, 0x20, 2, 0x20, 1, 0x2d, 0, 0, 0x73, 0x41, 0x93, 0x83, 0x80, 0x08, 0x6c, 0x21, 2,
		0x20, 1, 0x41, 1, 0x6a, 0x22, 1, 0x20, 0, 0x49, 0x0d, 0, 0x0b, 0x20, 2)
	m.fn("spin", nil, nil, nil, 0x03, 0x40, 0x0c, 0, 0x0b)
	return m.bytes()
}

// BenchmarkSafePoints compares code with and without safe points (bench name safepoint_cost).
func BenchmarkSafePoints(b *testing.B) {
	ctx := context.Background()
	e := engine(b, "")
	rewritten := instance(b, e, compile(b, e, hot()), core.InstanceOptions{}).Module()
	r := wazero.NewRuntime(ctx)
	b.Cleanup(func() { _ = r.Close(ctx) })
	plain, err := r.Instantiate(ctx, hot())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		arg  uint64
	}{{"fib", 24}, {"hash", 100_000}} {
		b.Run(c.name+"/plain", func(b *testing.B) { repeat(b, plain.ExportedFunction(c.name), c.arg) })
		b.Run(c.name+"/safe", func(b *testing.B) { repeat(b, rewritten.ExportedFunction(c.name), c.arg) })
	}
}

func repeat(b *testing.B, f api.Function, arg uint64) {
	for b.Loop() {
		if _, err := f.Call(context.Background(), arg); err != nil {
			b.Fatal(err)
		}
	}
}
