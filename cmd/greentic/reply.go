package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"greentic.dev/greentic"
)

// printReply writes a reply for people: its text, then its card as lines with the buttons in
// brackets.
func printReply(env *environment, r greentic.Reply) {
	if r.Text != "" {
		fmt.Fprintln(env.Stdout, r.Text)
	}
	var card any
	if len(r.Card) > 0 && json.Unmarshal(r.Card, &card) == nil && card != nil {
		for _, line := range cardLines(card) {
			fmt.Fprintln(env.Stdout, line)
		}
	}
}

// cardLines reads a card top to bottom.
func cardLines(v any) (lines []string) {
	switch v := v.(type) {
	case []any:
		var buttons []string
		for _, item := range v {
			m, _ := item.(map[string]any)
			if kind, _ := m["type"].(string); strings.HasPrefix(kind, "Action.") {
				if title, _ := m["title"].(string); title != "" {
					buttons = append(buttons, "["+title+"]")
				}
				continue
			}
			lines = append(lines, cardLines(item)...)
		}
		if len(buttons) > 0 {
			lines = append(lines, strings.Join(buttons, " "))
		}
	case map[string]any:
		if text, _ := v["text"].(string); text != "" {
			lines = append(lines, text)
		}
		if title, _ := v["title"].(string); title != "" && v["value"] != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", title, v["value"]))
		}
		for _, key := range []string{"inlines", "facts", "columns", "items", "body", "actions"} {
			lines = append(lines, cardLines(v[key])...)
		}
	}
	return lines
}
