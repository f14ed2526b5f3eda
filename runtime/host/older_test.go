package host

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/flow"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
)

// olderShapes are the components of testdata/older.wat: node@0.5.0 with each of its three
// records, and node@0.4.0.
func olderShapes(t *testing.T, s setting) map[string]*Component {
	t.Helper()
	all := map[string]*Component{}
	for _, name := range []string{"a", "b", "c", "04"} {
		all[name] = load(t, s, "testdata/older-"+name+".wasm")
	}
	return all
}

// TestAnOlderNodeIsToldForWhomAndWhereItRuns: what each shape of exec-ctx and tenant-ctx has
// reaches the component under its own name (formats digest 2.5), absent facts as none.
func TestAnOlderNodeIsToldForWhomAndWhereItRuns(t *testing.T) {
	whole := greentic.TenantCtx{Env: "prod", Tenant: "acme", Team: "ops", User: "ada", Session: "s-1", Locale: "de-AT", TraceID: "t-1", CorrelationID: "c-1", IdempotencyKey: "k-1",
		Deadline: time.Now().Add(time.Hour)}
	bare := greentic.TenantCtx{Env: "prod", Tenant: "acme"}
	deadline := whole.Deadline.UnixMilli()
	short := map[string]any{"tenant": "acme", "team": "ops", "user": "ada", "trace-id": "t-1", "correlation-id": "c-1", "deadline-unix-ms": deadline,
		"attempt": int64(3), "idempotency-key": "k-1", "exec.flow-id": "f-1", "exec.node-id": "n-1"}
	withLocale := map[string]any{"tenant": "acme", "team": "ops", "user": "ada", "trace-id": "t-1", "i18n-id": "de-AT", "correlation-id": "c-1", "deadline-unix-ms": deadline,
		"attempt": int64(3), "idempotency-key": "k-1", "exec.i18n-id": "de-AT", "exec.flow-id": "f-1", "exec.node-id": "n-1"}
	shared := map[string]any{"env": "prod", "tenant": "acme", "tenant-id": "acme", "team": "ops", "team-id": "ops", "user": "ada", "user-id": "ada",
		"trace-id": "t-1", "i18n-id": "de-AT", "correlation-id": "c-1", "attributes": int64(0), "session-id": "s-1", "flow-id": "f-1", "node-id": "n-1", "provider-id": "comp-1",
		"deadline-ms": deadline, "attempt": int64(3), "idempotency-key": "k-1", "impersonation": int64(0), "exec.i18n-id": "de-AT", "exec.flow-id": "f-1", "exec.node-id": "n-1"}
	always := map[string]bool{"env": true, "tenant": true, "tenant-id": true, "attributes": true, "impersonation": true, "attempt": true, "exec.flow-id": true, "provider-id": true}

	for name, c := range olderShapes(t, newSetting(t, whole, Request{})) {
		want := maps.Clone(map[string]map[string]any{"a": short, "04": short, "b": withLocale, "c": shared}[name])
		want["op"], want["input"] = "context", map[string]any{"x": []any{int64(1), "ü"}}
		r := Request{Flow: "f-1", Node: "n-1", Component: "comp-1", Operation: "context", Attempt: 3, Input: map[string]any{"x": []any{1.0, "ü"}}}
		got, err := c.Invoke(t.Context(), whole, r)
		if err != nil || !reflect.DeepEqual(got.Output, any(want)) || !got.Stats.Kept {
			t.Errorf("shape %s: %v %v\n got %v\nwant %v", name, err, got.Stats.Kept, got.Output, want)
		}
		r.Flow, r.Node, r.Attempt = "f-1", "", 0
		got, err = c.Invoke(t.Context(), bare, r)
		for field := range want {
			if !always[field] && field != "op" && field != "input" && field != "flow-id" {
				want[field] = nil
			}
		}
		want["attempt"] = int64(1)
		if err != nil || !reflect.DeepEqual(got.Output, any(want)) {
			t.Errorf("shape %s, only what must be: %v\n got %v\nwant %v", name, err, got.Output, want)
		}
	}
}

