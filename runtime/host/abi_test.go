package host

import (
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
)

func TestTheCallingConventionIsWhatTheBinaryExports(t *testing.T) {
	text, data := of(binary.String), listOf(of(binary.U8))
	node := &wasm.FuncType{Params: []binary.Field{field("op", text), field("envelope", record())}, Result: &wasm.Type{Kind: binary.Result, Elem: record(), Err: record()}}
	invoke := &wasm.FuncType{Params: []binary.Field{field("op", text), field("input", data)}, Result: data}
	run := &wasm.FuncType{Params: []binary.Field{field("input", data), field("state", data)}, Result: record()}
	old := &wasm.FuncType{Params: []binary.Field{field("ctx", record()), field("op", text), field("input", text)},
		Result: &wasm.Type{Kind: binary.Variant, Cases: []binary.Case{{Name: "ok", Type: text}, {Name: "err", Type: record()}}}}
	all := exports{string(ABINode05) + "#invoke": old, string(ABINode04) + "#invoke": old, string(ABIRouter) + "#call-tool": invoke, string(ABINode) + "#invoke": node, string(ABISchemaCore) + "#invoke": invoke, string(ABIRuntime) + "#invoke": invoke, string(ABIRun) + "#run": run}
	for _, want := range []ABI{ABINode, ABISchemaCore, ABIRuntime, ABIRun, ABINode05, ABINode04, ABIRouter} {
		if got, err := pickABI(all); got != want || err != nil {
			t.Errorf("%s %v, want %s", got, err, want)
		}
		delete(all, string(want)+"#"+want.entry())
	}
	_, err := pickABI(exports{"wasi:cli/run@0.2.0": node})
	if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "unknown world") || !strings.Contains(err.Error(), "wasi:cli/run@0.2.0") {
		t.Errorf("unknown world: %v", err)
	}
	if _, err := pickABI(exports{}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("no exports: %v", err)
	}
	if _, err := pickABI(exports{string(ABINode) + "#invoke": run}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a node of another shape: %v", err)
	}
	if _, err := pickABI(exports{string(ABIRuntime) + "#invoke": {Params: invoke.Params}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a runtime without result: %v", err)
	}
}

func TestImportsSayWhatTheyNeed(t *testing.T) {
	got := Capabilities([]Import{{Capability: capability("greentic:http/http-client@1.1.0")}, {Capability: capability("greentic:http/client@1.0.0")},
		{Capability: capability("wasi:io/streams@0.2.6")}, {Capability: capability("wasi:filesystem/types@0.2.9")}, {Capability: capability("greentic:secrets-store/secrets-store@1.0.0")}, {}})
	if strings.Join(got, " ") != "host:http host:secrets wasi:fs" {
		t.Error(got)
	}
	for iface, want := range map[string]string{
		"greentic:component/control@0.5.0": "", "greentic:component/control@0.4.0": "", "greentic:state/state-store@1.0.0": "host:state",
		"greentic:host/http-v1@1.0.0": "host:http", "greentic:host/kv-v1@1.0.0": "host:state", "greentic:interfaces-host/imports@0.1.0": "host:state",
		"wasix:mcp/router@25.6.18": "wasix:mcp/router@25.6.18", "greentic:oauth-broker/broker-v1@1.0.0": "host:oauth-broker",
	} {
		if got := capability(iface); got != want {
			t.Errorf("%s needs %q, want %q", iface, got, want)
		}
	}
}
