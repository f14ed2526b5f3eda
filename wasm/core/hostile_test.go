package core_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/rewrite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func endless(start bool) []byte {
	m := &wasmModule{}
	f := m.fn("spin", nil, nil, nil, 0x03, 0x40, 0x0c, 0, 0x0b)
	if start {
		m.start = [][]byte{uleb(uint64(f))}
	}
	return m.bytes()
}

// many repeats code n times.
func many(n int, code ...byte) (out []byte) {
	for range n {
		out = append(out, code...)
	}
	return out
}

// stubborn are programs that never end, each by another trick.
func stubborn() map[string][]byte {
	programs := map[string][]byte{"an empty loop": endless(false)}
	add := func(name string, m *wasmModule, code ...byte) {
		m.memories = [][]byte{{0, 0x80, 8}} // 64 MiB
		m.fn("spin", nil, nil, nil, code...)
		programs[name] = m.bytes()
	}
	add("fill 64 MiB again and again", &wasmModule{}, 0x03, 0x40, 0x41, 0, 0x41, 0, 0x41, 0x80, 0x80, 0x80, 0x20, 0xfc, 11, 0, 0x0c, 0, 0x0b)
	add("copy 32 MiB again and again", &wasmModule{},
		0x03, 0x40, 0x41, 0, 0x41, 0x80, 0x80, 0x80, 0x10, 0x41, 0x80, 0x80, 0x80, 0x10, 0xfc, 10, 0, 0, 0x0c, 0, 0x0b)
	add("tail calls of itself", &wasmModule{}, 0x12, 0)
	add("tail calls through a table", &wasmModule{tables: [][]byte{{0x70, 0, 1}}, elements: [][]byte{{0, 0x41, 0, 0x0b, 1, 0}}}, 0x41, 0, 0x13, 0, 0)

	wide := &wasmModule{} // 2^40 calls, forty deep
	for n := range byte(40) {
		wide.fn("", nil, nil, nil, 0x10, n+1, 0x10, n+1)
	}
	wide.fn("", nil, nil, nil)
	wide.memories = nil
	wide.fn("spin", nil, nil, nil, 0x10, 0)
	programs["calls that double forty times"] = wide.bytes()

	long := &wasmModule{} // a long function without loops or calls, called from a loop
	long.fn("", nil, []byte{0x7c}, nil, cat([]byte{0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}, many(100_000, 0x9f))...)
	add("half a megabyte of square roots", long, 0x03, 0x40, 0x10, 0, 0x1a, 0x0c, 0, 0x0b)

	short := &wasmModule{} // many calls of a function too short for a safe point of its own
	short.fn("", nil, nil, nil, 0x01, 0x01)
	add("a thousand short calls per turn", short, cat([]byte{0x03, 0x40}, many(1000, 0x10, 0), []byte{0x0c, 0, 0x0b})...)
	return programs
}

// Without safe points a looping guest and one garbage collection freeze the process. Here the
// guest is stopped by a goroutine that has first seen two collections through.
func TestHostileGuestsEndWithTheirContextWhileTheCollectorRuns(t *testing.T) {
	const within = 50 * time.Millisecond
	e := engine(t, "")
	for name, src := range stubborn() {
		t.Run(name, func(t *testing.T) {
			i := instance(t, e, compile(t, e, src), core.InstanceOptions{})
			best := time.Hour // the machine may be busy with something else
			for range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				killed := make(chan time.Time, 1)
				go func() {
					runtime.GC()
					runtime.GC()
					killed <- time.Now()
					cancel()
				}()
				_, err := i.Func("spin").Call(ctx)
				if best = min(best, time.Since(<-killed)); !core.IsKilled(err) || !fault.Is(err, fault.Canceled) {
					t.Fatalf("err = %v", err)
				}
				if best < within {
					return
				}
			}
			t.Errorf("it took at least %v", best)
		})
	}
}