func TestAnOlderNodeTakesAndGivesJSON(t *testing.T) {
	for name, c := range olderShapes(t, newSetting(t, ofTenant("a"), Request{})) {
		if want := map[bool]ABI{true: ABINode04, false: ABINode05}[name == "04"]; c.ABI() != want {
			t.Errorf("shape %s is called through %s", name, c.ABI())
		}
		failure := map[string]any{"ok": false, "error": map[string]any{"code": "E1", "message": "no", "retryable": true, "backoff_ms": 5}}
		for what, x := range map[string]struct {
			op            string
			input, config any
			output        any
			fail          *flow.NodeFail
			wait          time.Duration
		}{
			"whole numbers":   {op: "input", input: map[string]any{"n": 3.0, "l": []any{"<&>", nil, 1.5, true}}, output: map[string]any{"n": int64(3), "l": []any{"<&>", nil, 1.5, true}}},
			"nothing":         {op: "input"},
			"a text":          {op: "input", input: "plain", output: "plain"},
			"config":          {op: "input", input: map[string]any{"a": "b"}, config: map[string]any{"c": true}, output: map[string]any{"a": "b", "config": map[string]any{"c": true}}},
			"prose":           {op: "prose", output: "prose, not {JSON"},
			"an empty answer": {op: "empty"},
			"failure as data": {op: "input", input: failure, output: map[string]any{"ok": false, "error": map[string]any{"code": "E1", "message": "no", "retryable": true, "backoff_ms": int64(5)}},
				fail: &flow.NodeFail{Code: "E1", Message: "no", Retryable: true}, wait: 5 * time.Millisecond},
			"error text is data": {op: "input", input: map[string]any{"ok": false, "error": "text"}, output: map[string]any{"ok": false, "error": "text"}},
			"node-error": {op: "fail", input: "why not",
				output: map[string]any{"ok": false, "error": map[string]any{"code": "E_OLD", "message": `"why not"`, "retryable": true, "backoff_ms": uint64(250), "details": map[string]any{"why": []any{int64(1), int64(2)}}}},
				fail:   &flow.NodeFail{Code: "E_OLD", Message: `"why not"`, Retryable: true, Details: map[string]any{"why": []any{int64(1), int64(2)}}}, wait: 250 * time.Millisecond},
			"control": {op: "yield", output: int64(0)},
		} {
			got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: x.op, Input: x.input, Config: x.config})
			if err != nil || !reflect.DeepEqual(got.Output, x.output) || !reflect.DeepEqual(got.Fail, x.fail) || got.Backoff != x.wait || got.OK != (x.fail == nil) {
				t.Errorf("shape %s, %s: %#v fail %+v after %s, %v", name, what, got.Output, got.Fail, got.Backoff, err)
			}
		}
		got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "trap"})
		if !fault.Is(err, fault.Invalid) || got.OK || !strings.HasPrefix(err.Error(), "component older-"+name+" trap") {
			t.Errorf("shape %s, trap: %+v %v", name, got, err)
		}
	}
}

// TestAnEnvelopeIsWrappedOnlyOnRequest is the form that some components of the older lines
// expect instead of their input (formats digest 2.6).
func TestAnEnvelopeIsWrappedOnlyOnRequest(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	c := load(t, s, "testdata/older-b.wasm")
	who := ofTenant("a")
	who.Locale = "de"
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Hour))
	defer cancel()
	deadline, _ := ctx.Deadline()
	got, err := c.Invoke(ctx, who, Request{Flow: "f", Node: "n", Operation: "input", Input: map[string]any{"a": 1}, Envelope: true})
	doc, _ := got.Output.(map[string]any)
	want := map[string]any{"op": "input", "flow_id": "f", "node_id": "n", "payload": bytesAsNumbers(`{"a":1}`), "metadata": bytesAsNumbers("null"),
		"ctx": map[string]any{"env": "local", "tenant": "a", "tenant_id": "a", "user": "u1", "user_id": "u1", "i18n_id": "de", "flow_id": "f", "node_id": "n", "provider_id": "older-b",
			"attributes": map[string]any{}, "attempt": int64(1), "deadline": map[string]any{"unix_millis": deadline.UnixMilli()}}}
	if err != nil || !reflect.DeepEqual(doc, want) {
		t.Errorf("%v\n got %v\nwant %v", err, doc, want)
	}
	got, err = moody(t, s).Invoke(t.Context(), who, Request{Operation: "echo", Input: map[string]any{"a": "b"}, Envelope: true})
	if err != nil || !reflect.DeepEqual(got.Output, map[string]any{"a": "b"}) {
		t.Errorf("a newer line was wrapped: %+v %v", got, err)
	}
}

