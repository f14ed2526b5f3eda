package canon_test

import (
	"context"
	"errors"
	"testing"

	"greentic.dev/greentic/fault"
	types "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

// liftFrom lifts one argument of type typ out of mem.
func liftFrom(mem []byte, e canon.Encoding, typ *types.Type, flat ...uint64) (any, error) {
	args, err := canon.Compile(params(typ)).LiftArgs((&guest{mem: mem}).env(e, nil), flat)
	if err != nil {
		return nil, err
	}
	return args[0], nil
}

func TestHostileValuesTrap(t *testing.T) {
	const max = 1<<32 - 1
	str, u32, u8 := of(types.String), of(types.U32), of(types.U8)
	big := make([]*types.Type, 17)
	for i := range big {
		big[i] = u32
	}
	for _, c := range []struct {
		name string
		typ  *types.Type
		enc  canon.Encoding
		mem  string
		flat []uint64
		want string
	}{
		{"discriminant out of range", option(u32), 0, "", []uint64{2, 0}, "args[0]: discriminant 2 is out of range, there are 2 cases"},
		{"huge discriminant", enum("a"), 0, "", []uint64{max}, "discriminant 4294967295 is out of range"},
		{"discriminant in memory", list(variant("a b", nil, nil)), 0, "\x00\x07", []uint64{0, 2}, "args[0][1]: discriminant 7"},
		{"surrogate char", of(types.Char), 0, "", []uint64{0xd800}, "0xd800 is not a char"},
		{"last surrogate char", of(types.Char), 0, "", []uint64{0xdfff}, "0xdfff is not a char"},
		{"char past the end", of(types.Char), 0, "", []uint64{0x110000}, "0x110000 is not a char"},
		{"negative char", of(types.Char), 0, "", []uint64{max}, "is not a char"},
		{"invalid UTF-8", str, canon.UTF8, "a\xc0\x80", []uint64{0, 3}, "not valid UTF-8"},
		{"UTF-8 surrogate", str, canon.UTF8, "\xed\xa0\x80", []uint64{0, 3}, "not valid UTF-8"},
		{"lone high surrogate", str, canon.UTF16, "\x00\xd8\x00\x00", []uint64{0, 2}, "not valid UTF-16"},
		{"lone low surrogate", str, canon.UTF16, "\x00\xdc", []uint64{0, 1}, "not valid UTF-16"},
		{"high surrogate at the end", str, canon.UTF16, "\x00\xd8", []uint64{0, 1}, "not valid UTF-16"},
		{"compact UTF-16 surrogate", str, canon.CompactUTF16, "\x00\xd8", []uint64{0, 1 | 1<<31}, "not valid UTF-16"},
		{"unaligned UTF-16", str, canon.UTF16, "aaaa", []uint64{1, 1}, "pointer 0x1 is not aligned to 2"},
		{"unaligned compact", str, canon.CompactUTF16, "aaaa", []uint64{1, 1}, "not aligned to 2"},
		{"unaligned list", list(u32), 0, "12345678", []uint64{2, 1}, "pointer 0x2 is not aligned to 4"},
		{"unaligned empty list", list(of(types.U64)), 0, "12345678", []uint64{4, 0}, "not aligned to 8"},
		{"pointer past memory", str, 0, "abc", []uint64{4, 0}, "outside the memory of 3 bytes"},
		{"length past memory", str, 0, "abc", []uint64{1, 3}, "3 bytes at 0x1 are outside"},
		{"pointer plus length wraps", str, 0, "abc", []uint64{max, 2}, "outside the memory"},
		{"string of 2^32-1", str, 0, "abc", []uint64{0, max}, "longer than"},
		{"UTF-16 string of 2^32-1", str, canon.UTF16, "abcd", []uint64{0, max}, "longer than"},
		{"bytes of 2^32-1", list(u8), 0, "abc", []uint64{0, max}, "longer than"},
		{"list whose size wraps", list(u32), 0, "abcd", []uint64{0, 1<<30 + 1}, "longer than"},
		{"list past memory", list(u32), 0, "12345678", []uint64{4, 2}, "outside the memory"},
		{"nested list past memory", list(list(u8)), 0, "\x00\x00\x00\x00\x09\x00\x00\x00", []uint64{0, 1}, "args[0][0]: 9 bytes"},
		{"list of nothing", list(tuple()), 0, "", []uint64{0, 1 << 20}, "outside the memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := liftFrom([]byte(c.mem), c.enc, c.typ, append(c.flat, 0, 0)...)
			isTrap(t, err, c.want)
		})
	}
	for name, c := range map[string]struct {
		ptr  uint64
		want string
	}{
		"spilled params past memory": {68, "68 bytes at 0x44 are outside"},
		"spilled params unaligned":   {2, "not aligned to 4"},
	} {
		_, err := canon.Compile(params(big...)).LiftArgs(newGuest(128).env(0, nil), []uint64{c.ptr})
		t.Run(name, func(t *testing.T) { isTrap(t, err, c.want) })
	}
}

