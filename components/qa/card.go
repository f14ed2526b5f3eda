package main

import "strings"

// card is the questions as an Adaptive Card of version 1.3, which all channels have, with the answers so
// far filled in.
func (f *form) card(answers map[string]any) map[string]any {
	body := []any{}
	if f.Title != "" {
		body = append(body, map[string]any{"type": "TextBlock", "text": f.Title, "weight": "Bolder", "size": "Medium", "wrap": true})
	}
	for _, q := range f.questions {
		if q.skipped(answers) && q.settled(answers) {
			continue
		}
		if help := f.text(q.Help); help != "" {
			body = append(body, map[string]any{"type": "TextBlock", "text": help, "wrap": true, "isSubtle": true})
		}
		body = append(body, f.input(q, answers[q.ID]))
	}
	submit := f.Submit
	if submit == "" {
		submit = "OK"
	}
	return map[string]any{"type": "AdaptiveCard", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "version": "1.3", "body": body,
		"actions": []any{map[string]any{"type": "Action.Submit", "title": submit, "data": map[string]any{"action": "submit"}}}}
}

// settled says whether what a question's rules look at is answered already; a card cannot hide what
// depends on itself, so such questions stay and their answers are dropped by check.
func (q *question) settled(answers map[string]any) bool {
	for field := range fields(q.ShowIf, q.SkipIf) {
		if _, ok := answers[field]; !ok {
			return false
		}
	}
	return true
}

// fields are the names rules look at.
func fields(rules ...any) map[string]bool {
	found := map[string]bool{}
	for _, rule := range rules {
		switch rule := rule.(type) {
		case []any:
			for name := range fields(rule...) {
				found[name] = true
			}
		case map[string]any:
			for key, value := range rule {
				if name, ok := value.(string); ok && (key == "field" || key == "id") {
					found[name] = true
				}
				for name := range fields(value) {
					found[name] = true
				}
			}
		}
	}
	return found
}

// input is one question as an input of a card.
func (f *form) input(q *question, answer any) map[string]any {
	if answer == nil {
		answer = q.Default
	}
	in := map[string]any{"id": q.ID, "label": f.text(q.Label), "isRequired": q.Required}
	if q.Required || q.Error != nil {
		in["errorMessage"] = f.wrong(q, "required", "")
	}
	value := plain(answer)
	switch q.kind {
	case "number", "integer":
		in["type"] = "Input.Number"
		if q.Min != nil {
			in["min"] = *q.Min
		}
		if q.Max != nil {
			in["max"] = *q.Max
		}
		if answer != nil {
			in["value"] = answer
		}
		return in
	case "bool":
		in["type"], in["title"] = "Input.Toggle", f.text(q.Label)
		if value == "" {
			value = "false"
		}
	case "choice", "choices":
		var choices []any
		for _, c := range q.options {
			choices = append(choices, map[string]any{"title": c.Label, "value": c.Value})
		}
		in["type"], in["choices"] = "Input.ChoiceSet", choices
		if q.kind == "choices" {
			in["isMultiSelect"], in["style"] = true, "expanded"
			if list, ok := answer.([]any); ok {
				var all []string
				for _, item := range list {
					all = append(all, plain(item))
				}
				value = strings.Join(all, ",")
			}
		}
	case "date":
		in["type"] = "Input.Date"
	default:
		in["type"] = "Input.Text"
		if q.kind == "json" {
			in["isMultiline"] = true
		}
		if q.Max != nil {
			in["maxLength"] = int(*q.Max)
		}
		if q.Pattern != "" {
			in["regex"] = "^(?:" + q.Pattern + ")$"
		}
		switch q.Format {
		case "email":
			in["style"] = "Email"
		case "url":
			in["style"] = "Url"
		}
	}
	if value != "" {
		in["value"] = value
	}
	return in
}
