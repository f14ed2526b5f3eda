package llm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// checkMessages is what the real server refuses.
func checkMessages(h http.Header, body map[string]any) string {
	if h.Get("Anthropic-Version") == "" {
		return "anthropic-version: header is required"
	}
	if n, _ := body["max_tokens"].(float64); n < 1 {
		return "max_tokens: Field required"
	}
	messages, _ := body["messages"].([]any)
	if len(messages) == 0 {
		return "messages: at least one message is required"
	}
	open := map[string]bool{}
	last := ""
	for i, m := range messages {
		m, _ := m.(map[string]any)
		role, _ := m["role"].(string)
		switch {
		case role != "user" && role != "assistant":
			return fmt.Sprintf("messages.%d.role: Input should be 'user' or 'assistant'", i)
		case i == 0 && role != "user":
			return "messages: first message must use the \"user\" role"
		case role == last:
			return "messages: roles must alternate between \"user\" and \"assistant\""
		}
		last = role
		if why := checkBlocks(i, role, m["content"], open); why != "" {
			return why
		}
	}
	tools, _ := body["tools"].([]any)
	for i, tool := range tools {
		tool, _ := tool.(map[string]any)
		if schema, _ := tool["input_schema"].(map[string]any); schema["type"] != "object" {
			return fmt.Sprintf("tools.%d.custom.input_schema.type: Field required", i)
		}
	}
	return ""
}

// checkBlocks checks the content of one message; open are the tool calls that wait for a result.
func checkBlocks(i int, role string, content any, open map[string]bool) string {
	list, isList := content.([]any)
	if text, ok := content.(string); ok && text == "" || !ok && len(list) == 0 {
		return fmt.Sprintf("messages.%d: all messages must have non-empty content", i)
	}
	if isList && role == "user" {
		for _, b := range list {
			b, _ := b.(map[string]any)
			if b["type"] == "tool_result" {
				id, _ := b["tool_use_id"].(string)
				if !open[id] {
					return fmt.Sprintf("messages.%d.content.0: unexpected `tool_use_id` found in `tool_result` blocks: %s", i, id)
				}
				delete(open, id)
			}
		}
	}
	if role == "user" && len(open) > 0 {
		return fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after", i-1)
	}
	for j, b := range list {
		b, _ := b.(map[string]any)
		switch b["type"] {
		case "text":
			if b["text"] == "" {
				return fmt.Sprintf("messages.%d.content.%d.text: text content blocks must be non-empty", i, j)
			}
		case "tool_use":
			id, _ := b["id"].(string)
			open[id] = true
			if _, ok := b["input"].(map[string]any); !ok {
				return fmt.Sprintf("messages.%d.content.%d.tool_use.input: Input should be a valid dictionary", i, j)
			}
		case "tool_result", "image":
		default:
			return fmt.Sprintf("messages.%d.content.%d: Input tag '%v' found using 'type' does not match any of the expected tags", i, j, b["type"])
		}
	}
	return ""
}

func blocks(t turn) []any {
	list := []any{}
	if t.text != "" {
		list = append(list, map[string]any{"type": "text", "text": t.text})
	}
	for _, c := range t.calls {
		var input any = map[string]any{}
		if json.Unmarshal([]byte(c.Arguments), &input) != nil {
			input = c.Arguments
		}
		list = append(list, map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": input})
	}
	return list
}

func stopReason(t turn) string {
	switch t.finish {
	case "stop":
		return "end_turn"
	case "length":
		return "max_tokens"
	case "tool_calls":
		return "tool_use"
	case "content_filter":
		return "refusal"
	}
	return t.finish
}

// messageEvents are the events of an answer, pings included.
func messageEvents(t turn) []event {
	var events []event
	add := func(name string, fields map[string]any) {
		fields["type"] = name
		text, _ := json.Marshal(fields)
		events = append(events, event{name, string(text)})
	}
	add("message_start", map[string]any{"message": map[string]any{"id": "msg_" + t.id, "type": "message", "role": "assistant", "model": t.model,
		"content": []any{}, "stop_reason": nil, "usage": map[string]any{"input_tokens": t.in, "output_tokens": 1}}})
	add("ping", map[string]any{})
	index := 0
	block := func(start map[string]any, deltas ...map[string]any) {
		add("content_block_start", map[string]any{"index": index, "content_block": start})
		for _, d := range deltas {
			add("content_block_delta", map[string]any{"index": index, "delta": d})
		}
		add("content_block_stop", map[string]any{"index": index})
		index++
	}
	if t.text != "" {
		var words []map[string]any
		for word := range strings.SplitAfterSeq(t.text, " ") {
			words = append(words, map[string]any{"type": "text_delta", "text": word})
		}
		block(map[string]any{"type": "text", "text": ""}, words...)
	}
	for _, c := range t.calls {
		half := len(c.Arguments) / 2
		block(map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": map[string]any{}},
			map[string]any{"type": "input_json_delta", "partial_json": ""},
			map[string]any{"type": "input_json_delta", "partial_json": c.Arguments[:half]},
			map[string]any{"type": "input_json_delta", "partial_json": c.Arguments[half:]})
	}
	add("message_delta", map[string]any{"delta": map[string]any{"stop_reason": stopReason(t), "stop_sequence": nil}, "usage": map[string]any{"output_tokens": t.out}})
	add("message_stop", map[string]any{})
	return events
}
