package messaging

import (
	"encoding/json"
	"maps"
	"strings"
	"unicode"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// CardType is the content type of an Adaptive Card attachment.
const CardType = "application/vnd.microsoft.card.adaptive"

// Activity is a Bot Framework activity as Direct Line 3.0 carries it. Fields we do not know
// are kept in Rest, so that clients see their own activities back unchanged.
type Activity struct {
	Type         string               `json:"type"`
	ID           string               `json:"id,omitempty"`
	Timestamp    string               `json:"timestamp,omitempty"` // RFC 3339, UTC
	ChannelID    string               `json:"channelId,omitempty"`
	From         *Account             `json:"from,omitempty"`
	Recipient    *Account             `json:"recipient,omitempty"`
	Conversation *Account             `json:"conversation,omitempty"`
	Name         string               `json:"name,omitempty"` // of an event
	Text         string               `json:"text,omitempty"`
	Locale       string               `json:"locale,omitempty"`
	ReplyToID    string               `json:"replyToId,omitempty"`
	Value        json.RawMessage      `json:"value,omitempty"`
	ChannelData  json.RawMessage      `json:"channelData,omitempty"`
	Attachments  []ActivityAttachment `json:"attachments,omitempty"`

	Rest map[string]json.RawMessage `json:"-"`
}

// Account names a party of a conversation, or the conversation itself.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Role string `json:"role,omitempty"`
}

// ActivityAttachment is a card or file on an activity.
type ActivityAttachment struct {
	ContentType string          `json:"contentType"`
	Content     json.RawMessage `json:"content,omitempty"`
	ContentURL  string          `json:"contentUrl,omitempty"`
	Name        string          `json:"name,omitempty"`
}

type plainActivity Activity

// UnmarshalJSON keeps unknown fields in Rest.
func (a *Activity) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, (*plainActivity)(a)); err != nil {
		return err
	}
	if err := json.Unmarshal(b, &a.Rest); err != nil {
		return err
	}
	known, err := json.Marshal(knownFields)
	if err != nil {
		return err
	}
	var names map[string]json.RawMessage
	if err := json.Unmarshal(known, &names); err != nil {
		return err
	}
	for name := range names { // Unmarshal matched them without regard to case
		maps.DeleteFunc(a.Rest, func(have string, _ json.RawMessage) bool { return strings.EqualFold(have, name) })
	}
	return nil
}

// MarshalJSON writes the known fields and Rest.
func (a Activity) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(plainActivity(a))
	if err != nil || len(a.Rest) == 0 {
		return b, err
	}
	merged := make(map[string]json.RawMessage, len(a.Rest)+8)
	for k, v := range a.Rest {
		merged[k] = v
	}
	if err := json.Unmarshal(b, &merged); err != nil {
		return nil, err
	}
	return json.Marshal(merged)
}

// knownFields has every field set, so that its JSON names them all.
var knownFields = plainActivity{
	Type: "x", ID: "x", Timestamp: "x", ChannelID: "x", From: &Account{}, Recipient: &Account{}, Conversation: &Account{},
	Name: "x", Text: "x", Locale: "x", ReplyToID: "x", Value: json.RawMessage(`1`), ChannelData: json.RawMessage(`1`),
	Attachments: []ActivityAttachment{{}},
}

// clientID is channelData.clientActivityID, the client's own identity of the activity.
func (a *Activity) clientID() string {
	var data struct {
		ClientActivityID string `json:"clientActivityID"`
	}
	if len(a.ChannelData) == 0 || json.Unmarshal(a.ChannelData, &data) != nil {
		return ""
	}
	return data.ClientActivityID
}

// startName is the event with which a client asks for the bot's greeting.
const startName = "startConversation"

// startsTurn says whether the activity is addressed to the flow: a message, or the request to
// start. Typing, reactions and other events are kept in the transcript only.
func (a *Activity) startsTurn() bool {
	return a.Type == "message" || a.Type == "event" && (a.Name == startName || a.Name == "webchat/join")
}

// checkActivity refuses what Direct Line clients must not send.
func checkActivity(a *Activity) error {
	switch {
	case a.Type == "":
		return fault.New(fault.Invalid, "activity", "type is missing")
	case a.From == nil || a.From.ID == "":
		return fault.New(fault.Invalid, "activity", "from.id is missing")
	}
	if err := checkName("from.id", a.From.ID); err != nil {
		return err
	}
	return checkName("channelData.clientActivityID", a.clientID())
}

// checkName bounds a name that a client chose and that becomes part of keys.
func checkName(field, name string) error {
	switch {
	case len(name) > 256:
		return fault.New(fault.Invalid, field, "longer than 256 bytes")
	case strings.ContainsFunc(name, unicode.IsControl):
		return fault.New(fault.Invalid, field, "has a control character")
	}
	return nil
}

// toMessage is the canonical form of a user's activity. The data of a card's submit action
// (value) is merged into the metadata (formats digest 5.5).
func toMessage(a *Activity, conversation string) greentic.Message {
	m := greentic.Message{
		ID: a.ID, Channel: "webchat", Conversation: conversation,
		From: &greentic.Actor{ID: a.From.ID, Name: a.From.Name, Kind: "user"},
		Text: a.Text, Metadata: map[string]string{},
	}
	if a.Locale != "" {
		m.Metadata["locale"] = a.Locale
	}
	if a.Type == "event" {
		m.Metadata["autoStart"] = "true"
	}
	var data map[string]json.RawMessage
	if len(a.Value) > 0 && json.Unmarshal(a.Value, &data) == nil {
		for k, v := range data {
			m.Metadata[k] = metadataText(v)
		}
	}
	for _, at := range a.Attachments {
		m.Attachments = append(m.Attachments, greentic.Attachment{MimeType: at.ContentType, URL: at.ContentURL, Content: at.Content, Name: at.Name})
	}
	if len(a.ChannelData) > 0 {
		m.Extensions = map[string]json.RawMessage{"channel_data": a.ChannelData}
	}
	return m
}

// metadataText is a form value as text: a string itself, null as nothing, the rest as JSON the
// way it was written, so that long numbers keep their digits.
func metadataText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil { // null leaves it empty
		return text
	}
	return string(raw)
}

// fromReply is the bot's activity for a reply.
func fromReply(r greentic.Reply, locale string) Activity {
	a := Activity{Type: "message", Text: r.Text, Locale: locale, From: &Account{ID: "bot", Name: "Assistant", Role: "bot"}}
	if len(r.Card) > 0 && string(r.Card) != "null" {
		a.Attachments = []ActivityAttachment{{ContentType: CardType, Content: r.Card}}
	}
	return a
}
