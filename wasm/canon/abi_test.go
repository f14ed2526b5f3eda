package canon_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	types "greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

// The tables follow the reference implementation of the specification (definitions.py and
// run_tests.py): same types, same core values, same memory.

func TestFlatValuesLiftAsTheSpecSays(t *testing.T) {
	u8, f32t := of(types.U8), of(types.F32)
	xyz := variant("x y z", u8, f32t, nil)
	wide := variant("a b c", of(types.F32), of(types.U64), of(types.F64))
	for _, c := range []struct {
		name string
		typ  *types.Type
		flat []uint64
		want any
	}{
		{"record", record("x y z", u8, of(types.U16), of(types.U32)), []uint64{1, 2, 3},
			canon.Record{{Name: "x", Value: uint8(1)}, {Name: "y", Value: uint16(2)}, {Name: "z", Value: uint32(3)}}},
		{"nested tuple", tuple(tuple(u8, u8), u8), []uint64{1, 2, 3}, []any{[]any{uint8(1), uint8(2)}, uint8(3)}},
		{"no flags", flags("a", "b"), []uint64{0}, canon.Flags(nil)},
		{"one flag", flags("a", "b"), []uint64{2}, canon.Flags{"b"}},
		{"undefined flag bits are ignored", flags("a", "b"), []uint64{4}, canon.Flags(nil)},
		{"32 flags", flags(numbered(32)...), []uint64{0xffffffff}, canon.Flags(numbered(32))},
		{"variant u8", xyz, []uint64{0, 42}, canon.Variant{Case: "x", Value: uint8(42)}},
		{"variant u8 wraps", xyz, []uint64{0, 256}, canon.Variant{Case: "x", Value: uint8(0)}},
		{"variant f32 in i32", xyz, []uint64{1, 0x4048f5c3}, canon.Variant{Case: "y", Value: float32(3.14)}},
		{"variant bare", xyz, []uint64{2, 0xffffffff}, canon.Variant{Case: "z"}},
		{"variant f32 in i64", wide, []uint64{0, 0xdead00004048f5c3}, canon.Variant{Case: "a", Value: float32(3.14)}},
		{"variant f64 in i64", wide, []uint64{2, math.Float64bits(2.5)}, canon.Variant{Case: "c", Value: 2.5}},
		{"none", option(f32t), []uint64{0, 7}, canon.Option{}},
		{"some", option(f32t), []uint64{1, uint64(math.Float32bits(3.5))}, canon.Some(float32(3.5))},
		{"ok", result(u8, of(types.U32)), []uint64{0, 42}, canon.OK(uint8(42))},
		{"error", result(u8, of(types.U32)), []uint64{1, 1000}, canon.Err(uint32(1000))},
		{"bool is any non-zero", of(types.Bool), []uint64{0xffffffff}, true},
		{"bool looks at 32 bits", of(types.Bool), []uint64{1 << 32}, false},
		{"u8 wraps", u8, []uint64{0xffffff80}, uint8(128)},
		{"s8 wraps", of(types.S8), []uint64{0xffffff7f}, int8(127)},
		{"s8 negative", of(types.S8), []uint64{255}, int8(-1)},
		{"u16 wraps", of(types.U16), []uint64{65536}, uint16(0)},
		{"s16 negative", of(types.S16), []uint64{32768}, int16(-32768)},
		{"s32 negative", of(types.S32), []uint64{0xffffffff}, int32(-1)},
		{"u64", of(types.U64), []uint64{math.MaxUint64}, uint64(math.MaxUint64)},
		{"s64 negative", of(types.S64), []uint64{math.MaxUint64}, int64(-1)},
		{"char", of(types.Char), []uint64{0x10ffff}, rune(0x10ffff)},
		{"enum", enum("a", "b"), []uint64{1}, canon.Variant{Case: "b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := canon.Compile(params(c.typ)).LiftArgs(newGuest(0).env(canon.UTF8, nil), c.flat)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, []any{c.want}) {
				t.Errorf("got %#v, want %#v", got[0], c.want)
			}
		})
	}
}

