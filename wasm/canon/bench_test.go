package canon_test

import (
	"context"
	"strings"
	"testing"

	types "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

// call is a record such as components are called with: two strings, an option, a list, flags.
func call() (*canon.Signature, []any) {
	str := of(types.String)
	typ := record("op tenant user roles flags attempt", str, str, option(str), list(str), flags("a", "b", "c"), of(types.U32))
	return canon.Compile(params(typ)), []any{canon.Record{
		{Name: "op", Value: "send"}, {Name: "tenant", Value: "acme"}, {Name: "user", Value: canon.Some("ada")},
		{Name: "roles", Value: []any{"admin", "editor"}}, {Name: "flags", Value: canon.Flags{"b"}}, {Name: "attempt", Value: uint32(1)}}}
}

func BenchmarkLowerRecord(b *testing.B) {
	s, args := call()
	g := newGuest(4096)
	env, flat := g.env(canon.UTF8, nil), make([]uint64, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		g.next = 8
		if _, err := s.LowerArgs(env, args, flat); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLiftRecord(b *testing.B) {
	s, args := call()
	env := newGuest(4096).env(canon.UTF8, nil)
	flat := must[[]uint64](b)(s.LowerArgs(env, args, nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.LiftArgs(env, flat); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLiftBytes1MiB(b *testing.B) { benchLift(b, list(of(types.U8)), make([]byte, 1<<20)) }

func BenchmarkLiftString1MiB(b *testing.B) {
	benchLift(b, of(types.String), strings.Repeat("0123456789abcdeF", 1<<16))
}

func benchLift(b *testing.B, typ *types.Type, v any) {
	s := canon.Compile(params(typ))
	env := newGuest(1<<20+64).env(canon.UTF8, nil)
	flat := must[[]uint64](b)(s.LowerArgs(env, []any{v}, nil))
	b.SetBytes(1 << 20)
	for b.Loop() {
		if _, err := s.LiftArgs(env, flat); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandleRoundTrip(b *testing.B) {
	r := resources()[0]
	s := canon.Compile(params(own(r)))
	env := newGuest(0).env(canon.UTF8, canon.NewTable(0))
	env.Ctx = context.Background()
	args, flat := []any{canon.Handle{Resource: r, Rep: b}}, make([]uint64, 1)
	b.ReportAllocs()
	for b.Loop() {
		flat, _ = s.LowerArgs(env, args, flat)
		if _, err := s.LiftArgs(env, flat); err != nil {
			b.Fatal(err)
		}
	}
}
