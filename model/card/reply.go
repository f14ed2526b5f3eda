package card

import (
	"encoding/json"
	"reflect"
	"strings"

	"greentic.dev/model/cbor"
)

// Output is what a node of this turn put out, in the order of execution.
type Output struct {
	Node    string
	Payload any
	Emitted bool // by an emit node: meant for the user
}

// Reply is one message for the user.
type Reply struct {
	Text string
	Card map[string]any // an Adaptive Card, JSON-like, or nil
	Node string         // whose output it is
}

const (
	adaptiveMIME = "application/vnd.microsoft.card.adaptive"
	maxReplies   = 64 // of one turn
	maxNesting   = 16
)

// Replies chooses what answers the user (formats digest 6.3 and 6.8, decisions 24): everything
// emitted, in order; when nothing was emitted, the last output that looks like a message, which
// is one that holds text or a card. When routeTo names a node with such an output, that output
// answers alone. A reply equal to the one before it is dropped.
func Replies(outputs []Output, routeTo string) []Reply {
	var emitted, last, named []Reply
	for _, out := range outputs {
		found := extract(out)
		if out.Emitted {
			emitted = append(emitted, found...)
		}
		if len(found) > 0 {
			last = found
			if routeTo != "" && out.Node == routeTo {
				named = found
			}
		}
	}
	switch {
	case len(named) > 0:
		return distinct(named)
	case len(emitted) > 0:
		return distinct(emitted)
	}
	return distinct(last)
}

func distinct(all []Reply) []Reply {
	var out []Reply
	for _, r := range all {
		if n := len(out); n == maxReplies {
			break
		} else if n > 0 && out[n-1].Text == r.Text && reflect.DeepEqual(out[n-1].Card, r.Card) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// extract reads the messages in an output: none when it does not look like a message. What was
// emitted is meant to be said, so there anything but null is text at last.
func extract(out Output) []Reply {
	replies := read(out.Payload, 0)
	if len(replies) == 0 && out.Emitted && out.Payload != nil {
		if raw, err := json.Marshal(out.Payload); err == nil && !empty(out.Payload) {
			replies = []Reply{{Text: string(raw)}}
		}
	}
	for i := range replies {
		replies[i].Node = out.Node
	}
	return replies
}

func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// read finds text and cards in text, lists of messages and message objects.
func read(v any, depth int) []Reply {
	if depth > maxNesting {
		return nil
	}
	var all []Reply
	switch v := v.(type) {
	case string:
		if v != "" {
			return []Reply{{Text: v}}
		}
	case []any:
		for _, item := range v {
			if len(all) < maxReplies {
				all = append(all, read(item, depth+1)...)
			}
		}
	case map[string]any:
		if card := asCard(v); card != nil {
			return []Reply{{Card: card}}
		}
		all = readObject(v)
		if nested, ok := v["messages"].([]any); ok {
			all = append(all, read(nested, depth+1)...)
		}
		for _, key := range []string{"message", "payload", "events"} {
			if len(all) > 0 {
				return all
			}
			if _, text := v[key].(string); key != "payload" || !text {
				all = read(v[key], depth+1)
			}
		}
	}
	return all
}

// readObject is the message an object itself is: its text and its card in one, further cards
// among its attachments each for themselves.
func readObject(v map[string]any) []Reply {
	text, _ := v["text"].(string)
	var cards []map[string]any
	meta, _ := v["metadata"].(map[string]any) // where envelopes keep it
	extensions, _ := v["extensions"].(map[string]any)
	for _, place := range []any{v["renderedCard"], v["adaptive_card"], v["card"], meta["adaptive_card"], extensions["adaptive_card"]} {
		if card := asCard(place); card != nil {
			cards = append(cards, card)
			break
		}
	}
	attachments, _ := v["attachments"].([]any)
	for _, item := range attachments {
		if card := attachedCard(item); card != nil && len(cards) < maxReplies {
			cards = append(cards, card)
		}
	}
	if len(cards) == 0 {
		if text == "" {
			return nil
		}
		return []Reply{{Text: text}}
	}
	replies := []Reply{{Text: text, Card: cards[0]}}
	for _, card := range cards[1:] {
		replies = append(replies, Reply{Card: card})
	}
	return distinct(replies)
}

func attachedCard(item any) map[string]any {
	a, ok := item.(map[string]any)
	if !ok {
		return nil
	}
	for _, key := range []string{"contentType", "content_type", "mime_type"} {
		if mime, _ := a[key].(string); strings.EqualFold(mime, adaptiveMIME) {
			return asCard(a["content"])
		}
	}
	return nil
}

// asCard is a card given as an object or as JSON text; what Check refuses is none.
func asCard(v any) map[string]any {
	if text, ok := v.(string); ok && strings.Contains(text, "AdaptiveCard") {
		parsed, err := cbor.FromJSON([]byte(text))
		if err != nil {
			return nil
		}
		v = parsed
	}
	card, ok := v.(map[string]any)
	if !ok || Check(card) != nil {
		return nil
	}
	return card
}

func isCard(v map[string]any) bool { return v["type"] == "AdaptiveCard" }