func TestHostileResultPointersTrap(t *testing.T) {
	s := canon.Compile(returning(of(types.String)))
	for _, ptr := range []uint64{1, 60, 1<<32 - 4} {
		_, err := s.LiftResult(newGuest(64).env(0, nil), []uint64{ptr})
		isTrap(t, err, "result: ")
		isTrap(t, s.LowerResult(newGuest(64).env(0, nil), "text", []uint64{ptr}), "result: ")
	}
}

func TestHostileUndefinedFlagBitsAreIgnored(t *testing.T) {
	v, err := liftFrom(nil, 0, flags("a", "b", "c"), 0xfffffffa)
	if err != nil || len(v.(canon.Flags)) != 1 || v.(canon.Flags)[0] != "b" {
		t.Errorf("got %v, %v", v, err)
	}
}

// 500 strings that alias one 4 MiB buffer are 2 GB for a host that trusts lengths.
func TestHostileAliasedStringsExhaustTheBudgetNotTheHost(t *testing.T) {
	const size = 4 << 20
	for _, enc := range []canon.Encoding{canon.UTF8, canon.UTF16, canon.CompactUTF16} {
		g := newGuest(size + 500*8)
		for i := range uint32(500) {
			g.u32(size+8*i, 0)
			g.u32(size+8*i+4, size/2)
		}
		env, budget := g.env(enc, nil), 16<<20
		env.Payload = &budget
		_, err := canon.Compile(params(list(of(types.String)))).LiftArgs(env, []uint64{size, 500})
		if fault.KindOf(err) != fault.Exhausted {
			t.Errorf("encoding %d: %v", enc, err)
		}
		if budget < 0 {
			t.Errorf("budget overdrawn: %d", budget)
		}
	}
}

