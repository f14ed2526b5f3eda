package bus_test

import (
	"encoding/json"
	"strings"
	"testing"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestPatternsMatchWholeWords(t *testing.T) {
	for _, c := range []struct {
		pattern, topic string
		want           bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "a.b", false}, {"a.b", "a", false},
		{"a.*", "a.b", true}, {"a.*", "a", false}, {"a.*", "a.b.c", false}, {"*.b", "a.b", true}, {"*", "a", true}, {"*", "a.b", false},
		{"a.>", "a.b", true}, {"a.>", "a.b.c", true}, {"a.>", "a", false}, {">", "a", true}, {"*.>", "a.b", true}, {"*.>", "a", false},
	} {
		if got := bus.Match(c.pattern, c.topic); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.topic, got)
		}
	}
}

func TestTopicsAndPatternsAreRefusedByName(t *testing.T) {
	for topic, ok := range map[string]bool{"a": true, "a.b c/ü": true, "": false, "a.": false, ".a": false, "a..b": false, "a.*": false, "a>": false} {
		if err := bus.CheckTopic(topic); ok != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("topic %q: %v", topic, err)
		}
	}
	for pattern, ok := range map[string]bool{"a": true, "*": true, ">": true, "a.*.b.>": true, "": false, "a.>.b": false, "a*": false, "a..b": false,
		strings.Repeat("x", bus.MaxField+1): false} {
		if err := bus.CheckPattern(pattern); ok != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("pattern %.20q: %v", pattern, err)
		}
	}
}

func TestEventsAreRefusedByName(t *testing.T) {
	good := func() greentic.Event {
		return greentic.Event{ID: "1", Topic: "a", Type: "t", Payload: json.RawMessage(`{}`)}
	}
	if err := bus.CheckEvent(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*greentic.Event){
		"id":             func(e *greentic.Event) { e.ID = "" },
		"topic":          func(e *greentic.Event) { e.Topic = "" },
		"type":           func(e *greentic.Event) { e.Type = "" },
		"subject":        func(e *greentic.Event) { e.Subject = strings.Repeat("x", bus.MaxField+1) },
		"source":         func(e *greentic.Event) { e.Source = "a\nb" },
		"correlation_id": func(e *greentic.Event) { e.CorrelationID = "\xff" },
		"payload":        func(e *greentic.Event) { e.Payload = json.RawMessage(`{`) },
		"metadata":       func(e *greentic.Event) { e.Metadata = map[string]string{"k": strings.Repeat("x", bus.MaxMetadata)} },
	} {
		e := good()
		spoil(&e)
		if err := bus.CheckEvent(e); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
