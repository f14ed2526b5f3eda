package encode

import (
	"bytes"
	"context"
	"testing"

	"greentic.dev/wasm"
	"greentic.dev/wasm/wit"
)

const world = `package a:b@1.0.0;
interface kinds {
  enum colour { red, green }
  record point { x: u32, y: u32, in: colour }
}
interface host {
  use kinds.{point};
  record pair { one: point, other: option<point> }
  twice: func(p: pair) -> point;
}
interface guest {
  use kinds.{point};
  variant maybe { no, yes(point) }
  add: func(x: u32, y: u32) -> u32;
  ask: func() -> maybe;
}
`

func parsed(t *testing.T) *wit.Set {
	t.Helper()
	set, err := wit.Parse(map[string]string{"w.wit": world})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// component adds by itself, and asks by handing the host {1, 2, green} twice.
func component(t *testing.T) []byte {
	t.Helper()
	set := parsed(t)
	host, guest := set.Interface("a:b/host@1.0.0"), set.Interface("a:b/guest@1.0.0")

	store := &Module{}
	store.Memory(1, []byte{0})
	store.Func("realloc", Sig("iiii", "i"), nil, Unreachable)
	store.exports = append(store.exports, cat(text("memory"), []byte{kindMemory}, num(0)))

	code := &Module{}
	twice := code.ImportFunc("h", "twice", Sig("iiiiiiii", ""))
	code.ImportMemory("m", "memory")
	code.Func("add", Sig("ii", "i"), nil, Get(0), Get(1), Add)
	code.Func("ask", Sig("", "i"), nil,
		Const(16), Const(1), Store(I32, 0), // yes
		Const(1), Const(2), Const(1), Const(0), Const(0), Const(0), Const(0), Const(20), Call(twice),
		Const(16))
	code.Func("after", Sig("i", ""), nil)

	c := New()
	c.Import(host)
	m := c.Instantiate(c.Module(store.Bytes()))
	o := Options{Memory: c.Memory(m, "memory"), Realloc: c.Func(m, "realloc")}
	bag := c.Bag([]string{"twice"}, []int{c.Lower(host, "twice", o)})
	g := c.Instantiate(c.Module(code.Bytes()), With{"h", bag}, With{"m", m})
	after := c.Func(g, "after")
	c.Export(guest, o, []Lifted{{c.Func(g, "add"), after}, {c.Func(g, "ask"), after}})
	c.Producers([2]string{"encode", "1"})
	return c.Bytes()
}

// TestAComponentRuns: what is written can be compiled, bound by its interfaces and called.
func TestAComponentRuns(t *testing.T) {
	e, err := wasm.New(t.Context(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close(context.Background()) }()
	made, err := e.Compile(t.Context(), component(t))
	if err != nil {
		t.Fatal(err)
	}
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "a:b/host@1.0.0", Funcs: map[string]wasm.HostFunc{
		"twice": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
			p := args[0].(wasm.Record).Get("one")
			x := p.(wasm.Record).Get("x")
			return wasm.Record{{Name: "x", Value: x.(uint32) * 2}, {Name: "y", Value: uint32(4)}, {Name: "in", Value: wasm.Variant{Case: "green"}}}, nil
		}}})
	b, err := made.Bind(h)
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := b.Invoke(t.Context(), wasm.Invocation{Interface: "a:b/guest@1.0.0", Func: "add", Args: []any{uint32(2), uint32(3)}})
	if err != nil || v != uint32(5) {
		t.Errorf("add gave %v, %v", v, err)
	}
	v, _, err = b.Invoke(t.Context(), wasm.Invocation{Interface: "a:b/guest@1.0.0", Func: "ask"})
	yes, _ := v.(wasm.Variant)
	p, _ := yes.Value.(wasm.Record)
	x := p.Get("x")
	if err != nil || yes.Case != "yes" || x != uint32(2) {
		t.Errorf("ask gave %v, %v", v, err)
	}
}

// TestInterfacesComeBackAsTheyWere: whoever reads the component finds the types that were given.
func TestInterfacesComeBackAsTheyWere(t *testing.T) {
	e, err := wasm.New(t.Context(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close(context.Background()) }()
	made, err := e.Compile(t.Context(), component(t))
	if err != nil {
		t.Fatal(err)
	}
	set := parsed(t)
	seen := 0
	for _, item := range append(made.Imports(), made.Exports()...) {
		for name, f := range item.Funcs {
			seen++
			if want := set.Interface(item.Name).Func(name); want == nil || !f.Same(want) {
				t.Errorf("%s#%s has another type", item.Name, name)
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d functions, want 3", seen)
	}
	if !bytes.Equal(component(t), component(t)) {
		t.Error("two runs differ")
	}
}
