package greentic

import "greentic.dev/internal/jsonwrite"

// AppendJSON appends t as encoding/json writes it; it is on the way of every turn.
func (t TenantCtx) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = jsonwrite.String(jsonwrite.Key(b, "env"), string(t.Env))
	b = jsonwrite.String(jsonwrite.Key(b, "tenant"), string(t.Tenant))
	b = jsonwrite.Text(b, "team", t.Team)
	b = jsonwrite.Text(b, "user", t.User)
	b = jsonwrite.Text(b, "session", t.Session)
	b = jsonwrite.Text(b, "locale", t.Locale)
	b = jsonwrite.Text(b, "trace_id", t.TraceID)
	b = jsonwrite.Text(b, "correlation_id", t.CorrelationID)
	b = jsonwrite.Time(b, "deadline", t.Deadline)
	b = jsonwrite.Int(b, "attempt", t.Attempt)
	b = jsonwrite.Text(b, "idempotency_key", t.IdempotencyKey)
	return append(b, '}')
}

// AppendJSON appends t as encoding/json writes it.
func (t Trigger) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = jsonwrite.String(jsonwrite.Key(b, "id"), t.ID)
	b = t.Tenant.AppendJSON(jsonwrite.Key(b, "tenant"))
	b = jsonwrite.String(jsonwrite.Key(b, "kind"), string(t.Kind))
	b = jsonwrite.String(jsonwrite.Key(b, "route"), t.Route)
	b = jsonwrite.String(jsonwrite.Key(b, "key"), t.Key)
	b = jsonwrite.Bytes(b, "body", t.Body)
	b = jsonwrite.Texts(b, "header", t.Header)
	b = jsonwrite.Text(b, "pack", t.Pack)
	b = jsonwrite.Text(b, "flow", t.Flow)
	b = jsonwrite.Text(b, "release", t.Release)
	return append(b, '}')
}

// AppendJSON appends r as encoding/json writes it.
func (r Reply) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = jsonwrite.String(jsonwrite.Key(b, "kind"), r.Kind)
	b = jsonwrite.String(jsonwrite.Key(b, "text"), r.Text)
	if b = jsonwrite.Raw(b, "card", r.Card); len(r.Card) == 0 {
		b = append(jsonwrite.Key(b, "card"), "null"...)
	}
	b = jsonwrite.String(jsonwrite.Key(b, "node"), r.Node)
	b = jsonwrite.String(jsonwrite.Key(b, "flow"), r.Flow)
	b = jsonwrite.String(jsonwrite.Key(b, "turn"), r.Turn)
	return append(b, '}')
}
