package host

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"greentic.dev/backing/egress"
)

// public is the path of a public component; the test is skipped when there are none.
func public(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	return filepath.Join(dir, name)
}

func decodeJSON(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheTelegramProviderIngestsAnUpdate(t *testing.T) {
	path := public(t, "telegram.wasm")
	c := load(t, newSetting(t, ofTenant("a"), Request{}), path)
	if c.ABI() != ABISchemaCore {
		t.Errorf("called through %s", c.ABI())
	}
	update := `{"update_id":7,"message":{"message_id":9,"date":1700000000,"chat":{"id":4711,"type":"private"},"from":{"id":42,"is_bot":false,"first_name":"Ada"},"text":"hello"}}`
	input := map[string]any{"v": 1, "provider": "telegram", "method": "POST", "path": "/webhook", "query": "", "headers": []any{}, "body_b64": base64.StdEncoding.EncodeToString([]byte(update))}
	got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "ingest_http", Input: input})
	if err != nil || !got.OK {
		t.Fatalf("%+v %v", got, err)
	}
	out := got.Output.(map[string]any)
	events := out["events"].([]any)
	if out["status"] != int64(200) || len(events) != 1 {
		t.Fatalf("%v", out)
	}
	event := events[0].(map[string]any)
	if event["text"] != "hello" || event["session_id"] != "4711" || event["channel"] != "telegram" {
		t.Errorf("%v", event)
	}
}

func TestTheTelegramProviderIsHealthy(t *testing.T) {
	c := load(t, newSetting(t, ofTenant("a"), Request{}), public(t, "telegram.wasm"))
	got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "healthcheck", Input: map[string]any{}})
	if err != nil || got.Output.(map[string]any)["status"] != "healthy" {
		t.Errorf("%+v %v", got, err)
	}
	d, err := c.Describe(t.Context())
	if err != nil || len(d.Operations) == 0 || d.Name == "" {
		t.Errorf("%+v %v", d, err)
	}
}

