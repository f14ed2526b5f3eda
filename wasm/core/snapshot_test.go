package core_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
)

// stateful has two pages of memory with data on both, two mutable globals and functions to
// change everything.
func stateful() []byte {
	m := &wasmModule{memories: [][]byte{{0, 2}}}
	m.globals = append(m.globals, []byte{i32, 1, 0x41, 7, 0x0b}, []byte{i64, 1, 0x42, 9, 0x0b}, []byte{i32, 0, 0x41, 1, 0x0b})
	m.fn("poke", []byte{i32, i32}, nil, nil, 0x20, 0, 0x20, 1, 0x36, 0, 0)
	m.fn("peek", []byte{i32}, []byte{i32}, nil, 0x20, 0, 0x2d, 0, 0)
	m.fn("grow", []byte{i32}, []byte{i32}, nil, 0x20, 0, 0x40, 0)
	m.fn("pages", nil, []byte{i32}, nil, 0x3f, 0)
	m.fn("count", nil, []byte{i64}, nil, 0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x23, 1, 0x42, 1, 0x7c, 0x24, 1, 0x23, 0, 0xac, 0x23, 1, 0x7c)
	m.fn("dive", nil, nil, nil, 0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x10, 5)
	m.data = append(m.data, []byte{0, 0x41, 8, 0x0b, 2, 'a', 'b'}, cat([]byte{0, 0x41}, sleb(2<<16-1), []byte{0x0b, 1, 'z'}))
	return m.bytes()
}

