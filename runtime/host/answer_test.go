package host

import (
	"reflect"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/flow"
	"greentic.dev/wasm"
)

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAnswersAreMappedAsTheEcosystemDoes is the table of formats digest 2.6.
func TestAnswersAreMappedAsTheEcosystemDoes(t *testing.T) {
	result := func(ok bool, out any) any {
		return wasm.OK(wasm.Record{{Name: "ok", Value: ok}, {Name: "output-cbor", Value: encoded(t, out)}, {Name: "output-metadata-cbor", Value: none}})
	}
	failure := map[string]any{"ok": false, "error": map[string]any{"code": "E1", "message": "no", "retryable": true, "backoff_ms": 250, "details": []any{"d"}}}
	for name, c := range map[string]struct {
		abi    ABI
		answer any
		output any
		fail   *flow.NodeFail
		wait   time.Duration
	}{
		"node, ok":                   {ABINode, result(true, map[string]any{"a": 1}), map[string]any{"a": int64(1)}, nil, 0},
		"node, ok false":             {ABINode, result(false, "it broke"), "it broke", &flow.NodeFail{Code: codeFailed, Message: "it broke"}, 0},
		"node, ok false, object":     {ABINode, result(false, map[string]any{"x": "y"}), map[string]any{"x": "y"}, &flow.NodeFail{Code: codeFailed, Message: `{"x":"y"}`}, 0},
		"node, failure as data":      {ABINode, result(true, failure), nil, &flow.NodeFail{Code: "E1", Message: "no", Retryable: true, Details: []any{"d"}}, 250 * time.Millisecond},
		"node, error text is data":   {ABINode, result(true, map[string]any{"ok": false, "error": "text"}), map[string]any{"ok": false, "error": "text"}, nil, 0},
		"node, domain error is data": {ABINode, result(true, map[string]any{"error": map[string]any{"code": "AC"}}), map[string]any{"error": map[string]any{"code": "AC"}}, nil, 0},
		"node-error": {ABINode, wasm.Err(wasm.Record{{Name: "code", Value: "E2"}, {Name: "message", Value: "bad"}, {Name: "retryable", Value: true}, {Name: "backoff-ms", Value: wasm.Some(uint64(10))}, {Name: "details", Value: wasm.Some(encoded(t, "why"))}}),
			map[string]any{"ok": false, "error": map[string]any{"code": "E2", "message": "bad", "retryable": true, "backoff_ms": uint64(10), "details": "why"}},
			&flow.NodeFail{Code: "E2", Message: "bad", Retryable: true, Details: "why"}, 10 * time.Millisecond},
		"runtime":          {ABIRuntime, encoded(t, []any{1.5}), []any{1.5}, nil, 0},
		"runtime, nothing": {ABIRuntime, []byte{}, nil, nil, 0},
		"run":              {ABIRun, wasm.Record{{Name: "output", Value: encoded(t, "x")}, {Name: "new-state", Value: []byte{0xa0}}}, "x", nil, 0},
		"json":             {ABISchemaCore, []byte(`{"ok":false,"error":"text","n":3}`), map[string]any{"ok": false, "error": "text", "n": int64(3)}, nil, 0},
		"json, failure":    {ABISchemaCore, []byte(`{"ok":false,"error":{"message":"m"}}`), nil, &flow.NodeFail{Code: codeFailed, Message: "m"}, 0},
		"json, no json":    {ABISchemaCore, []byte(`not json`), "not json", nil, 0},
		"json, nothing":    {ABISchemaCore, []byte{}, nil, nil, 0},
	} {
		var resp Response
		if err := (&Component{abi: c.abi}).read(&resp, c.answer); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.output != nil && !reflect.DeepEqual(resp.Output, c.output) {
			t.Errorf("%s: output %#v", name, resp.Output)
		}
		if !reflect.DeepEqual(resp.Fail, c.fail) || resp.Backoff != c.wait {
			t.Errorf("%s: fail %+v after %s", name, resp.Fail, resp.Backoff)
		}
	}
}

func TestNonsenseAnswersAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		abi    ABI
		answer any
	}{
		"cbor with a tail": {ABIRuntime, []byte{1, 2}},
		"cbor cut short":   {ABINode, wasm.OK(wasm.Record{{Name: "ok", Value: true}, {Name: "output-cbor", Value: []byte{0x82, 1}}})},
		"json in no UTF-8": {ABISchemaCore, []byte{'"', 0xff}},
	} {
		var resp Response
		if err := (&Component{abi: c.abi}).read(&resp, c.answer); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v %v", name, resp, err)
		}
	}
}

func TestABackoffIsBounded(t *testing.T) {
	if got := millis(1 << 63); got != maxBackoff {
		t.Error(got)
	}
}

func TestBothFormsOfSelfDescriptionAreRead(t *testing.T) {
	for name, doc := range map[string]any{
		"component": map[string]any{"info": map[string]any{"id": "c", "version": "1.2.3", "display_name": map[string]any{"key": "k", "fallback": "The C"}},
			"operations": []any{map[string]any{"id": "run", "display_name": map[string]any{"key": "k3", "fallback": "Runs"}, "input": map[string]any{"schema": "in"}, "output": map[string]any{"schema": "out"}}, "nonsense"}},
		"provider": map[string]any{"provider": "c", "version": "1.2.3", "operations": []any{map[string]any{"name": "run", "title": map[string]any{"key": "k2"}}}, "input_schema": "in", "output_schema": "out"},
	} {
		d := describeDocument(doc, texts{"k2": "Runs"})
		if d.Name != "c" || d.Version != "1.2.3" || !reflect.DeepEqual(d.Operations, []Operation{{Name: "run", Summary: "Runs", Input: "in", Output: "out"}}) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := describeDocument("nonsense", nil); d.Operations == nil || len(d.Operations) != 0 {
		t.Errorf("%+v", d)
	}
}

// exports is a component that only exists on paper.
type exports map[string]*wasm.FuncType

func (e exports) Func(iface, name string) (*wasm.FuncType, bool) {
	f, ok := e[iface+"#"+name]
	return f, ok
}

func (e exports) Exports() []wasm.Item {
	var list []wasm.Item
	for name := range e {
		list = append(list, wasm.Item{Name: name})
	}
	return list
}

// FuzzAnswers: whatever bytes a guest answers with, reading them ends in a response or an error.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{`{"ok":false,"error":{"code":1,"backoff_ms":-1}}`, "\xa2bok\xf4eerror\xa1dcode\x01", "\xf6", "", "\xff", `{"info":{"display_name":{"key":2}},"operations":[{"id":[]}]}`, `{"component":{"name":[1],"operations":[{"name":{}}]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		record := wasm.Record{{Name: "ok", Value: false}, {Name: "output-cbor", Value: b}, {Name: "output", Value: b}, {Name: "code", Value: "c"}, {Name: "details", Value: wasm.Some(b)}}
		for abi, answer := range map[ABI][]any{ABISchemaCore: {b}, ABIRuntime: {b}, ABIRun: {record}, ABINode: {wasm.OK(record), wasm.Err(record)},
			ABINode05: {wasm.Variant{Case: "ok", Value: string(b)}, wasm.Variant{Case: "err", Value: record}}} {
			for _, a := range answer {
				var resp Response
				if err := (&Component{abi: abi}).read(&resp, a); err == nil && abi == ABINode && resp.Fail == nil {
					t.Fatalf("%x: ok false without a failure", b)
				}
			}
		}
		_, _ = describeCBOR(b, nil)
		_, _ = describeJSON(b, nil)
		_, _ = describeManifest(string(b), nil)
	})
}
