package quickjs

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
	"greentic.dev/wasm/wit"
)

const world = `package test:place@1.0.0;
interface host {
  record item { name: string, size: u32, tags: list<string> }
  enum trouble { lost, broken }
  find: func(name: string) -> result<option<item>, trouble>;
  add: func(x: u64, y: u32) -> u64;
}
interface guest {
  use host.{item};
  variant shape { dot, circle(f64), box(tuple<u8, s16>) }
  record query { text: string, limit: option<u32>, shape: shape, data: list<u8>, big: s64, sign: char, yes: bool, a: string, b: string, c: string }
  record reply { items: list<item>, shape: shape, data: list<u8>, note: string }
  ask: func(q: query) -> result<reply, string>;
  sum: func(x: u32, y: u32) -> u32;
  say: func(text: string) -> string;
  nothing: func();
}
`

func parse(t testing.TB) (host, guest *wit.Interface) {
	t.Helper()
	set, err := wit.Parse(map[string]string{"world.wit": world})
	if err != nil {
		t.Fatal(err)
	}
	return set.Interface("test:place/host@1.0.0"), set.Interface("test:place/guest@1.0.0")
}

func engineFor(t testing.TB) *wasm.Engine {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	e, err := wasm.New(t.Context(), wasm.Options{CacheDir: filepath.Join(cache, "greentic", "code")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	return e
}

// program is a component of one module over the world above.
func program(t testing.TB, source string) Program {
	t.Helper()
	host, guest := parse(t)
	return Program{Entry: "main.js", Modules: map[string]string{"main.js": source}, Imports: []*wit.Interface{host}, Exports: []*wit.Interface{guest}}
}

func bind(t testing.TB, p Program) *wasm.Bound {
	t.Helper()
	code, err := Componentize(p)
	if err != nil {
		t.Fatal(err)
	}
	if f := os.Getenv("KEEP"); f != "" {
		_ = os.WriteFile(f, code, 0o600)
	}
	c, err := engineFor(t).Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "test:place/host@1.0.0", Funcs: map[string]wasm.HostFunc{
		"add": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
			return args[0].(uint64) + uint64(args[1].(uint32)), nil
		},
		"find": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
			switch args[0] {
			case "none":
				return wasm.OK(wasm.Option{}), nil
			case "lost":
				return wasm.Err(wasm.Variant{Case: "lost"}), nil
			}
			return wasm.OK(wasm.Some(wasm.Record{{Name: "name", Value: args[0]}, {Name: "size", Value: uint32(7)}, {Name: "tags", Value: []any{"a", "ü"}}})), nil
		}}})
	b, err := c.Bind(h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func call(t testing.TB, b *wasm.Bound, name string, args ...any) (any, wasm.Stats, error) {
	t.Helper()
	return b.Invoke(t.Context(), wasm.Invocation{Interface: "test:place/guest@1.0.0", Func: name, Args: args, Owner: "test",
		Limits: wasm.Limits{Wall: 10 * time.Second, Memory: 64 << 20}, WASI: wasi.Config{Clock: func() time.Time { return time.Unix(1_700_000_000, 5_000_000) }}})
}

const mirror = `
import { find, add } from "test:place/host@1.0.0";
export const guest = {
  ask(q) {
    if (q.text === "fail") throw Object.assign(new Error("no"), { payload: "told" });
    if (q.text === "boom") throw new Error("boom");
    let items = [];
    try { const i = find(q.text); if (i) items = [i, i]; } catch (e) { return Promise.resolve({ items, shape: { tag: "dot" }, data: new Uint8Array(), note: "caught " + e.payload }); }
    return { items, shape: q.shape, data: q.data.map((x) => x + 1), note: JSON.stringify([q.limit, String(q.big), q.sign, q.yes, q.c, String(add(2n ** 63n, 5))]) };
  },
  sum: (x, y) => x + y,
  async say(text) { await null; const r = Math.random(); return [text, new Date().toISOString(), r >= 0 && r < 1, crypto.randomUUID().length, new TextDecoder().decode(new TextEncoder().encode("é"))].join(" "); },
  nothing() {},
};
`

func query(text string) wasm.Record {
	return wasm.Record{{Name: "text", Value: text}, {Name: "limit", Value: wasm.Some(uint32(3))}, {Name: "shape", Value: wasm.Variant{Case: "box", Value: []any{uint8(9), int16(-3)}}},
		{Name: "data", Value: []byte{1, 2, 250}}, {Name: "big", Value: int64(-1 << 60)}, {Name: "sign", Value: 'ß'}, {Name: "yes", Value: true},
		{Name: "a", Value: "A"}, {Name: "b", Value: ""}, {Name: "c", Value: "C\x00c"}}
}

// TestValuesOfEveryShapeCross: what goes in is what JavaScript sees, and what it gives comes out.
func TestValuesOfEveryShapeCross(t *testing.T) {
	b := bind(t, program(t, mirror))
	for _, x := range []struct{ text, want string }{
		{"thing", `{"IsErr":false,"Value":[{"Name":"items","Value":[[{"Name":"name","Value":"thing"},{"Name":"size","Value":7},{"Name":"tags","Value":["a","ü"]}],[{"Name":"name","Value":"thing"},{"Name":"size","Value":7},{"Name":"tags","Value":["a","ü"]}]]},{"Name":"shape","Value":{"Case":"box","Value":[9,-3]}},{"Name":"data","Value":"AgP7"},{"Name":"note","Value":"[3,\"-1152921504606846976\",\"ß\",true,\"C\\u0000c\",\"9223372036854775813\"]"}]}`},
		{"lost", `{"IsErr":false,"Value":[{"Name":"items","Value":[]},{"Name":"shape","Value":{"Case":"dot","Value":null}},{"Name":"data","Value":""},{"Name":"note","Value":"caught lost"}]}`},
		{"fail", `{"IsErr":true,"Value":"told"}`},
	} {
		v, stats, err := call(t, b, "ask", query(x.text))
		if err != nil {
			t.Fatalf("%s: %v", x.text, err)
		}
		if got := jsonOf(t, v); got != x.want {
			t.Errorf("%s gave\n%s, want\n%s", x.text, got, x.want)
		}
		if !stats.Kept {
			t.Errorf("%s was not kept", x.text)
		}
	}
	if v, _, err := call(t, b, "sum", uint32(4_000_000_000), uint32(1)); err != nil || v != uint32(4_000_000_001) {
		t.Errorf("sum: %v, %v", v, err)
	}
	if _, _, err := call(t, b, "nothing"); err != nil {
		t.Error(err)
	}
	v, _, err := call(t, b, "say", "now")
	if want := "now 2023-11-14T22:13:20.005Z true 36 é"; err != nil || v != want {
		t.Errorf("say gave %q, %v, want %q", v, err, want)
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWhatIsThrownEndsTheCallAlone(t *testing.T) {
	b := bind(t, program(t, mirror))
	if _, _, err := call(t, b, "ask", query("boom")); !fault.Is(err, fault.Invalid) {
		t.Errorf("an error without a payload gave %v", err)
	}
	if v, _, err := call(t, b, "sum", uint32(1), uint32(2)); err != nil || v != uint32(3) {
		t.Errorf("afterwards: %v, %v", v, err)
	}
}

// TestBadGuests: loops, recursion and greed end by a limit or as an error that JavaScript sees.
func TestBadGuests(t *testing.T) {
	b := bind(t, program(t, `
		const deep = () => deep() + 1;
		export const guest = { say(text) {
			if (text === "loop") for (;;) ;
			try {
				if (text === "deep") return deep();
				const hoard = []; for (;;) hoard.push(new Uint8Array(1 << 20).fill(1));
			} catch (e) { return e.name + ": " + e.message; }
		} };`))
	if v, _, err := call(t, b, "say", "deep"); err != nil || v != "RangeError: Maximum call stack size exceeded" {
		t.Errorf("recursion: %v, %v", v, err)
	}
	if v, _, err := call(t, b, "say", "hoard"); err != nil || v != "InternalError: out of memory" {
		t.Errorf("greed: %v, %v", v, err)
	}
	_, _, err := b.Invoke(t.Context(), wasm.Invocation{Interface: "test:place/guest@1.0.0", Func: "say", Args: []any{"loop"}, Owner: "test", Limits: wasm.Limits{Wall: 200 * time.Millisecond}})
	if !fault.Is(err, fault.Timeout) {
		t.Errorf("a loop ended with %v", err)
	}
}

func TestModulesAreLinkedByName(t *testing.T) {
	p := program(t, `import { twice } from "./lib/twice.js"; import three from "three"; export const guest = { sum: (x, y) => twice(x) + y * three };`)
	p.Modules["lib/twice.js"] = `import { two } from "./two.js"; export const twice = (x) => x * two;`
	p.Modules["lib/two.js"] = `export const two = 2;`
	p.Modules["node_modules/three/index.js"] = `export default 3;`
	p.Links = map[string]map[string]string{"main.js": {"./lib/twice.js": "lib/twice.js", "three": "node_modules/three/index.js"}, "lib/twice.js": {"./two.js": "lib/two.js"}}
	if v, _, err := call(t, bind(t, p), "sum", uint32(10), uint32(1)); err != nil || v != uint32(23) {
		t.Errorf("sum gave %v, %v", v, err)
	}
}

func TestAProbeSaysWhatIsWrong(t *testing.T) {
	for name, x := range map[string]struct{ source, want string }{
		"syntax":  {"export const guest = {\n  say( { }\n};", "SyntaxError"},
		"throws":  {"throw new RangeError('at the top');", "RangeError: at the top"},
		"missing": {`import x from "./nowhere.js"; export const guest = { say: () => x };`, `main.js ./nowhere.js`},
		"export":  {"export const other = 1;", "the entry module exports no guest.say"},
		"fine":    {`export const guest = { say: () => "{}" };`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := wit.Parse(map[string]string{"w.wit": "package test:place@1.0.0;\ninterface guest { say: func() -> string; }"})
			if err != nil {
				t.Fatal(err)
			}
			p := Program{Entry: "main.js", Modules: map[string]string{"main.js": x.source}, Exports: []*wit.Interface{set.Interface("test:place/guest@1.0.0")}, Probe: true}
			v, _, err := call(t, bind(t, p), "say")
			if err != nil {
				t.Fatal(err)
			}
			failure, missing, err := Probed(v.(string))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(missing) > 0 {
				got = missing[0].Base + " " + missing[0].Specifier
			} else if failure != nil {
				got = failure.Name + ": " + failure.Message + failure.Stack
			}
			if !strings.Contains(got, x.want) || x.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

func TestTheSameProgramGivesTheSameBytes(t *testing.T) {
	one, err := Componentize(program(t, mirror))
	if err != nil {
		t.Fatal(err)
	}
	other, err := Componentize(program(t, mirror))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, other) {
		t.Error("two runs differ")
	}
}

func TestWhatCannotBeCarriedIsRefused(t *testing.T) {
	p := program(t, "export const x = 1;")
	p.Modules["main.js"] = "a\x00b"
	if _, err := Componentize(p); !fault.Is(err, fault.Invalid) {
		t.Errorf("a zero byte gave %v", err)
	}
	p.Modules["main.js"] = strings.Repeat(" ", MaxSource+1)
	if _, err := Componentize(p); !fault.Is(err, fault.Exhausted) {
		t.Errorf("too much source gave %v", err)
	}
	set, err := wit.Parse(map[string]string{"w.wit": "package test:place@1.0.0;\ninterface guest { say: func(x: option<u32>); }"})
	if err != nil {
		t.Fatal(err)
	}
	p = Program{Entry: "main.js", Exports: []*wit.Interface{set.Interface("test:place/guest@1.0.0")}}
	if _, err := Componentize(p); !fault.Is(err, fault.Unsupported) {
		t.Errorf("an option as a parameter gave %v", err)
	}
}

func BenchmarkNothing(b *testing.B) {
	g := bind(b, program(b, mirror))
	if _, stats, err := call(b, g, "nothing"); err != nil || !stats.Kept {
		b.Fatal(err, stats)
	}
	for b.Loop() {
		if _, _, err := call(b, g, "nothing"); err != nil {
			b.Fatal(err)
		}
	}
}