func bytesAsNumbers(s string) []any {
	list := make([]any, len(s))
	for i := range len(s) {
		list[i] = int64(s[i])
	}
	return list
}

func TestAnOlderNodeDescribesItself(t *testing.T) {
	for name, c := range olderShapes(t, newSetting(t, ofTenant("a"), Request{})) {
		want := map[string]Description{
			"a":  {Interface: interfaces.Node05, Name: "older", Version: "0.1.2", Operations: []Operation{}},
			"04": {Interface: interfaces.Node04, Operations: []Operation{}},
			"b": {Interface: interfaces.Node05, Name: "test.older", Version: "0.2.0", Summary: "Older",
				Operations: []Operation{{Name: "context", Input: map[string]any{"type": "object"}, Output: map[string]any{"$ref": "schemas/out.json"}}, {Name: "input"}}},
			"c": {Interface: interfaces.Node05, Name: "older", Version: "0.3.0", Operations: []Operation{}},
		}[name]
		got, err := c.Describe(t.Context())
		if name == "04" && got.Document != "no manifest" || got.Document == nil {
			t.Errorf("shape %s: document %v", name, got.Document)
		}
		got.Document = nil
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("shape %s: %+v %v", name, got, err)
		}
	}
}

func TestOlderNodesOfAnotherShapeAreRefused(t *testing.T) {
	text, data := of(binary.String), listOf(of(binary.U8))
	result := func(ok, bad *wasm.Type, names ...string) *wasm.Type {
		return &wasm.Type{Kind: binary.Variant, Cases: []binary.Case{{Name: names[0], Type: ok}, {Name: names[1], Type: bad}}}
	}
	good := &wasm.FuncType{Params: []binary.Field{field("ctx", record()), field("op", text), field("input", text)}, Result: result(text, record(), "ok", "err")}
	for name, f := range map[string]*wasm.FuncType{
		"no context":         {Params: good.Params[1:], Result: good.Result},
		"a text as context":  {Params: []binary.Field{field("ctx", text), field("op", text), field("input", text)}, Result: good.Result},
		"bytes as input":     {Params: []binary.Field{field("ctx", record()), field("op", text), field("input", data)}, Result: good.Result},
		"nothing as result":  {Params: good.Params},
		"text as result":     {Params: good.Params, Result: text},
		"bytes as ok":        {Params: good.Params, Result: result(data, record(), "ok", "err")},
		"a text as err":      {Params: good.Params, Result: result(text, text, "ok", "err")},
		"cases of new names": {Params: good.Params, Result: result(text, record(), "yes", "no")},
	} {
		for _, abi := range []ABI{ABINode05, ABINode04} {
			if _, err := pickABI(exports{fmt.Sprintf("%s#invoke", abi): f}); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s, %s: %v", abi, name, err)
			}
			if got, err := pickABI(exports{fmt.Sprintf("%s#invoke", abi): good}); got != abi || err != nil {
				t.Errorf("%s: %s %v", abi, got, err)
			}
		}
	}
}

// TestAnMCPRouterIsRecognised: it is loaded and named, but not called through operations.
func TestAnMCPRouterIsRecognised(t *testing.T) {
	c := load(t, newSetting(t, ofTenant("a"), Request{}), "testdata/router.wasm")
	if abi, err := ABIOf(c.Code()); abi != ABIRouter || err != nil || c.ABI() != abi {
		t.Errorf("%s %v", abi, err)
	}
	_, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "call"})
	if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "MCP router (wasix:mcp/router@25.6.18)") {
		t.Errorf("invoke: %v", err)
	}
	if _, err := c.Describe(t.Context()); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "MCP router") {
		t.Errorf("describe: %v", err)
	}
}
