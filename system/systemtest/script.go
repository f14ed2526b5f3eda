package systemtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Script is a conversation that a pack promises, as examples write it in script.yaml.
type Script struct {
	Name    string `yaml:"conversation"`
	Session string `yaml:"session"` // conversation and user; the same again is the same person later
	Locale  string `yaml:"locale"`
	Turns   []Step `yaml:"turns"`
}

// Step is what happens once, and what must follow: the user says a text or clicks a button, which is
// answered once, or a time of a schedule has come.
type Step struct {
	Say     string            `yaml:"say"`
	Click   map[string]string `yaml:"click"`
	Due     string            `yaml:"due"`    // id of a schedule of the pack
	Expect  []string          `yaml:"expect"` // fragments that occur in the reply
	Never   []string          `yaml:"never"`
	Buttons []string          `yaml:"buttons"` // titles of all Action.Submit, in order
	Status  string            `yaml:"status"`
	Events  []Happening       `yaml:"events"` // all that the bus then carries; those of one topic in order
}

// Happening is an event that a step leads to, in whatever turn.
type Happening struct {
	Topic   string `yaml:"topic"`
	Type    string `yaml:"type"`
	Subject string `yaml:"subject"`
	Payload string `yaml:"payload"` // occurs in it
}

// Is says whether e is what is promised.
func (h Happening) Is(e greentic.Event) bool {
	return e.Topic == h.Topic && e.Type == h.Type && e.Subject == h.Subject && strings.Contains(string(e.Payload), h.Payload)
}

// ParseScripts reads a script file; unknown keys are fault.Invalid.
func ParseScripts(src []byte) ([]Script, error) {
	var list []Script
	err := yaml.UnmarshalWithOptions(src, &list, yaml.Strict())
	return list, fault.As(fault.Invalid, "script", err)
}

// Message is the step as the channel would hand it over.
func (s Step) Message(id, session, locale string) greentic.Message {
	m := greentic.Message{ID: id, Channel: "script", Conversation: session, From: &greentic.Actor{ID: session, Kind: "user"}, Text: s.Say, Metadata: map[string]string{"locale": locale}}
	for k, v := range s.Click {
		m.Metadata[k] = v
	}
	return m
}

// Check compares a turn's replies and status with what the step promises.
func (s Step) Check(replies []greentic.Reply, status string) error {
	if s.Status != "" && status != s.Status {
		return fmt.Errorf("status %q, want %q", status, s.Status)
	}
	want := 1
	if s.Due != "" {
		want = 0
	}
	if len(replies) != want {
		return fmt.Errorf("%d replies, want %d: %+v", len(replies), want, replies)
	}
	if want == 0 {
		return nil
	}
	var card any
	if err := json.Unmarshal(replies[0].Card, &card); err != nil && len(replies[0].Card) > 0 {
		return err
	}
	seen, buttons := replies[0].Text, []string(nil)
	walk(card, func(m map[string]any) {
		for _, key := range []string{"text", "title", "value"} {
			if v, ok := m[key].(string); ok {
				seen += "\n" + v
			}
		}
		if m["type"] == "Action.Submit" {
			title, _ := m["title"].(string)
			buttons = append(buttons, title)
		}
	})
	for _, fragment := range s.Expect {
		if !strings.Contains(joined(seen), joined(fragment)) {
			return fmt.Errorf("the reply lacks %q:\n%s", fragment, seen)
		}
	}
	for _, fragment := range s.Never {
		if strings.Contains(seen, fragment) {
			return fmt.Errorf("the reply has %q:\n%s", fragment, seen)
		}
	}
	if s.Buttons != nil && !slices.Equal(buttons, s.Buttons) {
		return fmt.Errorf("buttons %q, want %q", buttons, s.Buttons)
	}
	return nil
}

func joined(s string) string { return strings.Join(strings.Fields(s), " ") }

// walk visits every object of a document in document order; keys of one object in the order a
// card is read.
func walk(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			walk(item, visit)
		}
	case map[string]any:
		visit(v)
		for _, key := range []string{"inlines", "facts", "columns", "items", "body", "actions", "selectAction"} {
			walk(v[key], visit)
		}
	}
}
