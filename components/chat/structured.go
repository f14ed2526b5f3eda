package chat

import (
	"maps"
	"strings"

	"greentic.dev/sdk/go/greentic"
)

// systemOf is the system prompt; where the schema cannot be given natively it stands there in words.
func systemOf(e Endpoint, q Request) string {
	if q.Schema == nil || e.Structured != "prompt" {
		return q.System
	}
	text, err := greentic.EncodeJSON(q.Schema)
	if err != nil {
		return q.System
	}
	return strings.TrimSpace(q.System + "\n\nAnswer with one JSON value and nothing else. It must fit this JSON Schema:\n" + string(text))
}

// structured asks until the answer fits q.Schema, c.Repairs times more at most. What was wrong is told
// to the model. Tool calls are passed on: the answer is then still to come.
func (c *Client) structured(e Endpoint, q Request) (Answer, error) {
	inner := false // protocols want an object on top: another answer goes into one
	if q.Schema["type"] != "object" {
		q.Schema, inner = wrapped(q.Schema), true
	}
	var used Usage
	for repairs := 0; ; repairs++ {
		a, err := c.once(e, q)
		used.add(a.Usage)
		if err != nil {
			return Answer{}, err
		}
		a.Usage, a.Repairs = used, repairs
		value, written, found := valueOf(&a)
		if !found && len(a.ToolCalls) > 0 {
			return a, nil
		}
		if a.Finish == "length" {
			return a, greentic.Fail(CodeLength, "the answer was cut at the limit of its length: raise max_tokens")
		}
		problems := []string{"it is no JSON"}
		if found {
			if m, ok := value.(map[string]any); ok && inner {
				value = m["value"]
			}
			if problems = q.Problems(value); len(problems) == 0 {
				a.Value, a.Text, a.Finish, a.ToolCalls = value, written, "stop", nil
				return a, nil
			}
		}
		if repairs >= c.Repairs {
			f := greentic.Fail(CodeSchema, "the answer does not fit the schema after "+itoa(repairs)+" repairs: "+short(strings.Join(problems, "; ")))
			f.Details = map[string]any{"problems": problems, "answer": short(written), "usage": used}
			return a, f
		}
		q.Messages = append(q.Messages[:len(q.Messages):len(q.Messages)],
			Message{Role: "assistant", Content: orElse(written, "(nothing)")},
			Message{Role: "user", Content: "That answer does not fit the schema:\n- " + strings.Join(problems, "\n- ") + "\nAnswer again with the corrected JSON only."})
	}
}

// wrapped is the schema of an object whose value fits s. Definitions stay where references find them.
func wrapped(s map[string]any) map[string]any {
	inner, outer := maps.Clone(s), map[string]any{"type": "object", "required": []any{"value"}, "additionalProperties": false}
	for _, key := range []string{"$defs", "definitions"} {
		if defs, ok := inner[key]; ok {
			outer[key] = defs
			delete(inner, key)
		}
	}
	delete(inner, "$schema")
	outer["properties"] = map[string]any{"value": inner}
	return outer
}

// valueOf is the value an answer gives, and how it was written: the arguments of the answer tool, or
// the JSON in its text, which models like to wrap in words and fences.
func valueOf(a *Answer) (value any, written string, found bool) {
	for _, c := range a.ToolCalls {
		if c.Name == answerTool {
			return c.Arguments, argumentsText(c), c.Arguments != nil
		}
	}
	for _, candidate := range []string{a.Text, fenced(a.Text), braced(a.Text)} {
		if candidate = strings.TrimSpace(candidate); candidate == "" {
			continue
		}
		if greentic.DecodeJSON([]byte(candidate), &value) == nil {
			return value, candidate, true
		}
	}
	return nil, a.Text, false
}

// fenced is what stands between the first pair of three backquotes.
func fenced(s string) string {
	_, s, ok := strings.Cut(s, "```")
	if !ok {
		return ""
	}
	if _, s, ok = strings.Cut(s, "\n"); !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, "```")
	return s
}

// braced is what stands between the first and the last brace or bracket.
func braced(s string) string {
	from, to := strings.IndexAny(s, "{["), strings.LastIndexAny(s, "}]")
	if from < 0 || to < from {
		return ""
	}
	return s[from : to+1]
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
