package card_test

import (
	"encoding/json"
	"testing"

	"greentic.dev/greentic"
	"greentic.dev/model/card"
	"greentic.dev/model/cbor"
)

func TestInputHasTheEnvelopeAndTheCanonicalFields(t *testing.T) {
	in := card.Input(greentic.Message{
		ID: "m1", Channel: "webchat", Conversation: "c1", Text: "hello", From: &greentic.Actor{ID: "ada", Kind: "user"},
		Attachments: []greentic.Attachment{{MimeType: "image/png", URL: "https://x/y.png", SizeBytes: 7, Content: json.RawMessage(`{"a":1}`)}},
		Metadata:    map[string]string{"action": "go", "locale": "de"}, Extensions: map[string]json.RawMessage{"channel_data": json.RawMessage(`{"n":2}`)},
	}, greentic.TenantCtx{Env: "local", Tenant: "demo", Team: "red", Session: "k", Locale: "de", CorrelationID: "co"})

	for path, want := range map[string]string{
		"input.text": `"hello"`, "text": `"hello"`, "tenant": `"demo"`, "team": `"red"`, "correlation_id": `"co"`, "locale": `"de"`,
		"input.tenant.env": `"local"`, "input.tenant.tenant_id": `"demo"`, "input.channel": `"webchat"`, "input.session_id": `"c1"`,
		"input.metadata.action": `"go"`, "metadata.locale": `"de"`, "input.from.id": `"ada"`, "provider": `"webchat"`,
		"provider_ids.user_id": `"ada"`, "session.key": `"k"`, "channel_data.n": `2`, "input.to": `[]`,
		"input.attachments": `[{"content":{"a":1},"mime_type":"image/png","size_bytes":7,"url":"https://x/y.png"}]`,
		"attachments":       `[{"mime":"image/png","size":7,"type":"image","url":"https://x/y.png"}]`,
	} {
		if got, _ := json.Marshal(at(in, path)); string(got) != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if _, err := cbor.Marshal(in); err != nil {
		t.Errorf("the input is no value a component can be given: %v", err)
	}
}

func TestAnEmptyMessageStillHasItsContainers(t *testing.T) {
	in := card.Input(greentic.Message{}, greentic.DefaultTenant())
	for _, path := range []string{"input.metadata", "metadata", "input.attachments", "attachments", "input.to", "input.extensions"} {
		if at(in, path) == nil {
			t.Errorf("%s is missing", path)
		}
	}
}

func at(v any, path string) any {
	for path != "" {
		key := path
		for i := range path {
			if path[i] == '.' {
				key = path[:i]
				break
			}
		}
		m, _ := v.(map[string]any)
		v = m[key]
		path = path[min(len(path), len(key)+1):]
	}
	return v
}
