package form

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxAnswer bounds one answer, in bytes.
const maxAnswer = 64 << 10

// Prefill takes the answers that the input of a run brings along: its object answers, or the input
// itself when it is no message. With an object answers, what it leaves open is taken from the
// defaults, and only what has to be answered is asked. It says what is wrong with an answer.
func (f *Form) Prefill(answers map[string]any, input any) (problem string) {
	given, _ := input.(map[string]any)
	inner, message := given["input"].(map[string]any)
	all, whole := given["answers"].(map[string]any)
	if !whole {
		all, whole = inner["answers"].(map[string]any)
	}
	if !whole && !message {
		all = given
	}
	for _, one := range f.Fields {
		if _, done := answers[one.ID]; done || !one.Shown(answers) {
			continue
		}
		v, ok := all[one.ID]
		switch {
		case ok:
			typed, wrong := one.Accept(v)
			if wrong == "" {
				answers[one.ID] = typed
			} else if problem == "" {
				problem = one.ID + ": " + wrong
			}
		case whole && (one.Default != nil || !one.Required):
			answers[one.ID] = one.Default
		}
	}
	return problem
}

// Answer takes what a user said as the answer to a question: the field of a form that was sent, or
// the text. Other fields of the form count too. It says what is wrong with it.
func (f *Form) Answer(answers map[string]any, asked *Field, response map[string]any) (problem string) {
	given, sent := response[asked.ID]
	if !sent {
		given = response["text"]
	}
	v, problem := asked.answer(given)
	if problem != "" {
		return problem
	}
	answers[asked.ID] = v
	for _, one := range f.Fields {
		more, sent := response[one.ID]
		if _, done := answers[one.ID]; !sent || done || !one.Shown(answers) {
			continue
		}
		if v, wrong := one.answer(more); wrong == "" {
			answers[one.ID] = v
		}
	}
	return ""
}

// answer is Accept for what a person said: nothing means the default.
func (f *Field) answer(given any) (any, string) {
	s, isText := given.(string)
	if given == nil || isText && (strings.TrimSpace(s) == "" || !f.Required && strings.TrimSpace(s) == "-") {
		if f.Default == nil && f.Required {
			return nil, "an answer is needed"
		}
		return f.Default, ""
	}
	return f.Accept(given)
}

// Accept gives an answer the type of its question, or says what is wrong with it.
func (f *Field) Accept(given any) (v any, problem string) {
	s, isText := given.(string)
	s = strings.TrimSpace(s)
	if len(s) > maxAnswer {
		return nil, fmt.Sprintf("it is longer than %d bytes", maxAnswer)
	}
	n, isNumber := numeric(given)
	switch f.Type {
	case "bool":
		if b, ok := given.(bool); ok {
			return b, ""
		}
		switch strings.ToLower(s) {
		case "true", "yes", "y", "on", "1":
			return true, ""
		case "false", "no", "n", "off", "0":
			return false, ""
		}
		return nil, "answer yes or no"
	case "int":
		if i, err := strconv.ParseInt(s, 10, 64); err == nil && isText {
			return i, ""
		}
		if isNumber && n == math.Trunc(n) && math.Abs(n) < 1<<63 {
			return int64(n), ""
		}
		return nil, "a whole number is needed"
	case "number":
		if x, err := strconv.ParseFloat(s, 64); isText && err == nil {
			n, isNumber = x, true
		}
		if isNumber && !math.IsInf(n, 0) && !math.IsNaN(n) {
			return n, ""
		}
		return nil, "a number is needed"
	case "choice":
		return f.choose(given, s)
	}
	if isText {
		return given, ""
	}
	if _, isBool := given.(bool); isBool || isNumber {
		return fmt.Sprint(given), ""
	}
	return nil, "a text is needed"
}

func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	}
	return 0, false
}

// choose finds an option by its value, its label or its number in the list.
func (f *Field) choose(given any, s string) (any, string) {
	for _, o := range f.Options {
		value, label := option(o)
		if fmt.Sprint(value) == fmt.Sprint(given) || s != "" && (strings.EqualFold(fmt.Sprint(value), s) || strings.EqualFold(label, s)) {
			return value, ""
		}
	}
	if i, err := strconv.Atoi(s); err == nil && i >= 1 && i <= len(f.Options) {
		value, _ := option(f.Options[i-1])
		return value, ""
	}
	return nil, "answer one of " + strings.Join(f.labels(), ", ")
}

func option(o any) (value any, label string) {
	if m, ok := o.(map[string]any); ok {
		label, _ = m["label"].(string)
		if value = m["value"]; label == "" {
			label = fmt.Sprint(value)
		}
		return value, label
	}
	return o, fmt.Sprint(o)
}

func (f *Field) labels() []string {
	var list []string
	for _, o := range f.Options {
		_, label := option(o)
		list = append(list, label)
	}
	return list
}

// Ask is what a user reads: the prompt, with choices and default, after what was wrong before.
func (f *Field) Ask(problem string) map[string]any {
	text := f.Prompt
	if strings.HasPrefix(text, "i18n:") {
		text = "{{" + text + "}}"
	}
	if f.Type == "choice" {
		text += " (" + strings.Join(f.labels(), ", ") + ")"
	}
	if f.Default != nil {
		text += fmt.Sprintf(" [%v]", f.Default)
	}
	if problem != "" {
		text = strings.ToUpper(problem[:1]) + problem[1:] + ". " + text
	}
	question := map[string]any{"id": f.ID, "type": f.Type, "required": f.Required && f.Default == nil}
	if f.Default != nil {
		question["default"] = f.Default
	}
	if len(f.Options) > 0 {
		question["options"] = slices.Clone(f.Options)
	}
	return map[string]any{"text": text, "question": question}
}
