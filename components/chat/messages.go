package chat

import (
	"strings"

	"greentic.dev/sdk/go/greentic"
)

// answerTool is what the model is made to call, or what its answer is named, when it must fit a schema.
const answerTool = "answer"

const messagesMaxTokens = 4096 // the protocol wants a limit

// messagesBody is a request of the Anthropic messages protocol. Messages of the same side stand in one,
// for the sides take turns there.
func messagesBody(at Endpoint, q Request) map[string]any {
	limit := q.MaxTokens
	if limit == 0 {
		limit = messagesMaxTokens
	}
	var turns []any
	system := []string{}
	if s := systemOf(at, q); s != "" {
		system = append(system, s)
	}
	role, blocks := "", []any{}
	flush := func() {
		if len(blocks) > 0 {
			turns = append(turns, map[string]any{"role": role, "content": blocks})
		}
		blocks = []any{}
	}
	for _, m := range q.Messages {
		if m.Role == "system" {
			system = append(system, plain(m.Content))
			continue
		}
		side := m.Role
		if side == "tool" {
			side = "user"
		}
		if side != role {
			flush()
			role = side
		}
		blocks = append(blocks, messagesBlocks(m)...)
	}
	flush()
	body := map[string]any{"model": at.Model, "max_tokens": limit, "messages": turns}
	if len(system) > 0 {
		body["system"] = strings.Join(system, "\n\n")
	}
	sampling(body, q, "stop_sequences")
	messagesTools(body, at, q)
	if q.Stream {
		body["stream"] = true
	}
	return body
}

func messagesBlocks(m Message) []any {
	var blocks []any
	if m.Role == "tool" {
		return []any{map[string]any{"type": "tool_result", "tool_use_id": m.ToolCallID, "content": plain(m.Content)}}
	}
	list, _ := parts(m.Content)
	for _, p := range list {
		switch {
		case p.image != "":
			blocks = append(blocks, map[string]any{"type": "image", "source": imageSource(p.image)})
		case p.text != "":
			blocks = append(blocks, map[string]any{"type": "text", "text": p.text})
		}
	}
	for _, c := range m.ToolCalls {
		input := c.Arguments
		if input == nil {
			input = map[string]any{}
		}
		blocks = append(blocks, map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": input})
	}
	return blocks
}

// imageSource is an image by its address, or the bytes of a data: address.
func imageSource(url string) map[string]any {
	if rest, ok := strings.CutPrefix(url, "data:"); ok {
		if kind, data, ok := strings.Cut(rest, ";base64,"); ok {
			return map[string]any{"type": "base64", "media_type": kind, "data": data}
		}
	}
	return map[string]any{"type": "url", "url": url}
}

// messagesTools adds the tools. A schema becomes a tool the model has to call.
func messagesTools(body map[string]any, at Endpoint, q Request) {
	var tools []any
	for _, t := range q.Tools {
		tools = append(tools, map[string]any{"name": t.Name, "description": t.Description, "input_schema": objectSchema(t.Schema)})
	}
	choice := map[string]any{}
	switch q.ToolChoice {
	case "":
	case "auto", "none":
		choice["type"] = q.ToolChoice
	case "required":
		choice["type"] = "any"
	default:
		choice["type"], choice["name"] = "tool", q.ToolChoice
	}
	if q.Schema != nil && at.Structured != "prompt" {
		tools = append(tools, map[string]any{"name": answerTool, "description": "Gives the answer.", "input_schema": q.Schema})
		choice = map[string]any{"type": "any"}
		if len(q.Tools) == 0 {
			choice = map[string]any{"type": "tool", "name": answerTool}
		}
	}
	if len(tools) > 0 {
		body["tools"] = tools
		if len(choice) > 0 {
			body["tool_choice"] = choice
		}
	}
}

// messagesRead reads a message or a stream of events.
func messagesRead(r *greentic.Response) (Answer, error) {
	if streamed(r) {
		return messagesStream(r.Body)
	}
	doc, err := document(r.Body)
	if err != nil {
		return Answer{}, err
	}
	if text(doc, "type") == "error" {
		return Answer{}, told(messagesFault(doc))
	}
	if _, ok := at(doc, "content").([]any); !ok {
		return Answer{}, malformed("it has no content", r.Body)
	}
	a := Answer{ID: text(doc, "id"), Model: text(doc, "model"), Usage: messagesUsage(at(doc, "usage"))}
	for _, block := range list(doc, "content") {
		switch text(block, "type") {
		case "text":
			a.Text += text(block, "text")
		case "tool_use":
			input, _ := at(block, "input").(map[string]any)
			a.ToolCalls = append(a.ToolCalls, ToolCall{ID: text(block, "id"), Name: text(block, "name"), Arguments: input})
		}
	}
	return messagesFinish(a, text(doc, "stop_reason"))
}

func messagesUsage(u any) Usage {
	cached := count(u, "cache_read_input_tokens")
	in := count(u, "input_tokens") + cached + count(u, "cache_creation_input_tokens")
	return Usage{Input: in, Output: count(u, "output_tokens"), Cached: cached}
}

func messagesFinish(a Answer, reason string) (Answer, error) {
	switch reason {
	case "refusal":
		return a, greentic.Fail(CodeContentFilter, "the model refused to answer")
	case "max_tokens", "model_context_window_exceeded":
		a.Finish = "length"
	case "tool_use":
		a.Finish = "tool_calls"
	default:
		a.Finish = "stop"
	}
	return a, nil
}

// messagesFault reads {"type": "error", "error": {"type", "message"}}.
func messagesFault(doc any) (code, message string) {
	return text(doc, "error", "type"), text(doc, "error", "message")
}

// messagesStream collapses events; a stream is whole when message_stop has come.
func messagesStream(body []byte) (Answer, error) {
	var a Answer
	type block struct {
		kind, id, name string
		written        strings.Builder
	}
	var blocks []*block
	reason, done := "", false
	for e := range events(body) {
		doc, err := document([]byte(e.data))
		if err != nil {
			return a, err
		}
		i := count(doc, "index")
		switch text(doc, "type") {
		case "error":
			return a, told(messagesFault(doc))
		case "message_start":
			a.ID, a.Model, a.Usage = text(doc, "message", "id"), text(doc, "message", "model"), messagesUsage(at(doc, "message", "usage"))
		case "content_block_start":
			if i != len(blocks) {
				return a, malformed("block "+itoa(i)+" comes after block "+itoa(len(blocks)-1), []byte(e.data))
			}
			b := &block{kind: text(doc, "content_block", "type"), id: text(doc, "content_block", "id"), name: text(doc, "content_block", "name")}
			b.written.WriteString(text(doc, "content_block", "text"))
			blocks = append(blocks, b)
		case "content_block_delta":
			if i < 0 || i >= len(blocks) {
				return a, malformed("it goes on with block "+itoa(i)+", which did not begin", []byte(e.data))
			}
			blocks[i].written.WriteString(text(doc, "delta", "text") + text(doc, "delta", "partial_json"))
		case "message_delta":
			reason = text(doc, "delta", "stop_reason")
			a.Usage.Output = max(a.Usage.Output, count(doc, "usage", "output_tokens"))
		case "message_stop":
			done = true
		}
	}
	if !done {
		return a, truncated(false)
	}
	for _, b := range blocks {
		switch b.kind {
		case "text":
			a.Text += b.written.String()
		case "tool_use":
			a.ToolCalls = append(a.ToolCalls, call(b.id, b.name, b.written.String()))
		}
	}
	return messagesFinish(a, reason)
}
