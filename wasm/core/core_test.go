package core_test

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/rewrite"
)

func engine(t testing.TB, dir string) *core.Engine {
	t.Helper()
	return warning(t, dir, func(message string) { t.Log(message) })
}

// warning is an engine that tells warn what it mends.
func warning(t testing.TB, dir string, warn func(string)) *core.Engine {
	t.Helper()
	e, err := core.New(t.Context(), core.Options{CacheDir: dir, Warn: warn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func compile(t testing.TB, e *core.Engine, src []byte) *core.Code {
	t.Helper()
	m, err := rewrite.Parse(src, rewrite.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	names := make([]rewrite.Rename, len(m.Imports))
	for i, imp := range m.Imports {
		names[i] = rewrite.Rename{Module: "x" + imp.Module, Name: "x" + imp.Name}
	}
	c, err := e.Compile(t.Context(), m, names)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func instance(t testing.TB, e *core.Engine, c *core.Code, o core.InstanceOptions) *core.Instance {
	t.Helper()
	i, err := e.Instantiate(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close(context.Background()) })
	return i
}

// program has a bit of everything: a loop, recursion, an early return, two results, a table
// call, an import and a start function.
func program() []byte {
	m := &wasmModule{}
	m.types = append(m.types, []byte{0x60, 1, i32, 1, i32})
	m.imports = append(m.imports, cat(str("env"), str("twice"), []byte{0, 0}))
	m.memories = append(m.memories, []byte{1, 1, 4})
	m.globals = append(m.globals, []byte{i32, 1, 0x41, 5, 0x0b})
	// sum(n): loop adding n..1
	m.fn("sum", []byte{i32}, []byte{i32}, []byte{i32},
		0x03, 0x40, 0x20, 1, 0x20, 0, 0x6a, 0x21, 1, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x20, 1)
	// fac(n): n < 2 returns 1 early, else n * fac(n-1)
	fac := byte(m.fn("fac", []byte{i64}, []byte{i64}, nil,
		0x20, 0, 0x42, 2, 0x54, 0x04, 0x40, 0x42, 1, 0x0f, 0x0b, 0x20, 0, 0x20, 0, 0x42, 1, 0x7d, 0x10, 2, 0x7e))
	// pair(n): returns n and twice(n) out of a nested block by return
	m.fn("pair", []byte{i32}, []byte{i32, i32}, nil,
		0x02, 0x40, 0x20, 0, 0x20, 0, 0x10, 0, 0x0f, 0x0b, 0x00)
	// viatable(n): call_indirect of fac through element 0
	m.fn("viatable", []byte{i64}, []byte{i64}, nil, 0x20, 0, 0x41, 0, 0x11, 2, 0)
	m.tables = append(m.tables, []byte{0x70, 0, 1})
	m.elements = append(m.elements, []byte{0, 0x41, 0, 0x0b, 1, fac})
	// start: global 0 = 42
	start := m.fn("", nil, nil, nil, 0x41, 42, 0x24, 0)
	m.start = [][]byte{uleb(uint64(start))}
	m.fn("global", nil, []byte{i32}, nil, 0x23, 0)
	m.fn("load", []byte{i32}, []byte{i32}, nil, 0x20, 0, 0x2d, 0, 0)
	m.data = append(m.data,
		[]byte{0, 0x41, 8, 0x0b, 2, 'a', 'b'}, []byte{0, 0x41, 12, 0x0b, 1, 'c'}, []byte{0, 0x41, 0xe4, 0, 0x0b, 1, 'd'}, []byte{0, 0x41, 0x80, 8, 0x0b, 1, 'e'})
	return m.bytes()
}

func host(t testing.TB, e *core.Engine) func(string) api.Module {
	t.Helper()
	h, err := e.HostModule(t.Context(), []core.HostFunc{{Name: "xtwice", Params: []api.ValueType{i32}, Results: []api.ValueType{i32},
		Fn: func(_ context.Context, _ api.Module, stack []uint64) { stack[0] *= 2 }}})
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) api.Module {
		if name == "xenv" {
			return h
		}
		return nil
	}
}

func TestARewrittenModuleComputesTheSame(t *testing.T) {
	e := engine(t, "")
	i := instance(t, e, compile(t, e, program()), core.InstanceOptions{Resolve: host(t, e)})
	for _, c := range []struct {
		fn   string
		arg  uint64
		want []uint64
	}{
		{"sum", 100000, []uint64{705082704}}, {"fac", 20, []uint64{2432902008176640000}}, {"fac", 1, []uint64{1}}, {"pair", 21, []uint64{21, 42}},
		{"viatable", 5, []uint64{120}}, {"load", 8, []uint64{'a'}}, {"load", 9, []uint64{'b'}}, {"load", 10, []uint64{0}}, {"load", 12, []uint64{'c'}},
		{"load", 100, []uint64{'d'}}, {"load", 1024, []uint64{'e'}},
	} {
		for range 3 { // depth and slice are balanced, so repeating changes nothing
			got, err := i.Module().ExportedFunction(c.fn).Call(t.Context(), c.arg)
			if err != nil || len(got) != len(c.want) || got[0] != c.want[0] || got[len(got)-1] != c.want[len(got)-1] {
				t.Fatalf("%s(%d) = %v, %v; want %v", c.fn, c.arg, got, err, c.want)
			}
		}
	}
	if got, _ := i.Module().ExportedFunction("global").Call(t.Context()); got[0] != 42 {
		t.Errorf("the start function left %v", got)
	}
	if i.Fuel() < 300000 || i.Fuel() > 310000 {
		t.Errorf("fuel %d for three loops of 100000", i.Fuel())
	}
}

func TestDepthIsGivenBackOnEveryWayOut(t *testing.T) {
	e := engine(t, "")
	i := instance(t, e, compile(t, e, program()), core.InstanceOptions{Resolve: host(t, e), Depth: 25})
	fac := i.Module().ExportedFunction("fac")
	for range 1000 {
		if _, err := fac.Call(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := fac.Call(t.Context(), 30); !fault.Is(err, fault.Exhausted) {
		t.Fatalf("thirty nested calls under a limit of 25: %v", err)
	}
}
