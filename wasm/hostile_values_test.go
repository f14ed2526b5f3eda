package wasm_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

const named = "test:hostile/named@1.0.0"

// takers offers what the guest "values" imports: functions that count what they are given.
func takers() *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "", Funcs: map[string]wasm.HostFunc{
		"take-bytes": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
			return uint32(len(args[0].([]byte))), nil
		},
		"take-text": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
			return uint32(len(args[0].(string))), nil
		},
	}})
	return h
}

// given is a call of the guest "values": a function and what it makes a value of.
type given struct {
	iface, fn string
	args      []uint32
}

// eachValue runs calls of the guest "values" that end in the same way.
func eachValue(t *testing.T, like attack, calls map[string]given) {
	t.Helper()
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			a := like
			a.guest, a.hosts, a.iface, a.fn, a.args = "values", takers(), c.iface, c.fn, nil
			for _, arg := range c.args {
				a.args = append(a.args, arg)
			}
			survive(t, a)
		})
	}
}

const most = 1<<32 - 1

func TestHostileUndefinedFlagBits(t *testing.T) {
	check := func(t *testing.T, v any, _ wasm.Stats) {
		if !reflect.DeepEqual(v, wasm.Flags{"b"}) {
			t.Errorf("got %v", v)
		}
	}
	eachValue(t, attack{well: true, check: check}, map[string]given{"all but one defined": {named, "as-flags", []uint32{0xfffffffa}}})
}

func TestHostileDiscriminantOutOfRange(t *testing.T) {
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "discriminant"}, map[string]given{
		"one too many":     {named, "as-enum", []uint32{2}},
		"the most":         {named, "as-enum", []uint32{most}},
		"in memory":        {named, "as-variants", []uint32{2, 4096, 1}},
		"in memory, first": {named, "as-variants", []uint32{0xff, 4096, 2}},
	})
}

func TestHostileInvalidChar(t *testing.T) {
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "is not a char"}, map[string]given{
		"a surrogate": {"", "as-char", []uint32{0xd800}}, "the last surrogate": {"", "as-char", []uint32{0xdfff}},
		"past the end": {"", "as-char", []uint32{0x110000}}, "the most": {"", "as-char", []uint32{most}},
	})
}

func TestHostileScalarsOutOfRangeAreCut(t *testing.T) {
	for fn, want := range map[string]any{"as-bool": true, "as-u8": uint8(0xff)} {
		eachValue(t, attack{well: true, check: func(t *testing.T, v any, _ wasm.Stats) {
			if v != want {
				t.Errorf("got %v", v)
			}
		}}, map[string]given{fn: {"", fn, []uint32{0xffffffff}}})
	}
}

func TestHostileInvalidUTF8(t *testing.T) {
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "not valid UTF-8"}, map[string]given{
		"overlong":  {"", "as-utf8", []uint32{0x80c0, 4096, 2}},
		"surrogate": {"", "as-utf8", []uint32{0x80a0ed, 4096, 3}},
		"cut short": {"", "as-utf8", []uint32{0xc3, 4096, 1}},
		"too large": {"", "as-utf8", []uint32{0x808090f5, 4096, 4}},
	})
}

func TestHostileInvalidUTF16(t *testing.T) {
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "not valid UTF-16"}, map[string]given{
		"lone high":        {"", "as-utf16", []uint32{0x0041d800, 4096, 2}},
		"high at the end":  {"", "as-utf16", []uint32{0xd800, 4096, 1}},
		"lone low":         {"", "as-utf16", []uint32{0xdc00, 4096, 1}},
		"compact, tagged":  {"", "as-compact", []uint32{0xdc00, 4096, 1<<31 | 1}},
		"the wrong way":    {"", "as-utf16", []uint32{0xd800dc00, 4096, 2}},
		"compact, cut off": {"", "as-compact", []uint32{0xd800, 4096, 1<<31 | 1}},
	})
}