func TestHostileAStartFunctionThatLoopsEndsWithItsContext(t *testing.T) {
	e := engine(t, "")
	c := compile(t, e, endless(true))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	budget := core.NewBudget(1 << 20)
	_, err := e.Instantiate(ctx, c, core.InstanceOptions{Memory: budget})
	if !errors.Is(err, context.DeadlineExceeded) || !core.IsKilled(err) || !fault.Is(err, fault.Timeout) || budget.Current() != 0 {
		t.Fatalf("err = %v, %d bytes in use", err, budget.Current())
	}
}

func TestHostileUnboundedRecursionIsExhausted(t *testing.T) {
	direct := &wasmModule{}
	direct.fn("dive", nil, nil, nil, 0x10, 0)
	table := &wasmModule{tables: [][]byte{{0x70, 0, 1}}, elements: [][]byte{{0, 0x41, 0, 0x0b, 1, 0}}}
	table.fn("dive", nil, nil, nil, 0x41, 0, 0x11, 0, 0)
	mutual := &wasmModule{}
	mutual.fn("dive", []byte{}, nil, nil, 0x10, 1)
	mutual.fn("", nil, nil, nil, 0x10, 0)
	// two thousand values live across the call: frames so large that the engine's stack ends first
	large := &wasmModule{}
	var code []byte
	for n := range 2000 {
		code = cat(code, []byte{0x20, 0, 0x41}, sleb(n), []byte{0x6c})
	}
	large.fn("dive", []byte{i32}, []byte{i32}, nil, cat(code, []byte{0x20, 0, 0x41, 1, 0x6a, 0x10, 0}, many(2000, 0x73))...)
	for name, src := range map[string][]byte{"direct": direct.bytes(), "table": table.bytes(), "mutual": mutual.bytes(), "large frames": large.bytes()} {
		t.Run(name, func(t *testing.T) {
			e := engine(t, "")
			i := instance(t, e, compile(t, e, src), core.InstanceOptions{})
			args := make([]uint64, len(i.Func("dive").Definition().ParamTypes()))
			_, err := i.Func("dive").Call(t.Context(), args...)
			if !core.IsTooDeep(err) || core.IsKilled(err) {
				t.Fatalf("err = %v", err)
			}
			if name != "large frames" && !fault.Is(err, fault.Exhausted) {
				t.Fatalf("err = %v", err)
			}
		})
	}
}

func TestHostileAMemoryHogIsHeldAtItsBudget(t *testing.T) {
	m := &wasmModule{memories: [][]byte{{0, 1}}}
	m.fn("grow", []byte{i32}, []byte{i32}, nil, 0x20, 0, 0x40, 0)
	e := engine(t, "")
	c := compile(t, e, m.bytes())
	b := core.NewBudget(4 << 20)
	i := instance(t, e, c, core.InstanceOptions{Memory: b})
	grow := i.Func("grow")
	if got, err := grow.Call(t.Context(), 63); err != nil || got[0] != 1 || b.Denied() {
		t.Fatalf("growing to the limit: %v %v", got, err)
	}
	if got, err := grow.Call(t.Context(), 1); err != nil || uint32(got[0]) != 0xffffffff || !b.Denied() || b.Peak() != 4<<20 {
		t.Fatalf("growing past the limit: %v %v peak %d", got, err, b.Peak())
	}
	if _, err := e.Instantiate(t.Context(), c, core.InstanceOptions{Memory: b}); !fault.Is(err, fault.Exhausted) {
		t.Fatalf("a second instance beyond the budget: %v", err)
	}
	if err := i.Close(t.Context()); err != nil || b.Current() != 0 {
		t.Fatalf("%d bytes are in use after closing: %v", b.Current(), err)
	}
	b.Reset(1 << 20)
	if b.Peak() != 0 || b.Denied() {
		t.Error("a budget remembers the last invocation")
	}
}

