package js

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
)

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

func options(t testing.TB) Options {
	return Options{Engine: engineFor(t), Getenv: os.Getenv, Look: exec.LookPath}
}

const packageJSON = `{ "name": "demo", "type": "module", "main": "src/main.js" }`

// lay makes a project of files by name; package.json is there unless it is among them.
func lay(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if files["package.json"] == "" {
		files["package.json"] = packageJSON
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// all is a component that uses everything.
const all = `
import { component, op, s, fail, retry } from "@greentic/component";
import { shout } from "./shout.js";
import words from "../words.json" with { type: "json" };

export default component({
  name: "acme.all", version: "1.2.3", title: "All", summary: "Uses everything",
  config: s.object({ greeting: s.string({ default: "Hello" }) }),
  secrets: [{ key: "TOKEN", description: "opens the door" }], uses: ["http", "state", "log", "cancel"], texts: { bye: "Goodbye" },
  operations: {
    greet: op({ summary: "greets", input: s.object({ name: s.string({ minLength: 1 }) }), output: s.object({ text: s.string() }),
      run: (ctx, { name }) => ({ text: shout(ctx.config.greeting + ", " + name) + words.end }) }),
    count: op({ async run(ctx) { const n = (ctx.state.get("n") ?? 0) + 1; ctx.state.set("n", n); await null; ctx.log("counted", { n }); console.log("n", n); return { n }; } }),
    send: op({ run: (ctx, { url }) => ({ got: ctx.http.postJSON(url, { token: ctx.secret("TOKEN") }), tenant: ctx.tenant, cancelled: ctx.cancelled() }) }),
    other: op({ run: (ctx) => ctx.secret("OTHER") }),
    noop: op({ run: () => null }),
    wrong: op({ output: s.object({ text: s.string() }), run: () => ({ text: 5 }) }),
    busy: op({ run() { throw retry("busy", "later", 1500); } }),
    lost: op({ run() { throw fail("lost", "nothing there", { where: "here" }); } }),
    throws: op({ run: () => undefinedThing.x }),
    rejects: op({ run: async () => { throw new TypeError("in a promise"); } }),
    never: op({ run: () => new Promise(() => {}) }),
    deep: op({ run() { const f = () => f() + 1; return f(); } }),
    hoard: op({ run() { const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1)); } }),
    loop: op({ run() { for (;;); } }),
    big: op({ run: (_, { n }) => "x".repeat(n) }),
    time: op({ run: () => ({ now: Date.now(), random: Math.random() !== Math.random() }) }),
  },
});
`

func allProject(t testing.TB) string {
	return lay(t, map[string]string{"src/main.js": all, "src/shout.js": "export const shout = (s) => s.toUpperCase();\n", "words.json": `{ "end": "!" }`})
}

func build(t testing.TB, dir string) []byte {
	t.Helper()
	code, err := Build(t.Context(), dir, options(t))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// notebook is a working memory of pages.
type notebook map[string][]byte

func (n notebook) Read(_ context.Context, key string) ([]byte, error) {
	if v, ok := n[key]; ok {
		return v, nil
	}
	return nil, fault.New(fault.NotFound, "state", "nothing was written")
}
func (n notebook) Write(_ context.Context, key string, v []byte) error { n[key] = v; return nil }
func (n notebook) Delete(_ context.Context, key string) error          { delete(n, key); return nil }

// bench is the component on our host.
type bench struct {
	component *host.Component
	tenant    greentic.TenantCtx
	request   host.Request
}

func onHost(t testing.TB, code []byte, limits wasm.Limits) *bench {
	t.Helper()
	store, client := memory.New(), egress.New(egress.Options{})
	t.Cleanup(func() { _ = client.Close() })
	b := &bench{tenant: greentic.DefaultTenant()}
	if err := store.Put(t.Context(), b.tenant, secrets.Name{Key: "TOKEN"}, []byte("t0p")); err != nil {
		t.Fatal(err)
	}
	h := host.New(host.Deps{Engine: engineFor(t), HTTP: client, Secrets: store, Now: time.Now}, host.Options{Limits: limits})
	var err error
	if b.component, err = h.Load(t.Context(), "acme.all", code); err != nil {
		t.Fatal(err)
	}
	b.request = host.Request{Flow: "f", Node: "n", State: notebook{}, Grants: host.Grants{State: true, Secrets: []string{"TOKEN"}}}
	return b
}

func (b *bench) call(t testing.TB, op string, input any) (string, *host.Response, error) {
	t.Helper()
	r := b.request
	r.Operation, r.Input = op, input
	answer, err := b.component.Invoke(t.Context(), b.tenant, r)
	if err != nil {
		return "", nil, err
	}
	if answer.Fail != nil {
		return "", &answer, nil
	}
	raw, err := json.Marshal(answer.Output)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), &answer, nil
}
