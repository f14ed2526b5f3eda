package greentic

import (
	"encoding/json"
	"time"
)

// Kind is the sort of a trigger.
type Kind string

// The kinds of trigger.
const (
	KindMessage Kind = "message"
	KindEvent   Kind = "event"
	KindTimer   Kind = "timer"
	KindHTTP    Kind = "http"
)

// Trigger is what starts a turn: one message, event, timer or request, already authenticated
// and normalised. It is stored in the inbox as it is.
type Trigger struct {
	ID     string            `json:"id"`     // identity for deduplication, unique per tenant and route
	Tenant TenantCtx         `json:"tenant"` // for whom
	Kind   Kind              `json:"kind"`
	Route  string            `json:"route"` // connector or binding that accepted it, for example "webchat"
	Key    string            `json:"key"`   // ordering key: first in, first out and one at a time (the session key)
	Body   []byte            `json:"body"`  // JSON; for KindMessage a Message
	Header map[string]string `json:"header,omitempty"`

	// Pack and Flow name what a new session runs; empty: the runner selects. Release demands one
	// version of the pack. A session that is open already goes on where it is.
	Pack    string `json:"pack,omitempty"`
	Flow    string `json:"flow,omitempty"`
	Release Digest `json:"release,omitempty"`
}

// Event is something that happened: the ecosystem's EventEnvelope (formats digest 5.5) without
// its tenant, which travels beside it. ID identifies it within the tenant; Payload is any JSON.
type Event struct {
	ID            string            `json:"id"`
	Topic         string            `json:"topic"`
	Type          string            `json:"type"`
	Source        string            `json:"source"`
	Subject       string            `json:"subject,omitempty"`
	Time          time.Time         `json:"time"`
	CorrelationID string            `json:"correlation_id,omitempty"`
	Payload       json.RawMessage   `json:"payload"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

// Receipt says that a trigger is durably stored. A duplicate carries the receipt of the first.
type Receipt struct {
	ID        string `json:"id"`   // the trigger's
	Turn      string `json:"turn"` // identity of the turn it starts
	Seq       uint64 `json:"seq"`  // place in its key's queue
	Duplicate bool   `json:"duplicate,omitempty"`
}

// Actor is a person or bot on a channel.
type Actor struct {
	ID   string `json:"id"`
	Kind string `json:"kind,omitempty"`
	Name string `json:"name,omitempty"`
}

// Attachment is a file, picture or card on a message (formats digest 5.5).
type Attachment struct {
	MimeType  string          `json:"mime_type"`
	URL       string          `json:"url,omitempty"`
	Content   json.RawMessage `json:"content,omitempty"`
	Name      string          `json:"name,omitempty"`
	SizeBytes uint64          `json:"size_bytes,omitempty"`
}

// Message is the canonical chat message in both directions: the ecosystem's
// ChannelMessageEnvelope (formats digest 5.5) without its tenant, which the trigger carries.
type Message struct {
	ID            string                     `json:"id"`
	Channel       string                     `json:"channel"`
	Conversation  string                     `json:"session_id"`
	From          *Actor                     `json:"from,omitempty"`
	To            []Actor                    `json:"to,omitempty"`
	CorrelationID string                     `json:"correlation_id,omitempty"`
	Text          string                     `json:"text,omitempty"`
	Attachments   []Attachment               `json:"attachments,omitempty"`
	Metadata      map[string]string          `json:"metadata,omitempty"`
	Extensions    map[string]json.RawMessage `json:"extensions,omitempty"`
}

// Reply is one answer of a turn, in the shape `run --json` prints.
type Reply struct {
	Kind string          `json:"kind"` // always "message"
	Text string          `json:"text"`
	Card json.RawMessage `json:"card"` // an Adaptive Card object, or null
	Node string          `json:"node"`
	Flow string          `json:"flow"`
	Turn string          `json:"turn"`
}

// Turn statuses, as `run --json` prints them.
const (
	TurnDone    = "done"
	TurnWaiting = "waiting"
	TurnFailed  = "failed"
)
