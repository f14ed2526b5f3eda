package host

import (
	"context"
	"math"
	"reflect"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
)

func of(k binary.Kind) *wasm.Type    { return &wasm.Type{Kind: k} }
func option(t *wasm.Type) *wasm.Type { return &wasm.Type{Kind: binary.Option, Elem: t} }
func listOf(t *wasm.Type) *wasm.Type { return &wasm.Type{Kind: binary.List, Elem: t} }
func record(fields ...binary.Field) *wasm.Type {
	return &wasm.Type{Kind: binary.Record, Fields: fields}
}
func field(name string, t *wasm.Type) binary.Field {
	return binary.Field{Name: name, Type: t}
}

// TestTheEnvelopeIsFilledByFieldName: the tenant records that shipped components carry differ
// (formats digest 2.4, 2.5); each gets the same facts.
func TestTheEnvelopeIsFilledByFieldName(t *testing.T) {
	text, maybe := of(binary.String), option(of(binary.String))
	deadline := time.UnixMilli(1_700_000_000_000)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	tenant := greentic.TenantCtx{Env: "local", Tenant: "a", User: "u", Locale: "de", TraceID: "t1"}
	r := Request{Flow: "f", Node: "n", Attempt: 2}
	for name, c := range map[string]struct {
		ctx  context.Context
		typ  *wasm.Type
		want wasm.Record
	}{
		"types-core": {ctx, record(field("tenant-id", text), field("team-id", maybe), field("user-id", maybe), field("env-id", text), field("trace-id", text),
			field("correlation-id", text), field("deadline-ms", of(binary.U64)), field("attempt", of(binary.U32)), field("idempotency-key", maybe), field("i18n-id", text)),
			wasm.Record{{Name: "tenant-id", Value: "a"}, {Name: "team-id", Value: none}, {Name: "user-id", Value: wasm.Some("u")}, {Name: "env-id", Value: "local"}, {Name: "trace-id", Value: "t1"},
				{Name: "correlation-id", Value: ""}, {Name: "deadline-ms", Value: uint64(1_700_000_000_000)}, {Name: "attempt", Value: uint32(2)}, {Name: "idempotency-key", Value: none}, {Name: "i18n-id", Value: "de"}}},
		"no deadline": {t.Context(), record(field("deadline-ms", of(binary.U64)), field("deadline-unix-ms", option(of(binary.U64)))),
			wasm.Record{{Name: "deadline-ms", Value: uint64(math.MaxUint64)}, {Name: "deadline-unix-ms", Value: none}}},
		"interfaces-types": {ctx, record(field("tenant", text), field("attributes", listOf(text)), field("deadline-ms", option(of(binary.S64))), field("flow-id", maybe),
			field("impersonation", option(record(field("actor-id", text)))), field("unknown", record(field("deep", of(binary.Bool))))),
			wasm.Record{{Name: "tenant", Value: "a"}, {Name: "attributes", Value: []any{}}, {Name: "deadline-ms", Value: wasm.Some(int64(1_700_000_000_000))}, {Name: "flow-id", Value: wasm.Some("f")},
				{Name: "impersonation", Value: none}, {Name: "unknown", Value: wasm.Record{{Name: "deep", Value: false}}}}},
	} {
		got, err := shape(c.typ, tenantFields(c.ctx, tenant, r))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

func TestAnEnvelopeWithAHandleIsRefused(t *testing.T) {
	if v, err := shape(record(field("x", of(binary.Own))), map[string]any{}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("%v %v", v, err)
	}
}

func TestConfigTravelsInTheInput(t *testing.T) {
	config := map[string]any{"c": 1}
	for name, c := range map[string]struct{ input, config, want any }{
		"beside fields":      {map[string]any{"a": 1}, config, map[string]any{"a": 1, "config": config}},
		"without input":      {map[string]any(nil), config, map[string]any{"config": config}},
		"input has its own":  {map[string]any{"config": 2}, config, map[string]any{"config": 2}},
		"no config":          {"text", nil, "text"},
		"input is no object": {"text", config, map[string]any{"input": "text", "config": config}},
	} {
		if got := withConfig(c.input, c.config); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	input := map[string]any{"a": 1}
	withConfig(input, config)
	if len(input) != 1 {
		t.Error("the input was changed")
	}
}

func TestWholeNumbersAreIntegers(t *testing.T) {
	input := map[string]any{"a": []any{1.0, 1.5, "x"}, "b": 1e300, "c": map[string]any{"d": -3.0}, "e": []any{nil, true}}
	got, _ := integers(input)
	want := map[string]any{"a": []any{int64(1), 1.5, "x"}, "b": 1e300, "c": map[string]any{"d": int64(-3)}, "e": []any{nil, true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%#v", got)
	}
	if input["a"].([]any)[0] != 1.0 || input["c"].(map[string]any)["d"] != -3.0 {
		t.Error("the input was changed")
	}
}
