package chat

import (
	"strings"

	"greentic.dev/sdk/go/greentic"
)

// completionsBody is a chat completion request of the OpenAI protocol.
func completionsBody(at Endpoint, q Request) map[string]any {
	var messages []any
	if system := systemOf(at, q); system != "" {
		messages = append(messages, map[string]any{"role": "system", "content": system})
	}
	for _, m := range q.Messages {
		messages = append(messages, completionsMessage(m))
	}
	body := map[string]any{"model": at.Model, "messages": messages}
	if q.MaxTokens > 0 {
		field := at.TokenField
		if field == "" {
			field = "max_tokens"
		}
		body[field] = q.MaxTokens
	}
	sampling(body, q, "stop")
	if len(q.Tools) > 0 {
		var tools []any
		for _, t := range q.Tools {
			tools = append(tools, map[string]any{"type": "function", "function": map[string]any{"name": t.Name, "description": t.Description, "parameters": objectSchema(t.Schema)}})
		}
		body["tools"] = tools
		switch q.ToolChoice {
		case "":
		case "auto", "none", "required":
			body["tool_choice"] = q.ToolChoice
		default:
			body["tool_choice"] = map[string]any{"type": "function", "function": map[string]any{"name": q.ToolChoice}}
		}
	}
	if q.Schema != nil && at.Structured != "prompt" {
		body["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": answerTool, "schema": q.Schema}}
	}
	if q.Stream {
		body["stream"] = true
		body["stream_options"] = map[string]any{"include_usage": true}
	}
	return body
}

func sampling(body map[string]any, q Request, stop string) {
	if q.Temperature != nil {
		body["temperature"] = *q.Temperature
	}
	if q.TopP != nil {
		body["top_p"] = *q.TopP
	}
	if len(q.Stop) > 0 {
		body[stop] = q.Stop
	}
}

func objectSchema(schema map[string]any) map[string]any {
	if schema == nil {
		return map[string]any{"type": "object", "properties": map[string]any{}}
	}
	return schema
}

func completionsMessage(m Message) map[string]any {
	out := map[string]any{"role": m.Role, "content": nil}
	list, _ := parts(m.Content)
	images := false
	var content []any
	for _, p := range list {
		if p.image != "" {
			images = true
			content = append(content, map[string]any{"type": "image_url", "image_url": map[string]any{"url": p.image}})
		} else {
			content = append(content, map[string]any{"type": "text", "text": p.text})
		}
	}
	switch {
	case images:
		out["content"] = content
	case m.Content != nil:
		out["content"] = plain(m.Content)
	}
	if m.Role == "tool" {
		out["tool_call_id"] = m.ToolCallID
	}
	if len(m.ToolCalls) > 0 {
		var calls []any
		for _, c := range m.ToolCalls {
			calls = append(calls, map[string]any{"id": c.ID, "type": "function", "function": map[string]any{"name": c.Name, "arguments": argumentsText(c)}})
		}
		out["tool_calls"] = calls
	}
	return out
}

// completionsRead reads an answer or a stream of chunks.
func completionsRead(r *greentic.Response) (Answer, error) {
	if streamed(r) {
		return completionsStream(r.Body)
	}
	doc, err := document(r.Body)
	if err != nil {
		return Answer{}, err
	}
	if at(doc, "error") != nil {
		return Answer{}, told(completionsFault(doc))
	}
	message := at(doc, "choices", 0, "message")
	if message == nil {
		return Answer{}, malformed("it has no choices[0].message", r.Body)
	}
	a := Answer{ID: text(doc, "id"), Model: text(doc, "model"), Text: text(message, "content"), Usage: completionsUsage(at(doc, "usage"))}
	for _, c := range list(message, "tool_calls") {
		a.ToolCalls = append(a.ToolCalls, call(text(c, "id"), text(c, "function", "name"), text(c, "function", "arguments")))
	}
	return completionsFinish(a, text(doc, "choices", 0, "finish_reason"), text(message, "refusal"))
}

func completionsUsage(u any) Usage {
	return Usage{Input: count(u, "prompt_tokens"), Output: count(u, "completion_tokens"), Total: count(u, "total_tokens"),
		Cached: count(u, "prompt_tokens_details", "cached_tokens")}
}

func completionsFinish(a Answer, reason, refusal string) (Answer, error) {
	switch {
	case refusal != "":
		return a, greentic.Fail(CodeContentFilter, "the model refused: "+short(refusal))
	case reason == "content_filter":
		return a, greentic.Fail(CodeContentFilter, "the provider's content filter stopped the answer")
	case reason == "length":
		a.Finish = "length"
	case len(a.ToolCalls) > 0:
		a.Finish = "tool_calls"
	default:
		a.Finish = "stop"
	}
	return a, nil
}

// completionsFault reads {"error": {"message", "type", "code"}}; some servers have a text for error.
func completionsFault(doc any) (code, message string) {
	code = text(doc, "error", "code")
	if code == "" {
		code = text(doc, "error", "type")
	}
	message = text(doc, "error", "message")
	if message == "" {
		message = text(doc, "error")
	}
	return strings.ToLower(code), message
}

// completionsStream collapses chunks; a stream is whole when a reason to finish has come.
func completionsStream(body []byte) (Answer, error) {
	var a Answer
	var said, refusal strings.Builder
	type pending struct {
		id, name  string
		arguments strings.Builder
	}
	var calls []*pending
	reason, done := "", false
	for e := range events(body) {
		if e.data == "[DONE]" {
			done = true
			break
		}
		doc, err := document([]byte(e.data))
		if err != nil {
			return a, err
		}
		if at(doc, "error") != nil {
			return a, told(completionsFault(doc))
		}
		if a.ID == "" {
			a.ID, a.Model = text(doc, "id"), text(doc, "model")
		}
		if u := at(doc, "usage"); u != nil {
			a.Usage = completionsUsage(u)
		}
		delta := at(doc, "choices", 0, "delta")
		said.WriteString(text(delta, "content"))
		refusal.WriteString(text(delta, "refusal"))
		for _, c := range list(delta, "tool_calls") {
			i := count(c, "index")
			if i < 0 || i > 128 {
				return a, malformed("a tool call has the index "+itoa(i), []byte(e.data))
			}
			for len(calls) <= i {
				calls = append(calls, &pending{})
			}
			p := calls[i]
			p.id += text(c, "id")
			p.name += text(c, "function", "name")
			p.arguments.WriteString(text(c, "function", "arguments"))
		}
		if r := text(doc, "choices", 0, "finish_reason"); r != "" {
			reason = r
		}
	}
	if reason == "" {
		return a, truncated(done)
	}
	a.Text = said.String()
	for _, p := range calls {
		a.ToolCalls = append(a.ToolCalls, call(p.id, p.name, p.arguments.String()))
	}
	return completionsFinish(a, reason, refusal.String())
}
