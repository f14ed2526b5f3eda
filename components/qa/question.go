package main

import (
	"regexp"
	"strings"

	"greentic.dev/sdk/go/greentic"
)

// question is one question. Kind is a word or, as in the public specification, an object with a type;
// texts are texts or {key, fallback}.
type question struct {
	ID       string   `json:"id" min:"1" max:"128"`
	Label    any      `json:"label,omitempty" doc:"what to ask; the id when empty"`
	Help     any      `json:"help,omitempty"`
	Error    any      `json:"error,omitempty" doc:"what to say when the answer is none, whatever is wrong"`
	Kind     any      `json:"kind,omitempty" doc:"text, number, integer, bool, choice, choices, date, json; or {type, options}"`
	Choices  []any    `json:"choices,omitempty" doc:"for choice and choices: texts or {value, label}"`
	Required bool     `json:"required,omitempty"`
	Default  any      `json:"default,omitempty" doc:"the answer when nothing is said"`
	SkipIf   any      `json:"skip_if,omitempty" doc:"{condition: {field, equals, not_equals, is_empty, is_not_empty}}, or and, or, not of such"`
	ShowIf   any      `json:"show_if,omitempty" doc:"{id, equals}, or a boolean"`
	Min      *float64 `json:"min,omitempty" doc:"of a number, of the length of a text, of the count of choices"`
	Max      *float64 `json:"max,omitempty"`
	Pattern  string   `json:"pattern,omitempty" doc:"RE2, for the whole text"`
	Format   string   `json:"format,omitempty" enum:"email,url,date" doc:"of a text"`

	kind    string
	options []choice
	pattern *regexp.Regexp
}

type choice struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// form is questions that can be asked.
type form struct {
	config
	questions []*question
}

const maxQuestions = 500

// open reads the questions of an input, or else of the configuration.
func open(ctx *greentic.Context, given []question) (*form, error) {
	f := &form{}
	if err := ctx.Config(&f.config); err != nil {
		return nil, err
	}
	if given == nil {
		given = f.Questions
	}
	if len(given) == 0 {
		return nil, greentic.Fail("no_questions", "there is nothing to ask: set questions in the input or the configuration")
	}
	if len(given) > maxQuestions {
		return nil, greentic.Fail("invalid_question", "there are more than 500 questions")
	}
	seen := map[string]bool{}
	for i := range given {
		q := &given[i]
		why := f.prepare(q)
		if seen[q.ID] {
			why = "the id is there twice"
		}
		if why != "" {
			return nil, greentic.Fail("invalid_question", "question "+q.ID+": "+why)
		}
		seen[q.ID] = true
		f.questions = append(f.questions, q)
	}
	return f, nil
}

// kinds are ours by the names they go by.
var kinds = map[string]string{"": "text", "text": "text", "string": "text", "number": "number", "float": "number", "integer": "integer", "int": "integer",
	"bool": "bool", "boolean": "bool", "choice": "choice", "enum": "choice", "choices": "choices", "multi_choice": "choices", "date": "date",
	"json": "json", "inline_json": "json", "asset_ref": "text"}

// prepare makes a question ready; it says what is wrong with it.
func (f *form) prepare(q *question) string {
	options := q.Choices
	switch kind := q.Kind.(type) {
	case nil:
	case string:
		q.kind = kind
	case map[string]any:
		q.kind, _ = kind["type"].(string)
		if list, ok := kind["options"].([]any); ok {
			options = list
		}
	}
	if q.kind == "" && len(options) > 0 {
		q.kind = "choice"
	}
	name, ok := kinds[q.kind]
	if !ok {
		return "there is no kind " + q.kind + "; there are text, number, integer, bool, choice, choices, date and json"
	}
	q.kind = name
	if q.Format == "date" {
		q.kind = "date"
	}
	for _, o := range options {
		c := choice{}
		switch o := o.(type) {
		case map[string]any:
			c.Value, c.Label = plain(o["value"]), f.text(o["label"])
		default:
			c.Value = plain(o)
		}
		if c.Label == "" {
			c.Label = c.Value
		}
		q.options = append(q.options, c)
	}
	if strings.HasPrefix(q.kind, "choice") && len(q.options) == 0 {
		return "a choice needs choices"
	}
	if q.Label == nil {
		q.Label = q.ID
	}
	if q.Pattern != "" {
		var err error
		if q.pattern, err = regexp.Compile("^(?:" + q.Pattern + ")$"); err != nil {
			return "the pattern is none: " + err.Error()
		}
	}
	return ""
}

// text is a text or {key, fallback} in the user's language; a key nobody translated is for the channel.
func (f *form) text(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return plain(v)
	}
	key, _ := m["key"].(string)
	if t, ok := f.Texts[key]; ok {
		return t
	}
	if t, _ := m["fallback"].(string); t != "" {
		return t
	}
	return "{{i18n:" + key + "}}"
}

// plain is a value as a text.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, err := greentic.EncodeJSON(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// skipped says whether a question is not asked after these answers.
func (q *question) skipped(answers map[string]any) bool {
	switch show := q.ShowIf.(type) {
	case bool:
		if !show {
			return true
		}
	case map[string]any:
		field, _ := show["id"].(string)
		if field == "" {
			field, _ = show["field"].(string)
		}
		if have, ok := answers[field]; !ok || !same(have, show["equals"]) {
			return true
		}
	}
	return q.SkipIf != nil && holds(q.SkipIf, answers, 0)
}

// holds says whether a rule of skip_if is met; a rule that is none is not.
func holds(rule any, answers map[string]any, depth int) bool {
	m, _ := rule.(map[string]any)
	if depth > 16 {
		return false
	}
	if c, ok := m["condition"].(map[string]any); ok {
		m = c
	}
	if list, ok := m["and"].([]any); ok {
		for _, r := range list {
			if !holds(r, answers, depth+1) {
				return false
			}
		}
		return len(list) > 0
	}
	if list, ok := m["or"].([]any); ok {
		for _, r := range list {
			if holds(r, answers, depth+1) {
				return true
			}
		}
		return false
	}
	if r, ok := m["not"]; ok {
		return !holds(r, answers, depth+1)
	}
	field, ok := m["field"].(string)
	if !ok {
		return false
	}
	have := answers[field]
	empty := have == nil || have == ""
	met := false
	for _, test := range []struct {
		key   string
		holds func(want any) bool
	}{
		{"equals", func(want any) bool { return same(have, want) }},
		{"not_equals", func(want any) bool { return !same(have, want) }},
		{"is_empty", func(want any) bool { return want != true || empty }},
		{"is_not_empty", func(want any) bool { return want != true || !empty }},
	} {
		want, ok := m[test.key]
		if !ok || want == nil || want == false && strings.HasPrefix(test.key, "is_") {
			continue
		}
		if !test.holds(want) {
			return false
		}
		met = true
	}
	return met
}

// same compares an answer with what a rule says; a number may be written as a text.
func same(a, b any) bool { return strings.EqualFold(plain(a), plain(b)) }
