package host

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"greentic.dev/backing/egress"
)

// TestPublicNodesOfTheOlderLineAnswer calls each public component of node@0.5.0 with an
// operation of its own. The letter is the shape of its tenant-ctx (formats digest 2.5).
func TestPublicNodesOfTheOlderLineAnswer(t *testing.T) {
	spec := `"{\"id\":\"s\",\"title\":\"T\",\"questions\":[{\"name\":\"n\",\"title\":\"N\",\"kind\":\"string\",\"required\":true,\"choices\":[],\"secret\":false,\"validate\":{\"regex\":\"^x$\"}}]}"`
	text := `{"config":{"templates":{"text":"Hi {{msg.text}} {{payload.n}}"},"template":"Hi {{msg.text}} {{payload.n}}"},"msg":{"id":"m","tenant":{"env":"local","tenant":"a","tenant_id":"a","attempt":1},"channel":"c","session_id":"s","text":"Ada","attachments":[],"metadata":{}},"payload":{"n":3},"state":{}}`
	apply := `{"plan":{"actions":[{"type":"config.set","scope":"tenant","key":"k","value":"v"},{"type":"secrets.put","scope":"tenant","key":"s","value":"w"}]},"dry_run":false}`
	written := map[string]any{"config/tenant/k": `"v"`, "secrets/tenant/s": `"w"`}
	for name, c := range map[string]struct {
		op, input string
		says      string // part of the answer
		writes    map[string]any
	}{
		"templates":                       {"text", text, `"Hi Ada 3"`, nil},                                                 // A
		"diagnostics___summary":           {"text", text, `"Hi Ada 3"`, nil},                                                 // A
		"messaging-provider-dummy":        {"send", `{"text":"x"}`, `"status":"sent"`, nil},                                  // A
		"questions-18ce71c0":              {"validate", `{"spec_json":` + spec + `,"answers_json":"{}"}`, `"path":"n"`, nil}, // A
		"questions-1416caae":              {"validate", `{"spec_json":` + spec + `,"answers_json":"{}"}`, `"path":"n"`, nil}, // B
		"questions":                       {"example-answers", `{"spec_json":` + spec + `}`, `"n":`, nil},                    // B
		"provision":                       {"apply", apply, `"ok":true`, written},                                            // B
		"provision-26e40f4f":              {"apply", apply, `"ok":true`, written},                                            // B
		"ai.greentic.component-provision": {"apply", apply, `"ok":true`, written},                                            // B
		"questions-2c4e4a0b":              {"validate", `{"spec_json":` + spec + `,"answers_json":"{}"}`, `"path":"n"`, nil}, // C
		"provision-390a250e":              {"apply", apply, `"ok":true`, written},                                            // C
	} {
		state := notebook{}
		component := load(t, newSetting(t, ofTenant("a"), Request{}), public(t, name+".wasm"))
		got, err := component.Invoke(t.Context(), ofTenant("a"), Request{Flow: "f", Node: "n", Operation: c.op, Input: decodeJSON(t, c.input), State: state, Grants: Grants{State: true}})
		answer, _ := json.Marshal(got.Output)
		if err != nil || !got.OK || !strings.Contains(string(answer), c.says) || component.ABI() != ABINode05 || !got.Stats.Kept {
			t.Errorf("%s: %s fail %+v kept %v %v", name, answer, got.Fail, got.Stats.Kept, err)
		}
		for key, value := range c.writes {
			if state[key] != value {
				t.Errorf("%s: state %v", name, state)
			}
		}
		bad, err := component.Invoke(t.Context(), ofTenant("a"), Request{Operation: "no-such-operation", Input: decodeJSON(t, c.input)})
		anything := name == "templates" // it renders whatever the operation is called
		if err != nil || !anything && (bad.OK || bad.Fail == nil || bad.Fail.Code == "" || !strings.Contains(bad.Fail.Message, "no-such-operation")) {
			t.Errorf("%s: an operation it does not have: %+v %v", name, bad, err)
		}
		if d, err := component.Describe(t.Context()); err != nil || d.Name == "" || d.Version == "" {
			t.Errorf("%s: %+v %v", name, d, err)
		}
	}
}

func TestAPublicOlderNodeReadsItsAssets(t *testing.T) {
	c := load(t, newSetting(t, ofTenant("a"), Request{}), public(t, "questions.wasm"))
	files := fstest.MapFS{"assets/setup.yaml": {Data: []byte("provider_id: telegram\nversion: 1\ntitle: Set up\nquestions:\n  - name: public_base_url\n    title: Public base URL\n    kind: string\n    required: true\n")}}
	got, err := c.Invoke(t.Context(), ofTenant("a"), Request{Operation: "emit", Assets: files, Input: map[string]any{"id": "setup", "spec_ref": "assets/setup.yaml", "context": map[string]any{"tenant_id": "a", "env": "local"}}})
	answer, _ := json.Marshal(got.Output)
	if err != nil || !got.OK || !strings.Contains(string(answer), "Public base URL") {
		t.Errorf("%s %+v %v", answer, got.Fail, err)
	}
}

// TestAPublicOlderNodeReachesWhatItWasGranted: the webhook component reads its token and asks
// and tells Telegram.
func TestAPublicOlderNodeReachesWhatItWasGranted(t *testing.T) {
	path := public(t, "telegram-webhook.wasm")
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, map[string]string{"/bot4711:real/getWebhookInfo": `{"ok":true,"result":{"url":"https://old.example/"}}`, "/bot4711:real/setWebhook": `{"ok":true,"result":true}`}[r.URL.Path])
	}))
	defer server.Close()
	grant, err := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSetting(t, ofTenant("a"), Request{})
	s.put(t, ofTenant("a"), "TELEGRAM_BOT_TOKEN", "4711:real")
	c := load(t, s, path)
	r := Request{Operation: "reconcile_webhook", Grants: Grants{Secrets: []string{"TELEGRAM_BOT_TOKEN"}, Hosts: []HostGrant{grant}},
		Input: map[string]any{"public_base_url": "https://new.example", "api_base_url": server.URL, "dry_run": false}}
	got, err := c.Invoke(t.Context(), ofTenant("a"), r)
	answer, _ := json.Marshal(got.Output)
	if err != nil || !got.OK || !strings.Contains(string(answer), "https://new.example") {
		t.Errorf("%s %+v %v", answer, got.Fail, err)
	}
	if !reflect.DeepEqual(asked, []string{"GET /bot4711:real/getWebhookInfo", "POST /bot4711:real/setWebhook", "GET /bot4711:real/getWebhookInfo"}) {
		t.Errorf("Telegram was asked %v", asked)
	}
	if d, err := c.Describe(t.Context()); err != nil || len(d.Operations) != 1 || d.Operations[0].Name != "reconcile_webhook" {
		t.Errorf("%+v %v", d, err)
	}
	r.Grants = Grants{}
	got, err = c.Invoke(t.Context(), ofTenant("a"), r)
	if err != nil || got.OK || got.Fail == nil || len(got.Calls) != 1 || got.Calls[0].Outcome != "denied" {
		t.Errorf("without grants: %+v %v", got, err)
	}
}