func TestHostileListsExhaustTheBudgetNotTheHost(t *testing.T) {
	const size = 16 << 20
	bools, pairs, none := list(of(types.Bool)), list(tuple(of(types.U8), of(types.U8))), list(option(of(types.U8)))
	huge := of(types.U8)
	for range 24 {
		huge = tuple(huge, huge)
	}
	for name, c := range map[string]struct {
		typ    *types.Type
		length uint64
	}{"bools": {bools, size}, "pairs": {pairs, size / 2}, "options": {none, size / 2}, "one tuple of 16 million": {list(huge), 1}} {
		t.Run(name, func(t *testing.T) {
			env, budget := newGuest(size).env(0, nil), 1<<20
			env.Payload = &budget
			_, err := canon.Compile(params(c.typ)).LiftArgs(env, []uint64{0, c.length})
			if fault.KindOf(err) != fault.Exhausted {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestHostile32MiBByteListCostsItsBytes(t *testing.T) {
	const size = 32 << 20
	s := canon.Compile(params(list(of(types.U8))))
	g := newGuest(size)
	env, budget := g.env(0, nil), size+32 // one argument
	env.Payload = &budget
	args := must[[]any](t)(s.LiftArgs(env, []uint64{0, size}))
	if len(args[0].([]byte)) != size || budget != 0 {
		t.Errorf("%d bytes, budget %d", len(args[0].([]byte)), budget)
	}
	if _, err := s.LiftArgs(env, []uint64{0, 1}); fault.KindOf(err) != fault.Exhausted {
		t.Errorf("got %v", err)
	}
	if _, err := s.LowerArgs(env, args, nil); fault.KindOf(err) != fault.Exhausted {
		t.Errorf("got %v", err)
	}
	if g.calls != 0 {
		t.Error("realloc ran although the budget was exhausted")
	}
}

func TestHostileReallocIsChecked(t *testing.T) {
	s := canon.Compile(params(list(of(types.U64))))
	arg := []any{[]any{uint64(1), uint64(2)}}
	for _, c := range []struct {
		name string
		ptr  uint32
		want string
	}{
		{"unaligned", 4, "args[0].realloc: pointer 0x4 is not aligned to 8"},
		{"past memory", 56, "16 bytes at 0x38 are outside"},
		{"wrapping", 0xfffffff8, "outside the memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := newGuest(64).env(0, nil)
			env.Opt.Realloc = func(context.Context, uint32, uint32, uint32, uint32) (uint32, error) { return c.ptr, nil }
			_, err := s.LowerArgs(env, arg, nil)
			isTrap(t, err, c.want)
		})
	}
	t.Run("trapping", func(t *testing.T) {
		env, cause := newGuest(64).env(0, nil), fault.New(fault.Timeout, "call", "deadline")
		env.Opt.Realloc = func(context.Context, uint32, uint32, uint32, uint32) (uint32, error) { return 0, cause }
		if _, err := s.LowerArgs(env, arg, nil); !errors.Is(err, cause) || fault.KindOf(err) != fault.Timeout {
			t.Errorf("got %v", err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		env := newGuest(64).env(0, nil)
		env.Opt.Realloc = nil
		_, err := s.LowerArgs(env, arg, nil)
		isTrap(t, err, "no realloc")
	})
	t.Run("growing memory", func(t *testing.T) {
		g := newGuest(16)
		flat := must[[]uint64](t)(s.LowerArgs(g.env(0, nil), arg, nil))
		if len(g.mem) <= 16 || g.mem[flat[0]] != 1 || g.mem[flat[0]+8] != 2 {
			t.Errorf("memory %x, flat %v", g.mem, flat)
		}
	})
	t.Run("shrinking memory", func(t *testing.T) {
		g := newGuest(64)
		env := g.env(0, nil)
		env.Opt.Realloc = func(context.Context, uint32, uint32, uint32, uint32) (uint32, error) { g.mem = nil; return 0, nil }
		_, err := s.LowerArgs(env, arg, nil)
		isTrap(t, err, "memory shrank")
	})
}

func TestHostileCallsWithoutMemoryTrap(t *testing.T) {
	env := &canon.Env{Ctx: context.Background(), Opt: &canon.Options{}}
	_, err := canon.Compile(params(of(types.String))).LiftArgs(env, []uint64{0, 1})
	isTrap(t, err, "outside the memory of 0 bytes")
}

func TestHostileExponentialTypesCostNoMoreThanTheirText(t *testing.T) {
	typ := of(types.String)
	for range 64 {
		typ = record("a b", typ, option(typ))
	}
	s := canon.Compile(&types.Func{Params: params(typ).Params, Result: typ})
	_, err := s.LiftArgs(newGuest(64).env(0, nil), []uint64{0, 0})
	isTrap(t, err, "outside the memory")
	if _, err := s.LowerArgs(newGuest(64).env(0, nil), []any{nil}, nil); fault.KindOf(err) != fault.Exhausted {
		t.Errorf("got %v", err)
	}
}