func sleb(v int) (b []byte) {
	for ; v >= 0x40; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// guest is an instance with the words to drive it.
type guest struct {
	t testing.TB
	*core.Instance
}

func (g guest) call(name string, args ...uint64) uint64 {
	g.t.Helper()
	got, err := g.Func(name).Call(context.Background(), args...)
	if err != nil {
		g.t.Fatalf("%s%v: %v", name, args, err)
	}
	if len(got) == 0 {
		return 0
	}
	return got[0]
}

func (g guest) bytes() []byte {
	b, _ := g.Memory().Read(0, g.Memory().Size())
	return bytes.Clone(b)
}

func TestARestoredInstanceIsAsItWas(t *testing.T) {
	e := engine(t, "")
	code := compile(t, e, stateful())
	donor := guest{t, instance(t, e, code, core.InstanceOptions{})}
	donor.call("poke", 100, 0x01020304)
	donor.call("count")
	want := donor.bytes()
	img, err := donor.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := img.Close(); err != nil {
			t.Error(err)
		}
	}()
	for way, img := range ways(t, img) {
		t.Run(way, func(t *testing.T) {
			g := guest{t, instance(t, e, code, core.InstanceOptions{Memory: core.NewBudget(1 << 20)})}
			r := rand.New(rand.NewPCG(1, 2))
			for n := range 300 {
				if err := g.Restore(img); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(g.bytes(), want) || g.call("pages") != 2 {
					t.Fatalf("round %d: the memory is not that of the image", n)
				}
				if got := g.call("count"); got != 9+11 {
					t.Fatalf("round %d: globals add up to %d", n, got)
				}
				for range r.IntN(40) {
					g.call("poke", uint64(r.IntN(2<<16-4)), r.Uint64()&0xffffffff)
				}
				switch n % 4 {
				case 1: // grow, and leave something there
					if g.call("grow", 3) != 2 || g.call("peek", 4<<16) != 0 {
						t.Fatalf("round %d: grown memory is not new", n)
					}
					g.call("poke", 4<<16, 0xffffffff)
					g.call("poke", 2<<16-2, 0xffffffff)
				case 2: // trap in the middle
					if _, err := g.Func("dive").Call(t.Context()); !core.IsTooDeep(err) {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func TestARestoredInstanceCannotReachWhatItGaveUp(t *testing.T) {
	e := engine(t, "")
	code := compile(t, e, stateful())
	g := guest{t, instance(t, e, code, core.InstanceOptions{})}
	img, err := g.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = img.Close() })
	g.call("grow", 10)
	g.call("poke", 5<<16, 1)
	if err := g.Restore(img); err != nil {
		t.Fatal(err)
	}
	_, err = g.Func("peek").Call(t.Context(), 5<<16)
	if reason, _ := core.Explain(err); reason != "out of bounds memory access" {
		t.Fatalf("reading past the end: %v", err)
	}
}

// An image restores instances that never ran what the image was made by, and the fuel of each
// call is its own.
func TestAFreshInstanceTakesUpAnImage(t *testing.T) {
	e := engine(t, "")
	code := compile(t, e, stateful())
	donor := guest{t, instance(t, e, code, core.InstanceOptions{})}
	donor.call("grow", 1)
	donor.call("poke", 2<<16, 77)
	img, err := donor.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = img.Close() })
	g := guest{t, instance(t, e, code, core.InstanceOptions{})}
	if err := g.Restore(img); err != nil {
		t.Fatal(err)
	}
	if g.Fuel() != 0 || g.call("pages") != 3 || g.call("peek", 2<<16) != 77 {
		t.Errorf("fuel %d, %d pages, byte %d", g.Fuel(), g.call("pages"), g.call("peek", 2<<16))
	}
	tight := guest{t, instance(t, e, code, core.InstanceOptions{Memory: core.NewBudget(2 << 16)})}
	if err := tight.Restore(img); !fault.Is(err, fault.Exhausted) {
		t.Errorf("an image larger than the budget: %v", err)
	}
}

// An instance that will be put into an image neither starts nor gets its data: both are in the image.
func TestAnInstanceThatResumesDoesNotStart(t *testing.T) {
	m := &wasmModule{memories: [][]byte{{0, 1}}, globals: [][]byte{{i32, 1, 0x41, 5, 0x0b}}, start: [][]byte{{0}}}
	m.fn("", nil, nil, nil, 0x23, 0, 0x41, 1, 0x6a, 0x24, 0) // the global += 1
	m.fn("global", nil, []byte{i32}, nil, 0x23, 0)
	m.data = append(m.data, cat([]byte{0, 0x41, 8, 0x0b}, str("data")))
	e := engine(t, "")
	code := compile(t, e, m.bytes())
	donor := guest{t, instance(t, e, code, core.InstanceOptions{})}
	if donor.call("global") != 6 || string(donor.bytes()[8:12]) != "data" {
		t.Fatalf("it started with %d and %q", donor.call("global"), donor.bytes()[8:12])
	}
	img, err := donor.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = img.Close() })
	g := guest{t, instance(t, e, code, core.InstanceOptions{Resume: true})}
	if b := g.bytes()[8:12]; string(b) != "\x00\x00\x00\x00" {
		t.Errorf("before it is restored its memory has %q", b)
	}
	if err := g.Restore(img); err != nil {
		t.Fatal(err)
	}
	if g.call("global") != 6 || string(g.bytes()[8:12]) != "data" {
		t.Errorf("it resumed with %d and %q", g.call("global"), g.bytes()[8:12])
	}
}

// Data segments are merged by offset unless they overlap; the memory is the same either way.
func TestDataSegmentsInAnyOrderGiveTheSameMemory(t *testing.T) {
	segment := func(at int, text string) []byte { return cat([]byte{0, 0x41}, sleb(at), []byte{0x0b}, str(text)) }
	for name, c := range map[string]struct {
		data [][]byte
		want string
	}{
		"ascending":   {[][]byte{segment(8, "ab"), segment(12, "cd")}, "ab\x00\x00cd\x00\x00"},
		"descending":  {[][]byte{segment(12, "cd"), segment(8, "ab")}, "ab\x00\x00cd\x00\x00"},
		"touching":    {[][]byte{segment(10, "cd"), segment(8, "ab")}, "abcd\x00\x00\x00\x00"},
		"overlapping": {[][]byte{segment(8, "abcd"), segment(10, "xy"), segment(8, "z")}, "zbxy\x00\x00\x00\x00"},
		"empty":       {[][]byte{segment(10, ""), segment(10, "cd"), segment(8, "ab"), segment(10, "")}, "abcd\x00\x00\x00\x00"},
	} {
		m := &wasmModule{memories: [][]byte{{0, 1}}, data: c.data}
		e := engine(t, "")
		g := guest{t, instance(t, e, compile(t, e, m.bytes()), core.InstanceOptions{})}
		if b := string(g.bytes()[8:16]); b != c.want {
			t.Errorf("%s: %q, want %q", name, b, c.want)
		}
	}
	m := &wasmModule{memories: [][]byte{{0, 1}}, data: [][]byte{segment(1<<16-1, "past the end")}}
	e := engine(t, "")
	if _, err := e.Instantiate(t.Context(), compile(t, e, m.bytes()), core.InstanceOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a segment past the memory: %v", err)
	}
}

func TestWhatCannotBeRestoredIsNotSnapshot(t *testing.T) {
	starting := &wasmModule{tables: [][]byte{{0x70, 0, 4}}, start: [][]byte{{0}}}
	starting.fn("f", nil, nil, nil, 0x41, 0, 0xd0, 0x70, 0x26, 0)
	reference := &wasmModule{globals: [][]byte{{0x70, 1, 0xd0, 0x70, 0x0b}}}
	vector := &wasmModule{globals: [][]byte{cat([]byte{0x7b, 1, 0xfd, 12}, make([]byte, 16), []byte{0x0b})}}
	for name, c := range map[string]struct {
		src  []byte
		says string
	}{
		"a table changed while it started": {starting.bytes(), "table"},
		"a reference":                      {reference.bytes(), "global"},
		"a vector":                         {vector.bytes(), "global"},
		"memory.init":                      {passive(), ""},
		"nothing forbidden":                {stateful(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(t, "")
			i := instance(t, e, compile(t, e, c.src), core.InstanceOptions{})
			img, err := i.Snapshot()
			if err == nil {
				_ = img.Close()
			}
			if (err == nil) != (c.says == "") || err != nil && (!fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), c.says)) {
				t.Fatal(err)
			}
		})
	}
	e := engine(t, "")
	a := instance(t, e, compile(t, e, stateful()), core.InstanceOptions{})
	b := instance(t, e, compile(t, e, hot()), core.InstanceOptions{})
	img, err := a.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = img.Close() })
	if err := b.Restore(img); !fault.Is(err, fault.Internal) {
		t.Errorf("restored from an image of another module: %v", err)
	}
}

