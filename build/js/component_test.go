package js

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/egress"
	base "greentic.dev/build"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/cbor"
	"greentic.dev/model/component"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
)

func want(t *testing.T, got string, answer *host.Response, err error, text string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if got == "" {
		t.Fatalf("it failed: %+v", answer.Fail)
	}
	if got != text {
		t.Errorf("got %s, want %s", got, text)
	}
}

// TestAComponentOnOurHost: operations get what they are given and reach what they use.
func TestAComponentOnOurHost(t *testing.T) {
	b := onHost(t, build(t, allProject(t)), wasm.Limits{})
	got, r, err := b.call(t, "greet", map[string]any{"name": "Ada"})
	want(t, got, r, err, `{"text":"HELLO, ADA!"}`)
	if !r.Stats.Kept {
		t.Errorf("its instance is not kept: %+v", r.Stats)
	}
	b.request.Config = map[string]any{"greeting": "Grüß dich"}
	got, r, err = b.call(t, "greet", map[string]any{"name": "水"})
	want(t, got, r, err, `{"text":"GRÜSS DICH, 水!"}`)
	b.request.Config = nil
	for _, n := range []string{"1", "2"} {
		got, r, err = b.call(t, "count", map[string]any{})
		want(t, got, r, err, `{"n":`+n+`}`)
	}
	got, r, err = b.call(t, "big", map[string]any{"n": 2_000_000})
	want(t, got, r, err, `"`+strings.Repeat("x", 2_000_000)+`"`)
	got, r, err = b.call(t, "noop", nil)
	want(t, got, r, err, `null`)
	before := time.Now().Add(-time.Second).UnixMilli()
	got, _, err = b.call(t, "time", nil)
	var said struct {
		Now    int64
		Random bool
	}
	if json.Unmarshal([]byte(got), &said) != nil || err != nil || said.Now < before || !said.Random {
		t.Errorf("time gave %s, %v", got, err)
	}
}

func TestHTTPAndSecrets(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write([]byte(`{"saw":` + strconv.Quote(r.Method+" "+r.Header.Get("Content-Type")+" "+string(body)) + `}`))
	}))
	defer server.Close()
	grant, err := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	b := onHost(t, build(t, allProject(t)), wasm.Limits{})
	b.request.Grants.Hosts = []host.HostGrant{grant}
	got, r, err := b.call(t, "send", map[string]any{"url": server.URL})
	want(t, got, r, err, `{"cancelled":false,"got":{"saw":"POST application/json {\"token\":\"t0p\"}"},"tenant":{"correlation":"","env":"local","id":"demo","idempotencyKey":"","locale":"","team":"","trace":"","user":""}}`)
	for url, code := range map[string]string{server.URL + "/busy": "http_429", "http://other.example": "http_denied"} {
		_, r, err := b.call(t, "send", map[string]any{"url": url})
		if err != nil || r.Fail == nil || r.Fail.Code != code {
			t.Errorf("%s: %+v, %v", url, r, err)
		}
		if code == "http_429" && (!r.Fail.Retryable || r.Backoff != 3*time.Second) {
			t.Errorf("busy is %+v, %v", r.Fail, r.Backoff)
		}
	}
	if _, r, err := b.call(t, "other", nil); err != nil || r.Fail == nil || r.Fail.Code != "secret_denied" {
		t.Errorf("a secret that was not granted: %+v, %v", r, err)
	}
}

// TestWhateverGoesWrongHasAName: no failure of a guest is a bare trap.
func TestWhateverGoesWrongHasAName(t *testing.T) {
	b := onHost(t, build(t, allProject(t)), wasm.Limits{Memory: 64 << 20, Wall: 2 * time.Second})
	for _, x := range []struct {
		op    string
		input any
		code  string
		text  string
	}{
		{"greet", map[string]any{}, "invalid_input", "$.name: is missing"},
		{"greet", map[string]any{"name": 7}, "invalid_input", "$.name: want string, got number"},
		{"greet", []any{}, "invalid_input", "$: want object, got array"},
		{"nothing", nil, "not_found", `acme.all has no operation "nothing", only greet`},
		{"wrong", nil, "invalid_output", "$.text: want string, got number"},
		{"busy", nil, "busy", "later"},
		{"lost", nil, "lost", "nothing there"},
		{"throws", nil, "exception", "ReferenceError: undefinedThing is not defined (src/main.js:20:"},
		{"rejects", nil, "exception", "TypeError: in a promise (src/main.js:21:"},
		{"never", nil, "exception", "a promise was never settled"},
		{"deep", nil, "stack_overflow", "calls itself too deeply"},
		{"hoard", nil, "out_of_memory", "no more memory"},
	} {
		_, r, err := b.call(t, x.op, x.input)
		if err != nil {
			t.Errorf("%s: %v", x.op, err)
			continue
		}
		if r.Fail == nil || r.Fail.Code != x.code || !strings.Contains(r.Fail.Message, x.text) {
			t.Errorf("%s gave %+v, want %s: %s", x.op, r.Fail, x.code, x.text)
		}
	}
	if _, _, err := b.call(t, "loop", nil); !fault.Is(err, fault.Timeout) {
		t.Errorf("a loop ended with %v", err)
	}
	if got, r, err := b.call(t, "greet", map[string]any{"name": "x"}); got != `{"text":"HELLO, X!"}` {
		t.Errorf("afterwards: %s, %+v, %v", got, r, err)
	}
}