func TestHostileUnalignedPointers(t *testing.T) {
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "is not aligned"}, map[string]given{
		"UTF-16": {"", "as-utf16", []uint32{0, 4097, 1}}, "compact": {"", "as-compact", []uint32{0, 4097, 1}},
		"a list": {"", "as-longs", []uint32{4100, 1}}, "an empty list": {"", "as-longs", []uint32{4100, 0}},
		"variants": {named, "as-variants", []uint32{0, 4098, 1}}, "the result": {"", "result-at", []uint32{4098}},
	})
}

func TestHostilePointersPastMemory(t *testing.T) {
	const size = 80 << 16
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "outside the memory"}, map[string]given{
		"a string": {"", "as-utf8", []uint32{0, size, 1}}, "an empty string": {"", "as-utf8", []uint32{0, size + 1, 0}},
		"a list": {"", "as-longs", []uint32{most - 7, 1}}, "the result": {"", "result-at", []uint32{size - 4}},
		"the result at the most": {"", "result-at", []uint32{most - 3}}, "an argument": {"", "give-bytes", []uint32{0, most, 1}},
	})
}

func TestHostileLengthsPastMemory(t *testing.T) {
	const size = 80 << 16
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "outside the memory"}, map[string]given{
		"a string": {"", "as-utf8", []uint32{0, 4096, size}}, "UTF-16": {"", "as-utf16", []uint32{0, 4096, size / 2}},
		"bytes": {"", "as-bytes", []uint32{1, size}}, "a list": {"", "as-longs", []uint32{8, size / 8}},
		"an argument": {"", "give-bytes", []uint32{0, 1, size}}, "a text": {"", "give-text", []uint32{1, size}},
	})
}

func TestHostileLengthsOfFourGiB(t *testing.T) {
	eachValue(t, attack{kind: fault.Invalid, code: abuse, says: "longer than"}, map[string]given{
		"a string": {"", "as-utf8", []uint32{0, 0, most}}, "UTF-16": {"", "as-utf16", []uint32{0, 0, most}},
		"compact": {"", "as-compact", []uint32{0, 0, most}}, "bytes": {"", "as-bytes", []uint32{0, most}},
		"a list": {"", "as-longs", []uint32{0, most}}, "a size that wraps": {"", "as-longs", []uint32{0, 1<<29 + 1}},
		"an argument": {"", "give-bytes", []uint32{0, 0, most}}, "a text": {"", "give-text", []uint32{0, most}},
	})
}

// 500 strings that alias one 4 MiB buffer would be 2 GB for a host that trusts lengths.
func TestHostileStringsThatAliasOneBuffer(t *testing.T) {
	eachValue(t, attack{kind: fault.Exhausted, says: "payload budget", limits: wasm.Limits{Payload: 16 << 20}}, map[string]given{
		"texts": {"", "alias-texts", []uint32{500, 4 << 20}}, "UTF-16": {"", "alias-wide", []uint32{500, 2 << 20}},
		"bytes": {"", "alias-bytes", []uint32{500, 4 << 20}}, "lists": {"", "alias-lists", []uint32{500, 2 << 20}},
		"many of one page": {"", "alias-bytes", []uint32{1 << 18, 1 << 16}},
	})
}

func TestHostileListsOfSmallThings(t *testing.T) {
	eachValue(t, attack{kind: fault.Exhausted, says: "payload budget", limits: wasm.Limits{Payload: 16 << 20}}, map[string]given{
		"bools": {"", "as-bools", []uint32{0, 5 << 20}}, "pairs": {"", "as-pairs", []uint32{0, 5 << 19}},
	})
}

func TestHostileOutputFloodInResults(t *testing.T) {
	eachValue(t, attack{kind: fault.Exhausted, says: "payload budget"}, map[string]given{"bytes": {"", "as-bytes", []uint32{0, 5 << 20}}})
	eachValue(t, attack{kind: fault.Exhausted, says: "payload budget"}, map[string]given{"call after call": {"", "give-for-ever", nil}})
}

