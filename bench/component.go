//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/examples/helpdesk"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
	"greentic.dev/runtime/host"
)

// components measures invocations as the runner makes them, through runtime/host with its policy
// and records: of the example component and, where it is present, of the Telegram provider.
func components(ctx context.Context) ([]figure, error) {
	engine, err := openEngine(ctx)
	if err != nil {
		return nil, err
	}
	defer engine.Close(ctx)
	client, store, tenant := egress.New(egress.Options{}), memory.New(), greentic.DefaultTenant()
	defer client.Close()
	h := host.New(host.Deps{Engine: engine, HTTP: client, Secrets: store}, host.Options{})

	code, err := helpdesk.Files.ReadFile("pack/components/helpdesk.triage/component.wasm")
	if err != nil {
		return nil, err
	}
	triage, err := h.Load(ctx, "helpdesk.triage", code)
	if err != nil {
		return nil, err
	}
	us, err := perOp(func() error {
		return invoke(ctx, triage, tenant, "classify", map[string]any{"text": "printer"}, host.Grants{})
	})
	if err != nil {
		return nil, err
	}
	list := []figure{{Name: "host_go_classify", Value: us, Unit: "us CPU, JSON to CBOR and back"}}
	if code, err = public("telegram.wasm"); code == nil {
		return list, err
	}
	telegram, err := h.Load(ctx, "telegram", code)
	if err != nil {
		return list, err
	}
	us, err = perOp(func() error { return invoke(ctx, telegram, tenant, "healthcheck", map[string]any{}, host.Grants{}) })
	if err != nil {
		return list, err
	}
	list = append(list, figure{Name: "host_telegram_healthcheck", Value: us, Unit: "us CPU"})
	if err := sendOverHTTP(ctx, telegram, store, tenant, &list); err != nil {
		return list, err
	}
	return list, card(ctx, h, tenant, &list)
}

// notebook is a working memory without pages.
type notebook struct{}

func (notebook) Read(context.Context, string) ([]byte, error) {
	return nil, fault.New(fault.NotFound, "state", "nothing was written")
}
func (notebook) Write(context.Context, string, []byte) error { return nil }
func (notebook) Delete(context.Context, string) error        { return nil }

// card measures the public Adaptive Card component with a card of 3 KiB.
func card(ctx context.Context, h *host.Host, tenant greentic.TenantCtx, list *[]figure) error {
	code, err := public("ai.greentic.component-adaptive-card.wasm")
	if code == nil {
		return err
	}
	c, err := h.Load(ctx, "card", code)
	if err != nil {
		return err
	}
	var body []any
	for i := range 28 {
		body = append(body, map[string]any{"type": "TextBlock", "wrap": true, "size": "Medium",
			"text": fmt.Sprintf("Line %d for {{name}}, as long as a sentence in a card usually is.", i)})
	}
	input := map[string]any{"card_source": "inline", "mode": "renderAndValidate", "payload": map[string]any{"name": "Ada"},
		"card_spec": map[string]any{"inline_json": map[string]any{"type": "AdaptiveCard", "version": "1.6", "body": body}}}
	us, err := perOp(func() error {
		r, err := c.Invoke(ctx, tenant, host.Request{Flow: "f", Node: "n", Operation: "card", Input: input, State: notebook{}, Grants: host.Grants{State: true}})
		if err == nil && r.Fail != nil {
			err = fmt.Errorf("card: %s", r.Fail.Message)
		}
		return err
	})
	if err == nil {
		*list = append(*list, figure{Name: "card_3k", Value: us, Unit: "us CPU, a card of 3 KiB, JSON to CBOR and back"})
	}
	return err
}

// sendOverHTTP measures an operation with two host calls, a secret and a request to a local
// server; the server's and the client's own cost are part of the figure.
func sendOverHTTP(ctx context.Context, telegram *host.Component, store secrets.Store, tenant greentic.TenantCtx, list *[]figure) error {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":true,"result":{"message_id":1,"chat":{"id":1}}}`))
	}))
	defer server.Close()
	if err := store.Put(ctx, tenant, secrets.Name{Key: "TELEGRAM_BOT_TOKEN"}, []byte("1:token")); err != nil {
		return err
	}
	grant, err := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		return err
	}
	grants := host.Grants{Hosts: []egress.Grant{grant}, Secrets: []string{"TELEGRAM_BOT_TOKEN"}}
	input := map[string]any{"text": "hello", "to": []any{map[string]any{"id": "1", "kind": "chat"}},
		"config": map[string]any{"enabled": true, "api_base_url": server.URL, "public_base_url": server.URL, "bot_token": "1:token", "default_chat_id": "1"}}
	us, err := perOp(func() error { return invoke(ctx, telegram, tenant, "send", input, grants) })
	if err != nil {
		return err
	}
	*list = append(*list, figure{Name: "host_telegram_send", Value: us, Unit: "us CPU, HTTP client and server included"})
	return nil
}

func invoke(ctx context.Context, c *host.Component, tenant greentic.TenantCtx, op string, input any, g host.Grants) error {
	r, err := c.Invoke(ctx, tenant, host.Request{Operation: op, Input: input, Grants: g})
	if err != nil {
		return err
	}
	if m, _ := r.Output.(map[string]any); r.Fail != nil || m["ok"] == false {
		raw, _ := json.Marshal(r.Output)
		return fmt.Errorf("%s answered %s", op, raw)
	}
	return nil
}

func conditions(context.Context) ([]figure, error) {
	c, err := expr.CompileCondition(`response.action == "printer" && prev.score > 3`)
	if err != nil {
		return nil, err
	}
	scope := map[string]any{"response": map[string]any{"action": "printer"}, "prev": map[string]any{"score": int64(5)}}
	us, err := perOp(func() error {
		for range 100 {
			if ok, err := c.Eval(scope); err != nil || !ok {
				return fmt.Errorf("condition: %v %v", ok, err)
			}
		}
		return nil
	})
	return []figure{{Name: "condition", Value: us / 100, Unit: "us CPU", Bar: bar(2)}}, err
}

// mappings is a mapping over 2 KiB of values: what a node hands to a component.
func mappings(context.Context) ([]figure, error) {
	mapping := map[string]any{"customer": "{{entry.customer}}", "lines": "{{entry.lines}}", "note": "Order {{entry.id}} of {{entry.customer.name}}: {{#each entry.lines}}{{sku}} x {{n}}, {{/each}}", "by": "{{prev.user}}", "fixed": []any{1.0, "two", true}}
	lines := make([]any, 24)
	for i := range lines {
		lines[i] = map[string]any{"sku": fmt.Sprintf("article-%04d", i), "n": float64(i), "text": "a line of an order, as they come"}
	}
	scope := expr.Scope{"entry": map[string]any{"id": "A-1", "customer": map[string]any{"name": "Ann", "city": "Berlin"}, "lines": lines}, "prev": map[string]any{"user": "u-1"}}
	m, err := expr.Compile(mapping)
	if err != nil {
		return nil, err
	}
	out, err := m.Render(scope, true)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	us, err := perOp(func() error {
		for range 100 {
			if _, err := m.Render(scope, true); err != nil {
				return err
			}
		}
		return nil
	})
	return []figure{{Name: "mapping_2k", Value: us / 100, Unit: fmt.Sprintf("us CPU, %d bytes of JSON", len(raw)), Bar: bar(20)}}, err
}