// telegramServer is the sendMessage method of the Telegram Bot API: it checks token, method and
// parameters as the real one does and answers in its envelope.
func telegramServer(t *testing.T, token string, got *[]map[string]any) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fail := func(code int, text string) {
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"ok":false,"error_code":%d,"description":%q}`, code, text)
		}
		method, ok := strings.CutPrefix(r.URL.Path, "/bot"+token+"/")
		if !ok {
			fail(401, "Unauthorized")
			return
		}
		if method != "sendMessage" {
			fail(404, "Not Found")
			return
		}
		body, _ := io.ReadAll(r.Body)
		var params map[string]any
		if err := json.Unmarshal(body, &params); err != nil || params["chat_id"] == nil || params["text"] == nil {
			fail(400, "Bad Request: message text is empty")
			return
		}
		*got = append(*got, params)
		fmt.Fprintf(w, `{"ok":true,"result":{"message_id":%d,"date":1700000000,"chat":{"id":4711,"type":"private"},"text":%q}}`, 100+len(*got), params["text"])
	}))
	t.Cleanup(s.Close)
	return s
}

func TestTheTelegramProviderSendsThroughSecretAndHTTP(t *testing.T) {
	path := public(t, "telegram.wasm")
	var sent []map[string]any
	server := telegramServer(t, "4711:real-token", &sent)
	grant, err := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSetting(t, ofTenant("a"), Request{})
	s.put(t, ofTenant("a"), "TELEGRAM_BOT_TOKEN", "4711:real-token")
	c := load(t, s, path)
	message := decodeJSON(t, `{"id":"m1","tenant":{"env":"local","tenant":"a","tenant_id":"a","attempt":0},"channel":"telegram","session_id":"4711","to":[{"id":"4711","kind":"chat"}],"text":"hello from here","attachments":[],"metadata":{}}`).(map[string]any)
	message["config"] = map[string]any{"public_base_url": "https://example.com", "api_base_url": server.URL}
	body, _ := json.Marshal(message)
	request := Request{Operation: "send_payload", Grants: Grants{Secrets: []string{"TELEGRAM_BOT_TOKEN"}, Hosts: []HostGrant{grant}}, Input: map[string]any{
		"v": 1, "provider_type": "messaging.telegram.bot", "tenant_id": "a",
		"payload": map[string]any{"content_type": "application/json", "body_b64": base64.StdEncoding.EncodeToString(body), "metadata": map[string]any{}},
	}}
	got, err := c.Invoke(t.Context(), ofTenant("a"), request)
	if err != nil || got.Output.(map[string]any)["ok"] != true {
		t.Fatalf("%+v %v", got, err)
	}
	if len(sent) != 1 || sent[0]["chat_id"] != "4711" || sent[0]["text"] != "hello from here" {
		t.Errorf("Telegram got %v", sent)
	}
	if len(got.Calls) != 2 || got.Calls[0].Subject != "TELEGRAM_BOT_TOKEN" || got.Calls[1].Subject != "POST "+strings.TrimPrefix(server.URL, "http://") || !got.Calls[1].Effect {
		t.Errorf("recorded %+v", got.Calls)
	}
	for name, grants := range map[string]Grants{"no secret": {Hosts: request.Grants.Hosts}, "no host": {Secrets: request.Grants.Secrets}, "nothing": {}} {
		request.Grants = grants
		got, err := c.Invoke(t.Context(), ofTenant("a"), request)
		if err != nil || got.Output.(map[string]any)["ok"] != false || got.Calls[len(got.Calls)-1].Outcome != "denied" {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if len(sent) != 1 {
		t.Errorf("%d messages were sent", len(sent))
	}
	if strings.Contains(s.log.String(), "real-token") {
		t.Error("the token is in the log")
	}
}

func TestTheAdaptiveCardComponentRendersACard(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles 5.7 MB")
	}
	path := public(t, "ai.greentic.component-adaptive-card.wasm")
	c := load(t, newSetting(t, ofTenant("a"), Request{}), path)
	if c.ABI() != ABINode {
		t.Errorf("called through %s", c.ABI())
	}
	input := decodeJSON(t, `{"card_source":"inline","card_spec":{"inline_json":{"type":"AdaptiveCard","version":"1.6","body":[{"type":"TextBlock","text":"Hello {{name}}"}]}},"payload":{"name":"Ada"},"mode":"renderAndValidate"}`)
	got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Flow: "f", Node: "n", Operation: "card", Input: input, State: notebook{}, Grants: Grants{State: true}})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(got.Output)
	if !strings.Contains(string(text), `"version":"1.6"`) || !strings.Contains(string(text), "Hello") {
		t.Errorf("%s", text)
	}
	if d, err := c.Describe(t.Context()); err != nil || len(d.Operations) == 0 {
		t.Errorf("%+v %v", d, err)
	}
}

func TestNodesWithOnlyInvokeAreCalled(t *testing.T) {
	for _, name := range []string{"component-msg2events.wasm", "component-events2msg.wasm"} {
		c := load(t, newSetting(t, ofTenant("a"), Request{}), public(t, name))
		got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Flow: "f", Node: "n", Operation: "nonsense", Input: map[string]any{}})
		if err != nil || got.Output == nil {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

func TestAssetsAreReadableByTheComponent(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles 5.7 MB")
	}
	c := load(t, newSetting(t, ofTenant("a"), Request{}), public(t, "ai.greentic.component-adaptive-card.wasm"))
	input := map[string]any{"card_source": "asset", "card_spec": map[string]any{"asset_path": "assets/cards/x.json"}}
	for _, says := range []string{"from an asset", "of another flow", "and a third"} { // also in a kept instance
		files := fstest.MapFS{"assets/cards/x.json": {Data: []byte(`{"type":"AdaptiveCard","version":"1.6","body":[{"type":"TextBlock","text":"` + says + `"}]}`)}}
		got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "card", Input: input, Assets: files, State: notebook{}, Grants: Grants{State: true}})
		text, _ := json.Marshal(got.Output)
		if err != nil || !strings.Contains(string(text), says) || !got.Stats.Kept {
			t.Errorf("%s %+v %v", text, got.Stats, err)
		}
	}
}
