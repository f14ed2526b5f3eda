package flowtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/linediff"
	"greentic.dev/model/flow/source"
	"greentic.dev/model/schema"
)

// Mismatch is one thing that came out differently.
type Mismatch struct {
	Pos     fault.Position
	Step    string // what happened; empty: it is about the whole case
	Message string
	Diff    string // how what was expected differs from what came, in the unified form; or empty
}

// Matches says whether want is a part of got: maps may have more fields than are wanted, lists have
// the same items, numbers are compared by value. where is where they first differ, as a JSON pointer.
func Matches(want, got any) (where string, ok bool) {
	switch w := want.(type) {
	case map[string]any:
		g, isMap := got.(map[string]any)
		if !isMap {
			return "", false
		}
		for _, key := range slices.Sorted(maps.Keys(w)) {
			v, there := g[key]
			if at, ok := Matches(w[key], v); !ok || !there {
				return "/" + key + at, false
			}
		}
		return "", true
	case []any:
		g, isList := got.([]any)
		if !isList || len(g) != len(w) {
			return "", false
		}
		for i := range w {
			if at, ok := Matches(w[i], g[i]); !ok {
				return fmt.Sprintf("/%d%s", i, at), false
			}
		}
		return "", true
	}
	if a, ok := schema.Number(want); ok {
		b, ok := schema.Number(got)
		return "", ok && a == b
	}
	return "", reflect.DeepEqual(want, got)
}

// Check compares what came of a step with what it expects.
func (s *Suite) Check(step Step, got Outcome) []Mismatch {
	c := &comparison{suite: s, step: step}
	w := step.Want
	if w.Status != "" && w.Status != got.Status {
		why := ""
		if got.Error != nil {
			why = ": " + got.Error.Code + ": " + got.Error.Message
		}
		c.add(step.At("status"), "", "the turn is %s, not %s%s", got.Status, w.Status, why)
	}
	if w.Status == "" && w.Error == nil && got.Status == "failed" {
		c.add(step.Pos, "", "the turn failed: %s: %s", got.Error.Code, got.Error.Message)
	}
	if w.Error != nil && (got.Error == nil || w.Error.Code != got.Error.Code || !strings.Contains(got.Error.Message, w.Error.Message)) {
		c.differs(step.At("error"), "the turn fails in another way", w.Error, got.Error)
	}
	if w.Route != nil && !slices.Equal(*w.Route, got.Route) {
		c.differs(step.At("route"), "another route was taken", *w.Route, got.Route)
	}
	c.replies(got.Replies)
	c.events(got.Events)
	c.calls(got.Calls)
	c.waits(got.Waits)
	if w.HasOut {
		if where, ok := Matches(w.Output, got.Output); !ok {
			c.differs(step.At("output"), "the output differs"+at(where), w.Output, got.Output)
		}
	}
	return c.found
}

// comparison compares one step.
type comparison struct {
	suite *Suite
	step  Step
	found []Mismatch
}

func (c *comparison) add(p source.Pos, diff, format string, args ...any) {
	c.found = append(c.found, Mismatch{c.suite.position(p), c.step.String(), fmt.Sprintf(format, args...), diff})
}

func (c *comparison) differs(p source.Pos, message string, want, got any) {
	c.add(p, linediff.Unified("expected", "got", Show(want), Show(got)), "%s", message)
}

func at(pointer string) string {
	if pointer == "" {
		return ""
	}
	return " at " + pointer
}

// Show is a value as it stands in a difference: texts as they are, others as indented JSON.
func Show(v any) string {
	if s, ok := v.(string); ok {
		return s + "\n"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%v\n", v)
	}
	return b.String()
}

func (c *comparison) replies(got []GotReply) {
	if c.step.Want.Replies == nil {
		return
	}
	want := *c.step.Want.Replies
	if len(want) != len(got) {
		var texts []string
		for _, r := range got {
			texts = append(texts, summary(r))
		}
		c.add(c.step.At("replies"), "", "there are %d replies, not %d: %q", len(got), len(want), texts)
		return
	}
	for i, w := range want {
		c.reply(w, got[i])
	}
}

// summary is a reply in a few words.
func summary(r GotReply) string {
	if r.Text == "" && r.Card != nil {
		return "[card] " + strings.Join(cardTexts(r.Card), " | ")
	}
	return r.Text
}

