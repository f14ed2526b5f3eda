package card

import (
	"encoding/json"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/model/cbor"
)

// Input is what a messaging flow is given for a message: {input: envelope, tenant, team,
// correlation_id} with the canonical fields mirrored beside them (decisions 28; formats digest
// 5.5, 6.6). It holds JSON-like values only and shares nothing with its arguments.
func Input(m greentic.Message, t greentic.TenantCtx) map[string]any {
	correlation := m.CorrelationID
	if correlation == "" {
		correlation = t.CorrelationID
	}
	from := actor(m.From)
	if from == nil {
		from = map[string]any{"id": string(t.User), "kind": "user"}
	}
	locale := t.Locale
	if locale == "" {
		locale = m.Metadata["locale"]
	}
	extensions := map[string]any{}
	for key, raw := range m.Extensions {
		extensions[key] = value(raw)
	}
	return map[string]any{
		"input":          envelope(m, t, correlation),
		"tenant":         string(t.Tenant),
		"team":           string(t.Team),
		"correlation_id": correlation,
		"env":            string(t.Env),
		"provider":       m.Channel,
		"provider_ids":   map[string]any{"conversation_id": m.Conversation, "user_id": from["id"], "message_id": m.ID},
		"session":        map[string]any{"key": t.Session},
		"user":           from,
		"locale":         locale,
		"text":           m.Text,
		"attachments":    canonicalAttachments(m.Attachments),
		"metadata":       metadataOf(m),
		"channel_data":   extensions["channel_data"],
	}
}

func envelope(m greentic.Message, t greentic.TenantCtx, correlation string) map[string]any {
	tenant := map[string]any{
		"env": string(t.Env), "tenant": string(t.Tenant), "tenant_id": string(t.Tenant), "attempt": int64(t.Attempt),
	}
	optional(tenant, "team", string(t.Team))
	optional(tenant, "team_id", string(t.Team))
	optional(tenant, "user", string(t.User))
	optional(tenant, "user_id", string(t.User))
	optional(tenant, "session_id", t.Session)
	optional(tenant, "i18n_id", t.Locale)
	optional(tenant, "correlation_id", correlation)
	optional(tenant, "trace_id", t.TraceID)
	optional(tenant, "idempotency_key", t.IdempotencyKey)

	to := make([]any, len(m.To))
	for i := range m.To {
		to[i] = actor(&m.To[i])
	}
	attachments := make([]any, len(m.Attachments))
	for i, a := range m.Attachments {
		item := map[string]any{"mime_type": a.MimeType}
		optional(item, "url", a.URL)
		optional(item, "name", a.Name)
		if len(a.Content) > 0 {
			item["content"] = value(a.Content)
		}
		if a.SizeBytes > 0 {
			item["size_bytes"] = int64(a.SizeBytes)
		}
		attachments[i] = item
	}
	extensions := map[string]any{}
	for key, raw := range m.Extensions {
		extensions[key] = value(raw)
	}
	e := map[string]any{
		"id": m.ID, "tenant": tenant, "channel": m.Channel, "session_id": m.Conversation, "to": to,
		"text": m.Text, "attachments": attachments, "metadata": metadataOf(m), "extensions": extensions,
	}
	optional(e, "correlation_id", correlation)
	if from := actor(m.From); from != nil {
		e["from"] = from
	}
	return e
}

// canonicalAttachments have the field names of the canonical payload (formats digest 6.6).
func canonicalAttachments(list []greentic.Attachment) []any {
	out := make([]any, len(list))
	for i, a := range list {
		kind, _, _ := strings.Cut(a.MimeType, "/")
		switch {
		case a.MimeType == adaptiveMIME:
			kind = "card"
		case kind != "image" && kind != "audio" && kind != "video":
			kind = "file"
		}
		item := map[string]any{"type": kind, "mime": a.MimeType}
		optional(item, "name", a.Name)
		optional(item, "url", a.URL)
		if a.SizeBytes > 0 {
			item["size"] = int64(a.SizeBytes)
		}
		out[i] = item
	}
	return out
}

func metadataOf(m greentic.Message) map[string]any {
	out := make(map[string]any, len(m.Metadata))
	for key, v := range m.Metadata {
		out[key] = v
	}
	return out
}

func actor(a *greentic.Actor) map[string]any {
	if a == nil {
		return nil
	}
	m := map[string]any{"id": a.ID}
	optional(m, "kind", a.Kind)
	optional(m, "name", a.Name)
	return m
}

func optional(m map[string]any, key, text string) {
	if text != "" {
		m[key] = text
	}
}

// value is JSON as JSON-like values; text that is no JSON stays text.
func value(raw json.RawMessage) any {
	v, err := cbor.FromJSON(raw)
	if err != nil {
		return string(raw)
	}
	return v
}