func TestMemoryLoadsAsTheSpecSays(t *testing.T) {
	u8, u16, u32 := of(types.U8), of(types.U16), of(types.U32)
	nine, seventeen := flags(numbered(9)...), flags(numbered(17)...)
	for _, c := range []struct {
		name     string
		elem     *types.Type
		ptr, len uint64
		mem      []byte
		want     any
	}{
		{"bools", of(types.Bool), 3, 3, []byte{9, 9, 9, 1, 0, 2}, []any{true, false, true}},
		{"bytes", u8, 1, 3, []byte{0, 1, 2, 3}, []byte{1, 2, 3}},
		{"s8", of(types.S8), 0, 2, []byte{0xff, 0xfe}, []any{int8(-1), int8(-2)}},
		{"u16", u16, 2, 2, []byte{0, 0, 1, 0, 2, 0}, []any{uint16(1), uint16(2)}},
		{"u64", of(types.U64), 0, 1, []byte{1, 0, 0, 0, 0, 0, 0, 0x80}, []any{uint64(0x8000000000000001)}},
		{"chars", of(types.Char), 0, 2, []byte{'A', 0, 0, 0, 0, 0xf6, 1, 0}, []any{'A', '\U0001f600'}},
		{"strings", of(types.String), 0, 2, []byte{16, 0, 0, 0, 2, 0, 0, 0, 21, 0, 0, 0, 3, 0, 0, 0, 'h', 'i', 15, 15, 15, 'w', 'a', 't'}, []any{"hi", "wat"}},
		{"byte lists", list(u8), 0, 2, []byte{16, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 5}, []any{[]byte{3, 4, 5}, []byte{}}},
		{"tuples packed", tuple(u8, u8, u16, u32), 0, 1, []byte{6, 7, 8, 0, 9, 0, 0, 0}, []any{[]any{uint8(6), uint8(7), uint16(8), uint32(9)}}},
		{"tuples padded", tuple(u8, u16, u8, u32), 0, 1, []byte{6, 255, 7, 0, 8, 255, 255, 255, 9, 0, 0, 0}, []any{[]any{uint8(6), uint16(7), uint8(8), uint32(9)}}},
		{"tuples end padded", tuple(u16, u8), 0, 2, []byte{6, 0, 7, 255, 8, 0, 9, 255}, []any{[]any{uint16(6), uint8(7)}, []any{uint16(8), uint8(9)}}},
		{"flags", flags("a", "b"), 0, 3, []byte{0, 2, 4}, []any{canon.Flags(nil), canon.Flags{"b"}, canon.Flags(nil)}},
		{"9 flags", nine, 0, 2, []byte{0xff, 3, 0, 0}, []any{canon.Flags(numbered(9)), canon.Flags(nil)}},
		{"17 flags", seventeen, 0, 2, []byte{0xff, 0xff, 3, 0, 0, 0, 0, 0}, []any{canon.Flags(numbered(17)), canon.Flags(nil)}},
		{"variants", variant("a b", u32, nil), 0, 2, []byte{0, 9, 9, 9, 5, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9},
			[]any{canon.Variant{Case: "a", Value: uint32(5)}, canon.Variant{Case: "b"}}},
		{"large enum", enum(numbered(257)...), 0, 1, []byte{0, 1}, []any{canon.Variant{Case: "n256"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &guest{mem: c.mem}
			got, err := canon.Compile(params(list(c.elem))).LiftArgs(g.env(canon.UTF8, nil), []uint64{c.ptr, c.len})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, []any{c.want}) {
				t.Errorf("got %#v, want %#v", got[0], c.want)
			}
		})
	}
}

