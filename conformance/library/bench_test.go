package library

import (
	"testing"

	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
)

// BenchmarkCall is one call of each component that needs no network, through the host.
func BenchmarkCall(b *testing.B) {
	card := object{"type": "AdaptiveCard", "version": "1.3", "body": []any{object{"type": "TextBlock", "text": "{{i18n:hello}} {{name}}"}}}
	for _, c := range []struct {
		component, op string
		in            object
	}{
		{"templates", "text", object{"template": "Hello {{name}}", "data": object{"name": "Ada"}}},
		{"qa", "next", object{"questions": []any{object{"id": "n", "kind": "integer"}}, "asked": "n", "reply": "3"}},
		{"adaptive-card", "card", object{"card": card, "data": object{"name": "Ada"}}},
		{"router", "route", object{"text": "a refund", "rules": []any{object{"intent": "billing", "keywords": []any{"refund"}}}}},
		{"transform", "map", object{"filter": "[.[] | select(. > 1)]", "input": []any{1, 2, 3}}},
	} {
		b.Run(c.component, func(b *testing.B) {
			s := load(b, c.component, wasm.Limits{})
			request := host.Request{Flow: "f", Node: "n", Operation: c.op, Input: c.in}
			for b.Loop() {
				if got, err := s.Invoke(b.Context(), tenant, request); err != nil || !got.OK {
					b.Fatalf("%v %+v", err, got.Fail)
				}
			}
		})
	}
}
