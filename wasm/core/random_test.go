package core_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"greentic.dev/wasm/core"
	"greentic.dev/wasm/rewrite"
)

// writer makes random but valid functions that end: (i32, i32) -> i32 each, with six more i32
// locals. Loops count down, calls go to functions behind the caller or recurse on a smaller
// first parameter.
type writer struct {
	r     *rand.Rand
	out   []byte
	fn    int // being written
	funcs int
	loops int // around the place being written
	open  int // labels
	left  int // statements this function may still have
}

func (w *writer) emit(b ...byte) { w.out = append(w.out, b...) }

func (w *writer) local() byte { return byte(w.r.IntN(5)) } // three more count loops down

// expr leaves an i32.
func (w *writer) expr(depth int) {
	pick := w.r.IntN(12)
	if depth == 0 {
		pick %= 3
	}
	switch pick {
	case 0:
		w.emit(0x41)
		w.out = append(w.out, sleb(w.r.IntN(5000))...)
	case 1:
		w.emit(0x20, w.local())
	case 2:
		w.emit(0x23, byte(w.r.IntN(2)))
	case 3, 4, 5: // + - * / % & | ^ << < ==
		w.expr(depth - 1)
		w.expr(depth - 1)
		op := []byte{0x6a, 0x6b, 0x6c, 0x6e, 0x70, 0x71, 0x72, 0x73, 0x74, 0x48, 0x46}[w.r.IntN(11)]
		if w.r.IntN(50) > 0 {
			w.emit(0x41, 1, 0x72) // mostly not zero
		}
		w.emit(op)
	case 6: // load
		w.expr(depth - 1)
		w.emit(0x41, 0xff, 0x1f, 0x71, 0x28, 0x02, 0x10)
	case 7: // through i64
		w.expr(depth - 1)
		w.emit(0xad, 0x42, 3, 0x7e, 0xa7)
	case 8:
		w.emit(0x02, i32)
		w.open++
		w.expr(depth - 1)
		w.expr(depth - 1)
		w.emit(0x0d, 0) // br_if with a value
		w.open--
		w.emit(0x0b)
	case 9: // two results of a block
		w.emit(0x02, 1)
		w.open++
		w.expr(depth - 1)
		w.expr(depth - 1)
		w.open--
		w.emit(0x0b, 0x6a)
	case 10:
		w.expr(depth - 1)
		w.expr(depth - 1)
		w.expr(depth - 1)
		w.emit(0x1b)
	case 11:
		w.call(0x10)
	}
}

// call calls, by op, a function behind this one, or this one with a first parameter that shrinks.
func (w *writer) call(op byte) {
	if w.loops > 0 || w.r.IntN(3) > 0 { // not from loops: the time would multiply
		w.expr(0)
		return
	}
	callee := w.fn + 1 + w.r.IntN(w.funcs-w.fn)
	if callee == w.funcs { // recurse: if p0 > 0 then f(p0 & 7 - 1, x) else 1
		w.emit(0x20, 0, 0x41, 7, 0x71, 0x04, i32, 0x20, 0, 0x41, 7, 0x71, 0x41, 1, 0x6b)
		w.open++
		w.expr(0)
		w.emit(op, byte(w.fn))
		w.open--
		w.emit(0x05, 0x41, 1, 0x0b)
		return
	}
	w.expr(0)
	w.expr(0)
	if w.r.IntN(2) == 0 {
		w.emit(0x41)
		w.out = append(w.out, sleb(callee)...)
		w.emit(op+1, 0, 0) // indirect
	} else {
		w.emit(op, byte(callee))
	}
}

func (w *writer) statement(depth int) {
	if w.left--; w.left < 0 {
		return
	}
	pick := w.r.IntN(14)
	if depth == 0 {
		pick %= 5
	}
	switch pick {
	case 0, 1:
		w.expr(3)
		w.emit(0x21, byte(1+w.r.IntN(4))) // not the first parameter, which bounds recursion
	case 2:
		w.expr(2)
		w.emit(0x24, byte(w.r.IntN(2)))
	case 3, 4:
		w.expr(1)
		w.emit(0x41, 0xff, 0x1f, 0x71)
		w.expr(2)
		w.emit(0x36, 0x02, 0x20)
	case 5, 6:
		w.expr(2)
		w.emit(0x04, 0x40)
		w.block(depth)
		if w.r.IntN(2) == 0 {
			w.emit(0x05)
			w.block(depth)
		}
		w.emit(0x0b)
	case 7:
		w.emit(0x02, 0x40)
		w.block(depth)
		w.emit(0x0b)
	case 8, 9: // loop while --counter
		if w.loops == 3 {
			return
		}
		counter := byte(5 + w.loops)
		w.loops++
		w.emit(0x41, byte(10+w.r.IntN(50)), 0x21, counter, 0x03, 0x40)
		w.block(depth)
		w.emit(0x20, counter, 0x41, 1, 0x6b, 0x22, counter, 0x41, 0, 0x4a, 0x0d, 0, 0x0b)
		w.loops--
	case 10: // br_if out, never to a loop
		if w.loops == 0 && w.open > 0 {
			w.expr(1)
			w.emit(0x0d, 0)
		}
	case 11:
		w.expr(1)
		w.emit(0x04, 0x40)
		w.expr(2)
		if w.r.IntN(3) == 0 && w.fn+1 < w.funcs {
			w.emit(0x20, 1, 0x12, byte(w.fn+1)) // tail call
		} else {
			w.emit(0x0f)
		}
		w.emit(0x0b)
	case 12: // memory.fill or memory.copy of up to 8 KiB
		w.expr(0)
		w.emit(0x41, 0xff, 0x1f, 0x71)
		w.expr(0)
		w.emit(0x41, 0xff, 0x1f, 0x71)
		w.expr(1)
		w.emit(0x41, 0xff, 0x3f, 0x71)
		if w.r.IntN(2) == 0 {
			w.emit(0xfc, 11, 0)
		} else {
			w.emit(0xfc, 10, 0, 0)
		}
	case 13: // br_table over nested blocks
		w.emit(0x02, 0x40, 0x02, 0x40, 0x02, 0x40)
		w.expr(2)
		w.emit(0x0e, 2, 0, 1, 2, 0x0b)
		w.block(depth)
		w.emit(0x0b)
		w.block(depth)
		w.emit(0x0b)
	}
}

