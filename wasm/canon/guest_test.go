package canon_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	types "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

// guest is a linear memory with a bump allocator, as simple as a guest can be.
type guest struct {
	mem   []byte
	next  uint32
	limit int // of memory, in bytes
	calls int
}

func newGuest(size int) *guest { return &guest{mem: make([]byte, size), next: 8, limit: 1 << 30} }

func (g *guest) realloc(_ context.Context, old, oldSize, align, size uint32) (uint32, error) {
	g.calls++
	ptr := (g.next + align - 1) &^ (align - 1)
	end := uint64(ptr) + uint64(size)
	if end > uint64(g.limit) {
		return 0, fault.New(fault.Exhausted, "realloc", "memory limit")
	}
	if end > uint64(len(g.mem)) {
		g.mem = append(g.mem, make([]byte, end-uint64(len(g.mem)))...)
	}
	copy(g.mem[ptr:], g.mem[old:old+oldSize])
	g.next = uint32(end)
	return ptr, nil
}

func (g *guest) env(e canon.Encoding, t *canon.Table) *canon.Env {
	return &canon.Env{
		Ctx:     context.Background(),
		Opt:     &canon.Options{Encoding: e, Memory: func() []byte { return g.mem }, Realloc: g.realloc},
		Handles: t,
	}
}

func (g *guest) u32(ptr uint32, v uint32) { binary.LittleEndian.PutUint32(g.mem[ptr:], v) }

// Short forms for types.

func of(k types.Kind) *types.Type         { return &types.Type{Kind: k} }
func list(t *types.Type) *types.Type      { return &types.Type{Kind: types.List, Elem: t} }
func option(t *types.Type) *types.Type    { return &types.Type{Kind: types.Option, Elem: t} }
func result(t, e *types.Type) *types.Type { return &types.Type{Kind: types.Result, Elem: t, Err: e} }

func tuple(ts ...*types.Type) *types.Type {
	t := &types.Type{Kind: types.Tuple}
	for _, f := range ts {
		t.Fields = append(t.Fields, types.Field{Type: f})
	}
	return t
}

func record(names string, ts ...*types.Type) *types.Type {
	t := tuple(ts...)
	t.Kind = types.Record
	for i, name := range strings.Fields(names) {
		t.Fields[i].Name = name
	}
	return t
}

func variant(names string, ts ...*types.Type) *types.Type {
	t := &types.Type{Kind: types.Variant}
	for i, name := range strings.Fields(names) {
		t.Cases = append(t.Cases, types.Case{Name: name, Type: ts[i]})
	}
	return t
}

func enum(names ...string) *types.Type  { return &types.Type{Kind: types.Enum, Names: names} }
func flags(names ...string) *types.Type { return &types.Type{Kind: types.Flags, Names: names} }

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("n%d", i)
	}
	return names
}

func params(ts ...*types.Type) *types.Func { return &types.Func{Params: tuple(ts...).Fields} }

func returning(t *types.Type) *types.Func { return &types.Func{Result: t} }

// isTrap checks that err is what link reports as a violation by the guest.
func isTrap(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", text)
	}
	if _, _, code := fault.Detail(err); code != canon.TrapCode || fault.KindOf(err) != fault.Invalid {
		t.Errorf("kind %s code %q, want a trap: %v", fault.KindOf(err), code, err)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q does not say %q", err, text)
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