func (c *comparison) reply(w Reply, got GotReply) {
	if w.Text != nil && *w.Text != got.Text {
		c.differs(w.Pos, "the text of the reply differs", *w.Text, got.Text)
	}
	if w.Node != "" && w.Node != got.Node {
		c.add(w.Pos, "", "node %s replies, not %s", got.Node, w.Node)
	}
	texts := append([]string{got.Text}, cardTexts(got.Card)...)
	for _, part := range w.Contains {
		if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, part) }) {
			c.add(w.Pos, "", "the reply does not contain %q: %s", part, summary(got))
		}
	}
	for _, part := range w.Never {
		if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, part) }) {
			c.add(w.Pos, "", "the reply contains %q: %s", part, summary(got))
		}
	}
	if w.Card != nil {
		if where, ok := Matches(w.Card, got.Card); !ok {
			c.differs(w.Pos, "the card differs"+at(where), w.Card, got.Card)
		}
	}
	if have := buttons(got.Card); w.Buttons != nil && !slices.Equal(*w.Buttons, have) {
		c.differs(w.Pos, "the buttons differ", *w.Buttons, have)
	}
}

// cardTexts are the texts, titles and values that a card shows, in the order of its keys.
func cardTexts(v any) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if s, ok := v[key].(string); ok && slices.Contains([]string{"text", "title", "value", "label", "placeholder", "altText"}, key) {
				out = append(out, s)
				continue
			}
			out = append(out, cardTexts(v[key])...)
		}
	case []any:
		for _, item := range v {
			out = append(out, cardTexts(item)...)
		}
	}
	return out
}

// buttons are the titles of the buttons of a card, in the order of its parts.
func buttons(v any) []string {
	out := []string{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			kind, _ := v["type"].(string)
			if title, ok := v["title"].(string); ok && (kind == "Action.Submit" || kind == "Action.Execute") {
				out = append(out, title)
			}
			for _, key := range []string{"body", "items", "columns", "rows", "cells", "actions", "selectAction", "card"} {
				walk(v[key])
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(v)
	return out
}

func (c *comparison) events(got []Event) {
	if c.step.Want.Events == nil {
		return
	}
	want := *c.step.Want.Events
	same := len(want) == len(got)
	for i := 0; same && i < len(want); i++ {
		w, g := want[i], got[i]
		same = w.Topic == g.Topic && (w.Type == "" || w.Type == g.Type) && (w.Subject == "" || w.Subject == g.Subject)
		if same && w.Payload != nil {
			_, same = Matches(w.Payload, g.Payload)
		}
	}
	if !same {
		c.differs(c.step.At("events"), "other events were published", want, got)
	}
}

func (c *comparison) calls(got []GotCall) {
	if c.step.Want.Calls == nil {
		return
	}
	want := *c.step.Want.Calls
	if len(want) != len(got) {
		var names []string
		for _, g := range got {
			names = append(names, strings.TrimSpace(g.Component+" "+g.Operation))
		}
		c.add(c.step.At("calls"), "", "components were called %d times, not %d: %q", len(got), len(want), names)
		return
	}
	for i, w := range want {
		g := got[i]
		if w.Component != "" && w.Component != g.Component || w.Operation != "" && w.Operation != g.Operation {
			c.add(w.Pos, "", "call %d is %s %s, not %s %s", i, g.Component, g.Operation, w.Component, w.Operation)
		} else if w.Input != nil {
			if where, ok := Matches(w.Input, g.Input); !ok {
				c.differs(w.Pos, "the input of "+g.Component+" differs"+at(where), w.Input, g.Input)
			}
		}
	}
}

func (c *comparison) waits(got *Wait) {
	w := c.step.Want.Waits
	switch {
	case w == nil:
	case got == nil:
		c.add(c.step.At("waits"), "", "the conversation does not wait")
	case w.Node != "" && w.Node != got.Node:
		c.add(c.step.At("waits"), "", "the conversation waits at %s, not at %s", got.Node, w.Node)
	case w.Reason != "" && w.Reason != got.Reason:
		c.add(c.step.At("waits"), "", "the conversation waits for %q, not for %q", got.Reason, w.Reason)
	case w.For > 0 && w.For != got.For:
		c.add(c.step.At("waits"), "", "the wait ends by itself after %s, not after %s", got.For, w.For)
	}
}

// CheckState compares the state after a case.
func (s *Suite) CheckState(c Case, got map[string]any) []Mismatch {
	if c.After == nil {
		return nil
	}
	pos, _ := c.at.Place([]string{"state_after"})
	var want any = c.After
	where, ok := Matches(want, any(got))
	if ok {
		return nil
	}
	return []Mismatch{{s.position(pos), "", "the state afterwards differs" + at(where), linediff.Unified("expected", "got", Show(want), Show(got))}}
}

// Wrong is a mismatch about a case as a whole.
func (s *Suite) Wrong(p source.Pos, step, format string, args ...any) Mismatch {
	return Mismatch{s.position(p), step, fmt.Sprintf(format, args...), ""}
}
