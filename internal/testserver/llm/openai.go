package llm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

var protocols = map[string]protocol{
	"/v1/chat/completions": {
		name:     "openai",
		key:      func(h http.Header) string { return strings.TrimPrefix(h.Get("Authorization"), "Bearer ") },
		validate: checkCompletion,
		fail: func(_ int, code, message string) any {
			return map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "param": nil, "code": code}}
		},
		codes: map[int]string{401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded", 500: "server_error", 503: "server_error", 529: "server_error"},
		answer: func(t turn) any {
			return map[string]any{"id": "chatcmpl-" + t.id, "object": "chat.completion", "created": 1, "model": t.model,
				"choices": []any{map[string]any{"index": 0, "finish_reason": t.finish, "message": completion(t)}}, "usage": completionUsage(t)}
		},
		events: completionEvents,
	},
	"/v1/messages": {
		name:     "anthropic",
		key:      func(h http.Header) string { return h.Get("X-Api-Key") },
		validate: checkMessages,
		fail: func(_ int, code, message string) any {
			return map[string]any{"type": "error", "error": map[string]any{"type": code, "message": message}, "request_id": "req_test"}
		},
		codes: map[int]string{400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
			413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"},
		answer: func(t turn) any {
			return map[string]any{"id": "msg_" + t.id, "type": "message", "role": "assistant", "model": t.model, "content": blocks(t),
				"stop_reason": stopReason(t), "stop_sequence": nil, "usage": map[string]any{"input_tokens": t.in, "output_tokens": t.out}}
		},
		events: messageEvents,
	},
}

// checkCompletion is what the real servers refuse.
func checkCompletion(_ http.Header, body map[string]any) string {
	messages, _ := body["messages"].([]any)
	if len(messages) == 0 {
		return "[] is too short - 'messages'"
	}
	open := map[string]bool{}
	for i, m := range messages {
		m, _ := m.(map[string]any)
		calls, _ := m["tool_calls"].([]any)
		switch role, _ := m["role"].(string); role {
		case "system", "developer", "user":
			if m["content"] == nil {
				return fmt.Sprintf("Invalid value for 'content' of messages[%d]: expected a string, got null.", i)
			}
		case "assistant":
			for _, c := range calls {
				c, _ := c.(map[string]any)
				id, _ := c["id"].(string)
				f, _ := c["function"].(map[string]any)
				if _, ok := f["arguments"].(string); !ok || id == "" {
					return fmt.Sprintf("Missing required parameter: 'messages[%d].tool_calls'.", i)
				}
				open[id] = true
			}
		case "tool":
			id, _ := m["tool_call_id"].(string)
			if !open[id] {
				return "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
			}
			delete(open, id)
		default:
			return fmt.Sprintf("Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", role)
		}
	}
	if len(open) > 0 {
		return "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
	}
	if format, ok := body["response_format"].(map[string]any); ok && format["type"] == "json_schema" {
		inner, _ := format["json_schema"].(map[string]any)
		schema, _ := inner["schema"].(map[string]any)
		if inner["name"] == nil || schema["type"] != "object" {
			return "Invalid schema for response_format: schema must be a JSON Schema of 'type: \"object\"'."
		}
	}
	return ""
}

func completion(t turn) map[string]any {
	m := map[string]any{"role": "assistant", "content": nil, "refusal": nil}
	if t.text != "" {
		m["content"] = t.text
	}
	var calls []any
	for _, c := range t.calls {
		calls = append(calls, map[string]any{"id": c.ID, "type": "function", "function": map[string]any{"name": c.Name, "arguments": c.Arguments}})
	}
	if calls != nil {
		m["tool_calls"] = calls
	}
	return m
}

func completionUsage(t turn) map[string]any {
	return map[string]any{"prompt_tokens": t.in, "completion_tokens": t.out, "total_tokens": t.in + t.out, "prompt_tokens_details": map[string]any{"cached_tokens": 0}}
}

// completionEvents are the chunks of an answer: a word each, the arguments of tools in halves.
func completionEvents(t turn) []event {
	var events []event
	chunk := func(choices []any, usage any) {
		text, _ := json.Marshal(map[string]any{"id": "chatcmpl-" + t.id, "object": "chat.completion.chunk", "created": 1, "model": t.model, "choices": choices, "usage": usage})
		events = append(events, event{data: string(text)})
	}
	delta := func(d map[string]any, finish any) {
		chunk([]any{map[string]any{"index": 0, "delta": d, "finish_reason": finish}}, nil)
	}
	delta(map[string]any{"role": "assistant", "content": ""}, nil)
	for word := range strings.SplitAfterSeq(t.text, " ") {
		if word != "" {
			delta(map[string]any{"content": word}, nil)
		}
	}
	for i, c := range t.calls {
		half := len(c.Arguments) / 2
		delta(map[string]any{"tool_calls": []any{map[string]any{"index": i, "id": c.ID, "type": "function", "function": map[string]any{"name": c.Name, "arguments": ""}}}}, nil)
		for _, part := range []string{c.Arguments[:half], c.Arguments[half:]} {
			delta(map[string]any{"tool_calls": []any{map[string]any{"index": i, "function": map[string]any{"arguments": part}}}}, nil)
		}
	}
	delta(map[string]any{}, t.finish)
	if t.usage {
		chunk([]any{}, completionUsage(t))
	}
	return append(events, event{data: "[DONE]"})
}