func TestFunctionsFlattenAsTheSpecSays(t *testing.T) {
	u8, f32t, f64t := of(types.U8), of(types.F32), of(types.F64)
	three := []*types.Type{u8, f32t, f64t}
	many := make([]*types.Type, 17)
	for i := range many {
		many[i] = u8
	}
	huge := u8
	for range 60 {
		huge = tuple(huge, huge)
	}
	joined := variant("a b c d", tuple(f32t, u8), tuple(u8, u8), tuple(f32t, of(types.S64)), list(u8))
	for _, c := range []struct {
		name            string
		params          []*types.Type
		result          *types.Type
		lifted, lowered string
	}{
		{"no result", three, nil, "i32 f32 f64 -> ", "i32 f32 f64 -> "},
		{"flat result", three, tuple(f32t), "i32 f32 f64 -> f32", "i32 f32 f64 -> f32"},
		{"spilled result", three, tuple(f32t, f32t), "i32 f32 f64 -> i32", "i32 f32 f64 i32 -> "},
		{"16 params", many[:16], u8, strings.Repeat("i32 ", 16) + "-> i32", strings.Repeat("i32 ", 16) + "-> i32"},
		{"17 params", many, u8, "i32 -> i32", "i32 -> i32"},
		{"both spilled", many, of(types.String), "i32 -> i32", "i32 i32 -> "},
		{"joined cases", []*types.Type{joined}, nil, "i32 i32 i64 -> ", "i32 i32 i64 -> "},
		{"exponential type", []*types.Type{huge}, huge, "i32 -> i32", "i32 i32 -> "},
	} {
		t.Run(c.name, func(t *testing.T) {
			ft := params(c.params...)
			ft.Result = c.result
			s := canon.Compile(ft)
			if got := core(s.CoreLifted()); got != c.lifted {
				t.Errorf("lifted %s, want %s", got, c.lifted)
			}
			if got := core(s.CoreLowered()); got != c.lowered {
				t.Errorf("lowered %s, want %s", got, c.lowered)
			}
		})
	}
}