func (w *writer) block(depth int) {
	w.open++
	for range 1 + w.r.IntN(3) {
		w.statement(depth - 1)
	}
	w.open--
}

// randomModule has functions f0..., a table of them, a memory and two globals, all exported.
func randomModule(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	m := &wasmModule{memories: [][]byte{{0, 1}}, tables: [][]byte{{0x70, 0, 16}}}
	m.types = append(m.types, []byte{0x60, 2, i32, i32, 1, i32}, []byte{0x60, 0, 2, i32, i32})
	m.globals = append(m.globals, []byte{i32, 1, 0x41, 3, 0x0b}, []byte{i32, 1, 0x41, 5, 0x0b})
	funcs := 2 + r.IntN(6)
	for n := range funcs {
		w := &writer{r: r, fn: n, funcs: funcs, left: 40}
		for range 2 + r.IntN(6) {
			w.statement(3)
		}
		w.expr(2)
		body := cat([]byte{1, 6, i32}, w.out, []byte{0x0b})
		m.funcs = append(m.funcs, []byte{0})
		m.code = append(m.code, cat(uleb(uint64(len(body))), body))
		m.exports = append(m.exports, cat(str(fmt.Sprint("f", n)), []byte{0}, uleb(uint64(n))))
		m.elements = append(m.elements, []byte{0, 0x41, byte(n), 0x0b, 1, byte(n)})
	}
	m.exports = append(m.exports, cat(str("m"), []byte{2, 0}), cat(str("g0"), []byte{3, 0}), cat(str("g1"), []byte{3, 1}))
	m.data = append(m.data, cat([]byte{0, 0x41, 16, 0x0b}, str("some bytes to begin with")))
	return m.bytes()
}

// trace calls every function and says all there is to say about each call.
func trace(ctx context.Context, m api.Module) (lines []string) {
	for n := 0; m.ExportedFunction(fmt.Sprint("f", n)) != nil; n++ {
		got, err := m.ExportedFunction(fmt.Sprint("f", n)).Call(ctx, uint64(n*3+5), 77)
		reason, _ := core.Explain(err)
		b, _ := m.Memory().Read(0, m.Memory().Size())
		h := fnv.New64a()
		_, _ = h.Write(b)
		lines = append(lines, fmt.Sprintf("f%d = %v %s, globals %d %d, memory %x", n, got, reason,
			m.ExportedGlobal("g0").Get(), m.ExportedGlobal("g1").Get(), h.Sum64()))
	}
	return lines
}

func TestRandomProgramsComputeTheSameRewritten(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e := engine(t, "")
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesTailCall|experimental.CoreFeaturesExtendedConst))
	defer func() { _ = r.Close(context.Background()) }()
	fuel, traps := uint64(0), 0
	for seed := range uint64(300) {
		src := randomModule(seed)
		plain, err := r.InstantiateWithConfig(ctx, src, wazero.NewModuleConfig().WithName(""))
		if err != nil {
			t.Fatalf("seed %d: the test's module is wrong: %v", seed, err)
		}
		want := trace(ctx, plain)
		i := instance(t, e, compile(t, e, src), core.InstanceOptions{})
		got := trace(ctx, i.Module())
		for n := range want {
			if want[n] != got[n] {
				t.Fatalf("seed %d:\nplain     %s\nrewritten %s", seed, want[n], got[n])
			}
			if len(want[n]) > 0 && want[n][5] == '[' && want[n][6] == ']' {
				traps++
			}
		}
		fuel += i.Fuel()
		again := instance(t, e, compile(t, e, src), core.InstanceOptions{})
		if trace(ctx, again.Module()); again.Fuel() != i.Fuel() {
			t.Fatalf("seed %d: the same program took %d points of fuel, then %d", seed, i.Fuel(), again.Fuel())
		}
	}
	if fuel < 50*rewrite.Slice || traps == 0 || traps > 600 {
		t.Errorf("the programs spend %d points and trap %d times: they test too little", fuel, traps)
	}
}