func TestHostileTablesCountAndStayWithinTheLimit(t *testing.T) {
	m := &wasmModule{tables: [][]byte{{0x70, 0, 10}}}
	m.fn("grow", []byte{i32}, []byte{i32}, nil, 0xd0, 0x70, 0x20, 0, 0xfc, 15, 0)
	src := m.bytes()
	parsed, err := rewrite.Parse(src, rewrite.Limits{Elements: 1000})
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, "")
	c, err := e.Compile(t.Context(), parsed, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Instantiate(t.Context(), c, core.InstanceOptions{Memory: core.NewBudget(7999)}); !fault.Is(err, fault.Exhausted) {
		t.Fatalf("a table larger than the budget: %v", err)
	}
	i := instance(t, e, c, core.InstanceOptions{Memory: core.NewBudget(8000)})
	if got, err := i.Func("grow").Call(t.Context(), 990); err != nil || got[0] != 10 {
		t.Fatalf("growing to the limit: %v %v", got, err)
	}
	if got, err := i.Func("grow").Call(t.Context(), 1); err != nil || uint32(got[0]) != 0xffffffff {
		t.Fatalf("growing past the limit: %v %v", got, err)
	}
}

// A guest that could name what the rewriter adds could switch its safe points off.
func TestHostileGuestsCannotNameWhatIsAdded(t *testing.T) {
	for name, code := range map[string][]byte{
		"set the gauge":   {0x42, 0x7f, 0x24, 1},
		"read the gauge":  {0x23, 1, 0x1a},
		"set the fuel":    {0x42, 0, 0x24, 2},
		"call yield":      {0x10, 1},
		"call charge":     {0x41, 0, 0x10, 2},
		"reference yield": {0xd2, 1, 0x1a},
		"tail call yield": {0x12, 1},
		"an added type":   {0x41, 0, 0x11, 1, 0},
		"a block of it":   {0x02, 1, 0x0b},
		"a far function":  {0x10, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"an added local":  {0x20, 0, 0x1a, 0x10, 0},
	} {
		m := &wasmModule{globals: [][]byte{{i32, 1, 0x41, 5, 0x0b}}, tables: [][]byte{{0x70, 0, 1}}}
		m.fn("f", nil, nil, nil, code...)
		parsed, err := rewrite.Parse(m.bytes(), rewrite.Limits{})
		if err == nil {
			_, err = engine(t, "").Compile(t.Context(), parsed, nil)
		}
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := &wasmModule{}
	m.fn("f", nil, nil, nil)
	m.exports = append(m.exports, cat(str("\x00greentic:gauge"), []byte{0, 0}))
	if _, err := rewrite.Parse(m.bytes(), rewrite.Limits{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a reserved name: %v", err)
	}
}

func TestHostileModulesAreRefusedByName(t *testing.T) {
	body := func(code ...byte) []byte {
		m := &wasmModule{memories: [][]byte{{0, 1}}}
		m.fn("f", nil, nil, nil, code...)
		return m.bytes()
	}
	memories := &wasmModule{memories: make([][]byte, 10_000)}
	for n := range memories.memories {
		memories.memories[n] = []byte{0, 0}
	}
	tables := &wasmModule{tables: make([][]byte, 10_000)}
	for n := range tables.tables {
		tables.tables[n] = []byte{0x70, 0, 0}
	}
	locals := &wasmModule{types: [][]byte{{0x60, 0, 0}}, funcs: [][]byte{{0}}, code: [][]byte{{8, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, i64, 0x0b}}}
	for name, c := range map[string]struct {
		src  []byte
		kind fault.Kind
		says string
	}{
		"ten thousand memories":   {memories.bytes(), fault.Unsupported, "multi-memory"},
		"ten thousand tables":     {tables.bytes(), fault.Exhausted, "tables"},
		"four billion locals":     {locals.bytes(), fault.Exhausted, "locals"},
		"deep nesting":            {body(cat(many(10_001, 0x02, 0x40), many(10_001, 0x0b))...), fault.Exhausted, "nested"},
		"twenty thousand blocks":  {body(many(20_000, 0x02, 0x40, 0x0b)...), fault.Exhausted, "blocks"},
		"two thousand loops":      {body(many(2_000, 0x03, 0x40, 0x0b)...), fault.Exhausted, "blocks"},
		"a hundred thousand ways": {body(cat([]byte{0x41, 0, 0x0e}, uleb(100_000), many(100_001, 0))...), fault.Exhausted, "blocks"},
		"shared memory":           {(&wasmModule{memories: [][]byte{{3, 1, 2}}}).bytes(), fault.Unsupported, "threads"},
		"memory64":                {(&wasmModule{memories: [][]byte{{4, 1}}}).bytes(), fault.Unsupported, "memory64"},
		"custom page sizes":       {(&wasmModule{memories: [][]byte{{8, 1, 0}}}).bytes(), fault.Unsupported, "page sizes"},
		"a memory of 5 GiB":       {(&wasmModule{memories: [][]byte{{0, 0x80, 0x80, 5}}}).bytes(), fault.Invalid, "limits"},
		"a huge table":            {(&wasmModule{tables: [][]byte{{0x70, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}}}).bytes(), fault.Exhausted, "tables"},
		"atomics":                 {body(0xfe, 0x03, 0x00), fault.Unsupported, "threads"},
		"exceptions":              {body(0x06, 0x40, 0x0b), fault.Unsupported, "exception"},
		"garbage collection":      {body(0xfb, 0x00), fault.Unsupported, "garbage"},
		"relaxed vectors":         {body(0xfd, 0x80, 0x02), fault.Unsupported, "relaxed"},
		"another memory":          {body(0x41, 0, 0x28, 0x42, 1, 0, 0x1a), fault.Unsupported, "multi-memory"},
		"an unknown instruction":  {body(0xff), fault.Unsupported, "0xff"},
		"an ill-typed body":       {body(0x6a), fault.Invalid, "core module"},
		"a component":             {[]byte("\x00asm\x0d\x00\x01\x00"), fault.Invalid, "offset 0"},
		"a huge claimed count":    {[]byte("\x00asm\x01\x00\x00\x00\x01\x05\xff\xff\xff\xff\x0f"), fault.Exhausted, "types"},
		"a huge count of data":    {[]byte("\x00asm\x01\x00\x00\x00\x0b\x04\xd4\xff\xff0"), fault.Exhausted, "data segments"},
		"a module cut in half":    {program()[:100], fault.Invalid, "too early"},
		"a body that never ends":  {[]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x04\x01\x02\x00\x01"), fault.Invalid, "too early"},
		"a section that is twice": {[]byte("\x00asm\x01\x00\x00\x00\x01\x01\x00\x01\x01\x00"), fault.Invalid, "twice"},
		"segments miscounted":     {[]byte("\x00asm\x01\x00\x00\x00\x0c\x01\x03"), fault.Invalid, "announced"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := rewrite.Parse(c.src, rewrite.Limits{})
			if err == nil {
				_, err = engine(t, "").Compile(t.Context(), m, nil)
			}
			if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("err = %v", err)
			}
		})
	}
}

// However a module is cut, it is refused and nothing worse.
func TestHostileATruncatedModuleIsInvalid(t *testing.T) {
	for _, src := range [][]byte{program(), stateful(), randomModule(1)} {
		for n := range src {
			m, err := rewrite.Parse(src[:n], rewrite.Limits{})
			if err != nil {
				if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unsupported) {
					t.Fatalf("%d bytes: %v", n, err)
				}
				continue
			}
			if _, err := m.Rewrite(make([]rewrite.Rename, len(m.Imports))); err != nil {
				t.Fatalf("%d bytes: accepted, then %v", n, err)
			}
		}
	}
}
