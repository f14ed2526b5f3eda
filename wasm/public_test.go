package wasm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/wasm"
)

// public compiles a public component of the folder GREENTIC_INPUT.
func public(t testing.TB, e *wasm.Engine, name string) *wasm.Component {
	t.Helper()
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	code, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(context.Background(), code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	telegramSchema = "greentic:provider-schema-core/schema-core-api@1.0.0"
	node           = "greentic:component/node@0.6.0"
)

// TestPublicComponentsDescribeThemselves compares with what another runtime (wasmtime) answers.
func TestPublicComponentsDescribeThemselves(t *testing.T) {
	e := engine(t)
	for _, tc := range []struct{ file, iface, name, sum string }{
		{"telegram.wasm", "greentic:component/descriptor@0.6.1", "describe", "644f8a147af2a41e"},
		{"telegram.wasm", telegramSchema, "healthcheck", "b808daea0f225957"},
		{"ai.greentic.component-adaptive-card.wasm", "greentic:component/component-descriptor@0.6.0", "describe", "e570cb288d90a603"},
	} {
		b := bind(t, public(t, e, tc.file), &wasm.Hosts{TrapMissing: true})
		sum := sha256.Sum256(must(t, b, tc.iface, tc.name).([]byte))
		if got := hex.EncodeToString(sum[:8]); got != tc.sum {
			t.Errorf("%s %s answers %s, want %s", tc.file, tc.name, got, tc.sum)
		}
	}
}

// telegramHosts answers the imports of the Telegram provider; requests takes the URLs it
// calls, if it is not nil.
func telegramHosts(requests *[]string) *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "greentic:secrets-store/secrets-store@1.0.0", Funcs: map[string]wasm.HostFunc{
		"get": func(context.Context, *wasm.Call, []any) (any, error) {
			return wasm.OK(wasm.Some([]byte("s3cret"))), nil
		}}})
	h.Add(&wasm.Interface{Name: "greentic:http/http-client@1.1.0", Funcs: map[string]wasm.HostFunc{
		"send": func(_ context.Context, _ *wasm.Call, args []any) (any, error) {
			if requests != nil {
				*requests = append(*requests, args[0].(wasm.Record).Get("url").(string))
			}
			return wasm.OK(wasm.Record{{Name: "status", Value: uint16(200)}, {Name: "headers", Value: []any{}},
				{Name: "body", Value: wasm.Some([]byte(`{"ok":true,"result":{"message_id":7}}`))}}), nil
		}}})
	return h
}

const telegramSend = `{"v":1,"id":"1","tenant":{"env":"dev","tenant":"t","tenant_id":"t","attempt":0},
	"channel":"telegram","session_id":"s","to":[{"id":"42","kind":"chat"}],"text":"hi","attachments":[],
	"metadata":{},"config":{"public_base_url":"https://example.org","enabled":true}}`

func TestThePublicTelegramProviderSends(t *testing.T) {
	var requests []string
	b := bind(t, public(t, engine(t), "telegram.wasm"), telegramHosts(&requests))
	var answer struct{ Status string }
	if err := json.Unmarshal(must(t, b, telegramSchema, "invoke", "send", []byte(telegramSend)).([]byte), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != "sent" || len(requests) != 1 || !strings.HasSuffix(requests[0], "/bots3cret/sendMessage") {
		t.Errorf("%+v, requests %q", answer, requests)
	}
}

// envelope is an invocation of node@0.6.0 with an empty map as payload.
func envelope() wasm.Record {
	var ctx wasm.Record
	for name, v := range func(yield func(string, any) bool) {
		none := wasm.Option{}
		_ = yield("tenant-id", "t") && yield("team-id", none) && yield("user-id", none) && yield("env-id", "dev") &&
			yield("trace-id", "") && yield("correlation-id", "") && yield("deadline-ms", uint64(0)) &&
			yield("attempt", uint32(0)) && yield("idempotency-key", none) && yield("i18n-id", "en")
	} {
		ctx = append(ctx, wasm.Named{Name: name, Value: v})
	}
	return wasm.Record{{Name: "ctx", Value: ctx}, {Name: "flow-id", Value: "f"}, {Name: "step-id", Value: "s"},
		{Name: "component-id", Value: "c"}, {Name: "attempt", Value: uint32(0)},
		{Name: "payload-cbor", Value: []byte{0xa0}}, {Name: "metadata-cbor", Value: wasm.Option{}}}
}

func TestPublicNodesAnswerTheirEnvelope(t *testing.T) {
	e := engine(t)
	for file, op := range map[string]string{"component-msg2events.wasm": "extract", "component-events2msg.wasm": "render"} {
		b := bind(t, public(t, e, file), nil)
		r, ok := must(t, b, node, "invoke", op, envelope()).(wasm.Result)
		if !ok {
			t.Errorf("%s: %v", file, r)
		}
		if file == "component-msg2events.wasm" {
			out, _ := r.Value.(wasm.Record)
			if r.IsErr || !bytes.Contains(out.Get("output-cbor").([]byte), []byte("message.text")) {
				t.Errorf("%s: %v", file, r)
			}
		}
	}
}

// TestPublicComponentsCompileAndLink: no valid component is refused, whatever it imports.
func TestPublicComponentsCompileAndLink(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no components: %v", dir, err)
	}
	for _, file := range files {
		e := engine(t) // of its own, so that the code of all is not held at once
		c := public(t, e, filepath.Base(file))
		if len(c.Exports()) == 0 && len(c.Imports()) == 0 {
			t.Logf("%s neither imports nor exports", filepath.Base(file))
		}
		bind(t, c, &wasm.Hosts{TrapMissing: true}).Close()
	}
}