func TestAnInstanceThatChangedATableIsNotRestored(t *testing.T) {
	for name, code := range map[string][]byte{
		"table.set":  {0x41, 0, 0xd0, 0x70, 0x26, 0},
		"table.grow": {0xd0, 0x70, 0x41, 1, 0xfc, 15, 0, 0x1a},
		"table.fill": {0x41, 0, 0xd0, 0x70, 0x41, 1, 0xfc, 17, 0},
		"table.copy": {0x41, 0, 0x41, 0, 0x41, 1, 0xfc, 14, 0, 0},
		"table.init": {0x41, 0, 0x41, 0, 0x41, 1, 0xfc, 12, 0, 0},
		"elem.drop":  {0xfc, 13, 0},
		"data.drop":  {0xfc, 9, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := &wasmModule{memories: [][]byte{{0, 1}}, tables: [][]byte{{0x70, 0, 4}}, dataCount: true,
				elements: [][]byte{{1, 0, 1, 0}}, data: [][]byte{cat([]byte{1}, str("x"))}}
			m.fn("nothing", nil, nil, nil)
			m.fn("change", nil, nil, nil, code...)
			e := engine(t, "")
			i := instance(t, e, compile(t, e, m.bytes()), core.InstanceOptions{})
			img, err := i.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = img.Close() })
			if _, err := i.Func("nothing").Call(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := i.Restore(img); err != nil {
				t.Errorf("it has changed nothing: %v", err)
			}
			if _, err := i.Func("change").Call(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := i.Restore(img); !fault.Is(err, fault.Unsupported) {
				t.Errorf("it has changed what lasts: %v", err)
			}
		})
	}
}

// passive copies a passive segment into memory: init(n).
func passive() []byte {
	m := &wasmModule{memories: [][]byte{{0, 1}}, dataCount: true}
	m.fn("init", []byte{i32}, nil, nil, 0x41, 0, 0x41, 0, 0x20, 0, 0xfc, 8, 0, 0)
	m.data = append(m.data, cat([]byte{1}, str(strings.Repeat("x", 5000))))
	return m.bytes()
}

func BenchmarkRestore(b *testing.B) {
	e := engine(b, "")
	m := &wasmModule{memories: [][]byte{{0, 40}}} // 2.5 MB, 90 KB of which are not zero
	m.fn("poke", []byte{i32, i32}, nil, nil, 0x20, 0, 0x20, 1, 0x36, 0, 0)
	m.data = append(m.data, cat([]byte{0, 0x41, 0, 0x0b}, str(strings.Repeat("x", 90<<10))))
	g := guest{b, instance(b, e, compile(b, e, m.bytes()), core.InstanceOptions{})}
	img, err := g.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = img.Close() })
	poke := g.Func("poke")
	stack := make([]uint64, 2)
	b.ReportAllocs()
	for b.Loop() {
		for page := range uint64(6) {
			stack[0], stack[1] = page<<14, page
			if err := poke.CallWithStack(context.Background(), stack); err != nil {
				b.Fatal(err)
			}
		}
		if err := g.Restore(img); err != nil {
			b.Fatal(err)
		}
	}
}