// A 32 MiB byte list costs its bytes, whichever way it goes.
func TestHostileByteListOf32MiBAsArgument(t *testing.T) {
	const size = 32 << 20
	big := wasm.Limits{Memory: 64 << 20, Payload: 80 << 20}
	same := func(t *testing.T, v any, _ wasm.Stats) {
		if v != uint32(size) {
			t.Errorf("got %v", v)
		}
	}
	survive(t, attack{guest: "values", hosts: takers(), fn: "give-bytes", args: []any{uint32(size >> 16), uint32(0), uint32(size)}, limits: big, well: true, check: same})
	small := wasm.Limits{Memory: 64 << 20}
	survive(t, attack{guest: "values", hosts: takers(), fn: "give-bytes", args: []any{uint32(size >> 16), uint32(0), uint32(size)}, limits: small, kind: fault.Exhausted, says: "payload budget"})
	argument := bytes.Repeat([]byte{7}, size)
	survive(t, attack{guest: "memory", hosts: hostileHosts(nothing), fn: "grows-once", args: []any{argument}, limits: big, well: true, check: same})
	survive(t, attack{guest: "memory", hosts: hostileHosts(nothing), fn: "grows-once", args: []any{argument}, limits: small, kind: fault.Exhausted, says: "payload budget"})
}

func TestHostileDeeplyNestedOptions(t *testing.T) {
	eachValue(t, attack{well: true, check: func(t *testing.T, v any, _ wasm.Stats) {
		depth := 0
		for ; ; depth++ {
			o, ok := v.(wasm.Option)
			if !ok {
				break
			}
			v = o.Value
		}
		if depth != 16 || v != uint8(1) {
			t.Errorf("%d options around %v", depth, v)
		}
	}}, map[string]given{"sixteen": {"", "options", nil}})
}

// eachAllocator runs functions of the guest "memory" that end in the same way.
func eachAllocator(t *testing.T, like attack, fns ...string) {
	t.Helper()
	for _, fn := range fns {
		t.Run(fn, func(t *testing.T) {
			a := like
			a.guest, a.fn, a.hosts = "memory", fn, hostileHosts(nothing)
			survive(t, a)
		})
	}
}

func TestHostileReallocThatReturnsNonsense(t *testing.T) {
	text := []any{"a text to make room for"}
	eachAllocator(t, attack{args: text, kind: fault.Invalid, code: abuse, says: "outside the memory"}, "past-memory", "wrapping")
	eachAllocator(t, attack{args: []any{[]any{uint32(1)}}, kind: fault.Invalid, code: abuse, says: "is not aligned"}, "unaligned")
	texts := []any{[]any{"one", "two", "three"}}
	eachAllocator(t, attack{args: texts, well: true}, "same-place")
}

func TestHostileReallocThatGrowsMemory(t *testing.T) {
	eachAllocator(t, attack{args: []any{[]any{uint32(42)}}, well: true, check: func(t *testing.T, v any, _ wasm.Stats) {
		if v != uint32(42) {
			t.Errorf("got %v", v)
		}
	}}, "grows")
	many := make([]any, 1000)
	for i := range many {
		many[i] = "x"
	}
	eachAllocator(t, attack{args: []any{many}, kind: fault.Exhausted, says: "memory limit"}, "grows-often")
}

func TestHostileReallocThatTraps(t *testing.T) {
	eachAllocator(t, attack{args: []any{"x"}, kind: fault.Invalid, code: trapped, says: "unreachable"}, "traps")
}

func TestHostileReallocThatLoops(t *testing.T) {
	eachAllocator(t, attack{args: []any{"x"}, endless: true}, "loops")
}

func TestHostileReallocThatCallsOut(t *testing.T) {
	eachAllocator(t, attack{args: []any{"x"}, kind: fault.Invalid, code: trapped, says: "cannot leave"}, "calls-out")
}

func TestHostilePostReturnThatTraps(t *testing.T) {
	eachAllocator(t, attack{kind: fault.Invalid, code: trapped, says: "unreachable"}, "post-traps")
}

func TestHostilePostReturnThatLoops(t *testing.T) {
	eachAllocator(t, attack{endless: true}, "post-loops")
}

func TestHostilePostReturnThatCallsOut(t *testing.T) {
	eachAllocator(t, attack{kind: fault.Invalid, code: trapped, says: "cannot leave"}, "post-calls-out")
}

func TestHostilePostReturnThatHogsMemory(t *testing.T) {
	eachAllocator(t, attack{well: true}, "post-grows")
}