func core(params, results []byte) string {
	names := map[byte]string{0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64"}
	var b strings.Builder
	for _, p := range params {
		b.WriteString(names[p] + " ")
	}
	b.WriteString("->")
	b.WriteString(" ")
	for _, r := range results {
		b.WriteString(names[r])
	}
	return b.String()
}

func TestStringsCrossEveryEncoding(t *testing.T) {
	s := canon.Compile(&types.Func{Params: params(of(types.String)).Params, Result: of(types.String)})
	for _, text := range []string{"", "a", "hi", "\x00", "a\x00b", "\u0080", "\u0080b", "ab\u00efc", "\u01ffy", "xy\u01ff",
		"a\ud7ffb", "a\u02ff\u03ff\u04ffbc", "\uf123", "\uf123\uf123abc", "abcdef\uf123", "😀", "ÿ😀é"} {
		for _, e := range []canon.Encoding{canon.UTF8, canon.UTF16, canon.CompactUTF16} {
			g := newGuest(64)
			flat := must[[]uint64](t)(s.LowerArgs(g.env(e, nil), []any{text}, nil))
			if g.calls != 1 {
				t.Errorf("%q in encoding %d took %d allocations", text, e, g.calls)
			}
			got := must[[]any](t)(s.LiftArgs(g.env(e, nil), append(flat, 0)))
			if got[0] != text {
				t.Errorf("encoding %d: %q came back as %q", e, text, got[0])
			}
		}
	}
}

func TestCompactStringsAreTaggedOnlyWhenTheyMustBe(t *testing.T) {
	s := canon.Compile(params(of(types.String)))
	for text, want := range map[string]uint64{"aé": 2, "aĀ": 2 | 1<<31, "😀": 2 | 1<<31} {
		flat := must[[]uint64](t)(s.LowerArgs(newGuest(64).env(canon.CompactUTF16, nil), []any{text}, nil))
		if flat[1] != want {
			t.Errorf("%q has length %#x, want %#x", text, flat[1], want)
		}
	}
}

func TestLoweringNamesTheValueThatDoesNotFit(t *testing.T) {
	str := of(types.String)
	ctx := record("tenant-id roles", str, list(str))
	call := record("op ctx", str, ctx)
	good := canon.Record{{Name: "op", Value: "x"}, {Name: "ctx", Value: canon.Record{{Name: "tenant-id", Value: 7}, {Name: "roles", Value: []any{}}}}}
	roles := canon.Record{{Name: "op", Value: "x"}, {Name: "ctx", Value: canon.Record{{Name: "tenant-id", Value: "t"}, {Name: "roles", Value: []any{"a", nil}}}}}
	for _, c := range []struct {
		name string
		typ  *types.Type
		v    any
		want string
	}{
		{"field", call, good, "lower arguments: args[1].ctx.tenant-id: want string, got int"},
		{"element", call, roles, "args[1].ctx.roles[1]: want string, got nil"},
		{"missing field", ctx, canon.Record{{Name: "tenant-id", Value: "x"}, {Name: "rolls", Value: nil}}, "args[1].roles: field is missing"},
		{"field count", ctx, canon.Record{}, "args[1]: want 2 fields, got 0"},
		{"not a record", ctx, map[string]any{}, "args[1]: want Record, got map[string]interface {}"},
		{"tuple", tuple(str, list(of(types.U16))), []any{"", []any{uint16(1), 2}}, "args[1][1][1]: want uint16, got int"},
		{"bytes", list(of(types.U8)), "text", "args[1]: want []byte, got string"},
		{"list", list(str), []string{"a"}, "args[1]: want []any, got []string"},
		{"case", variant("a b", str, nil), canon.Variant{Case: "c"}, `args[1]: there is no case "c"`},
		{"payload", variant("a b", str, nil), canon.Variant{Case: "a", Value: 1}, "args[1].a: want string, got int"},
		{"bare case", variant("a b", str, nil), canon.Variant{Case: "b", Value: 1}, "args[1].b: want no payload, got int"},
		{"enum", enum("a"), "a", "args[1]: want Variant, got string"},
		{"option", option(str), canon.Some(nil), "args[1].some: want string, got nil"},
		{"not an option", option(str), nil, "args[1]: want Option, got nil"},
		{"result", result(str, str), canon.Err(nil), "args[1].error: want string, got nil"},
		{"not a result", result(str, str), "ok", "args[1]: want Result, got string"},
		{"flag", flags("a"), canon.Flags{"b"}, `args[1]: there is no flag "b"`},
		{"char", of(types.Char), rune(0xd800), "args[1]: 0xd800 is not a char"},
		{"invalid text", str, "a\xff", "args[1]: string is not valid UTF-8"},
		{"handle", &types.Type{Kind: types.Own, Resource: &types.Resource{Name: "r"}}, 4, "args[1]: want Handle, got int"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := canon.Compile(params(of(types.Bool), c.typ)).
				LowerArgs(newGuest(64).env(canon.UTF8, canon.NewTable(0)), []any{true, c.v}, nil)
			if err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	_, err := canon.Compile(params(str)).LowerArgs(newGuest(8).env(canon.UTF8, nil), nil, nil)
	if err == nil || err.Error() != "lower arguments: want 1 arguments, got 0" {
		t.Errorf("got %v", err)
	}
}

func TestRecordFieldsAreFoundInAnyOrder(t *testing.T) {
	s := canon.Compile(params(record("a b", of(types.U8), of(types.U16))))
	flat := must[[]uint64](t)(s.LowerArgs(newGuest(0).env(canon.UTF8, nil),
		[]any{canon.Record{{Name: "b", Value: uint16(2)}, {Name: "a", Value: uint8(1)}}}, nil))
	if !reflect.DeepEqual(flat, []uint64{1, 2}) {
		t.Errorf("got %v", flat)
	}
}

func TestNegativeNumbersFillNoMoreThanTheirCoreType(t *testing.T) {
	s := canon.Compile(params(of(types.S8), of(types.S32), variant("a b", of(types.S16), of(types.S64))))
	flat := must[[]uint64](t)(s.LowerArgs(newGuest(0).env(canon.UTF8, nil),
		[]any{int8(-1), int32(-2), canon.Variant{Case: "a", Value: int16(-3)}}, nil))
	if want := []uint64{0xffffffff, 0xfffffffe, 0, 0xfffffffd}; !reflect.DeepEqual(flat, want) {
		t.Errorf("got %#x, want %#x", flat, want)
	}
}
