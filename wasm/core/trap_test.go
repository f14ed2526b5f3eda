package core_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
)

// trapping has a function for each way to trap, with a name section for two of its functions.
func trapping() []byte {
	m := &wasmModule{memories: [][]byte{{0, 1}}, tables: [][]byte{{0x70, 0, 2}}}
	m.types = append(m.types, []byte{0x60, 0, 0})
	m.imports = append(m.imports, cat(str("env"), str("fail"), []byte{0, 0}))
	m.fn("unreachable", nil, nil, nil, 0x00)
	m.fn("memory", nil, nil, nil, 0x41, 0x7f, 0x28, 0, 0, 0x1a)
	m.fn("divide", nil, nil, nil, 0x41, 1, 0x41, 0, 0x6d, 0x1a)
	m.fn("overflow", nil, nil, nil, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 0x7f, 0x6d, 0x1a)
	m.fn("convert", nil, nil, nil, 0x43, 0, 0, 0xc0, 0x7f, 0xa8, 0x1a)
	m.fn("null", nil, nil, nil, 0x41, 1, 0x11, 0, 0)
	m.fn("mistyped", nil, nil, nil, 0x41, 0, 0x11, 0, 0)
	m.fn("host", nil, nil, nil, 0x10, 0)
	inner := m.fn("", []byte{i32}, nil, nil, 0x00)
	m.fn("outer", nil, nil, nil, 0x41, 1, 0x10, byte(inner))
	m.elements = append(m.elements, []byte{0, 0x41, 0, 0x0b, 1, byte(inner)})
	names := cat(uleb(2), uleb(uint64(inner)), str("inner"), uleb(uint64(inner+1)), str("outer"))
	section := cat(str("name"), []byte{1}, uleb(uint64(len(names))), names)
	return cat(m.bytes(), []byte{0}, uleb(uint64(len(section))), section)
}

func TestATrapIsExplained(t *testing.T) {
	e := engine(t, "")
	h, err := e.HostModule(t.Context(), []core.HostFunc{{Name: "xfail", Fn: func(context.Context, api.Module, []uint64) {
		panic(fault.New(fault.Denied, "secret", "not granted"))
	}}})
	if err != nil {
		t.Fatal(err)
	}
	i := instance(t, e, compile(t, e, trapping()), core.InstanceOptions{Resolve: func(string) api.Module { return h }})
	for name, want := range map[string]string{
		"unreachable": "unreachable", "memory": "out of bounds memory access", "divide": "integer divide by zero", "overflow": "integer overflow",
		"convert": "invalid conversion to integer", "null": "invalid table access", "mistyped": "indirect call type mismatch", "host": "secret: not granted",
	} {
		_, err := i.Func(name).Call(t.Context())
		if reason, trace := core.Explain(err); reason != want || len(trace) == 0 {
			t.Errorf("%s: %q %q", name, reason, trace)
		}
		if core.IsKilled(err) || core.IsTooDeep(err) || fault.Is(err, fault.Denied) != (name == "host") {
			t.Errorf("%s is taken for another: %v", name, err)
		}
	}
	_, err = i.Func("outer").Call(t.Context())
	_, trace := core.Explain(err)
	if !slices.EqualFunc(trace, []string{"inner(i32)", "outer()"}, strings.Contains) {
		t.Errorf("backtrace %q", trace)
	}
	if reason, trace := core.Explain(nil); reason != "" || trace != nil {
		t.Errorf("no error is explained as %q", reason)
	}
}

// A kill reaches the invocation whose context ended and no other, also in the same instance.
func TestAKillEndsOneInvocation(t *testing.T) {
	e := engine(t, "")
	i := instance(t, e, compile(t, e, hot()), core.InstanceOptions{})
	for n := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
		if _, err := i.Func("spin").Call(ctx); !core.IsKilled(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("round %d: %v", n, err)
		}
		cancel()
		if got, err := i.Func("hash").Call(t.Context(), 100_000); err != nil || len(got) != 1 {
			t.Fatalf("round %d: the next invocation: %v", n, err)
		}
	}
}