// TestItDescribesItself: node.describe, the document with the manifest, questions and texts.
func TestItDescribesItself(t *testing.T) {
	code := build(t, allProject(t))
	d, err := onHost(t, code, wasm.Limits{}).component.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "acme.all" || d.Version != "1.2.3" || len(d.Operations) != 16 {
		t.Errorf("it says %+v", d)
	}
	doc, err := base.Describer(engineFor(t))(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	manifest, _ := doc.(map[string]any)["metadata"].(map[string]any)["manifest"].(map[string]any)
	manifest["capabilities"], manifest["artifacts"] = map[string]any{"wasi": map[string]any{}, "host": map[string]any{}}, map[string]any{"component_wasm": "component.wasm"}
	manifest["hashes"] = map[string]any{"component_wasm": "blake3:" + strings.Repeat("0", 64)}
	raw, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	m, err := component.Parse("component.manifest.json", raw)
	if err != nil {
		t.Fatal(err)
	}
	if greet, err := m.Operation("greet"); err != nil || m.ID != "acme.all" || greet.InputSchema == nil {
		t.Errorf("its manifest is %s, %v", raw, err)
	}
	c, err := engineFor(t).Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := c.Bind(&wasm.Hosts{TrapMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := bound.Invoke(t.Context(), wasm.Invocation{Interface: interfaces.ComponentQA, Func: "qa-spec", Args: []any{wasm.Variant{Case: "setup"}}})
	if err != nil {
		t.Fatal(err)
	}
	if spec, err := cbor.Unmarshal(v.([]byte)); err != nil || spec.(map[string]any)["mode"] != "setup" {
		t.Errorf("questions: %v, %v", spec, err)
	}
	v, _, err = bound.Invoke(t.Context(), wasm.Invocation{Interface: interfaces.ComponentI18n, Func: "i18n-keys"})
	if list, _ := v.([]any); err != nil || len(list) != 19 || list[0] != "bye" {
		t.Errorf("texts: %v, %v", v, err)
	}
}

// TestItImportsWhatItUses: a host that offers nothing can run what uses nothing.
func TestItImportsWhatItUses(t *testing.T) {
	code := build(t, lay(t, map[string]string{"src/main.js": `import { component } from "@greentic/component";
export default component({ name: "a.b", version: "0.1.0", operations: { noop: { run: (ctx) => ctx.http } } });`}))
	c, err := engineFor(t).Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range c.Imports() {
		if len(i.Funcs) > 0 && !strings.HasPrefix(i.Name, "wasi:") {
			t.Errorf("it imports %s", i.Name)
		}
	}
	_, r, err := onHost(t, code, wasm.Limits{}).call(t, "noop", nil)
	if err != nil || r.Fail == nil || r.Fail.Code != "not_declared" {
		t.Errorf("what it does not use: %+v, %v", r, err)
	}
}

func TestTheSameSourcesGiveTheSameBytes(t *testing.T) {
	if !bytes.Equal(build(t, allProject(t)), build(t, allProject(t))) {
		t.Error("two builds in two folders differ")
	}
}

func TestTheLogReachesTheHost(t *testing.T) {
	code := build(t, allProject(t))
	var lines bytes.Buffer
	b := onHost(t, code, wasm.Limits{})
	h := host.New(host.Deps{Engine: engineFor(t), Log: slog.New(slog.NewJSONHandler(&lines, nil)), Now: time.Now}, host.Options{})
	c, err := h.Load(t.Context(), "acme.all", code)
	if err != nil {
		t.Fatal(err)
	}
	r := b.request
	r.Operation, r.Input = "count", map[string]any{}
	if _, err := c.Invoke(t.Context(), b.tenant, r); err != nil {
		t.Fatal(err)
	}
	if text := lines.String(); !strings.Contains(text, "counted") || !strings.Contains(text, "n 1") {
		t.Errorf("the log is %s", text)
	}
}

func BenchmarkNoop(b *testing.B) {
	x := onHost(b, build(b, allProject(b)), wasm.Limits{})
	if _, r, err := x.call(b, "noop", nil); err != nil || !r.Stats.Kept {
		b.Fatal(err, r)
	}
	for b.Loop() {
		if _, _, err := x.call(b, "noop", nil); err != nil {
			b.Fatal(err)
		}
	}
}
