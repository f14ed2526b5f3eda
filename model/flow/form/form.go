package form

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// MaxFields is how many questions one node may ask.
const MaxFields = 200

// Form is the questions of one node.
type Form struct{ Fields []*Field }

// Field is one question.
type Field struct {
	ID       string // answers are kept under it
	Prompt   string // what is asked; i18n:KEY is translated
	Type     string // string, bool, int, number or choice
	Default  any    // of that type; nil: none
	Required bool   // without a default it has to be answered; true unless the source says false
	Options  []any  // of a choice: texts, numbers or {value, label}

	hidden   bool
	showID   string // shown when the answer to it
	showWhen any    // is this
}

// Wrong is one thing wrong with a form, at a way into its payload.
type Wrong struct {
	Way          []string
	Message, Fix string
}

// Read reads the payload of a questions node: {fields: [{id, prompt, type, default, required,
// options, show_if}]}.
func Read(payload any) (*Form, []Wrong) {
	f := &Form{}
	var wrong []Wrong
	report := func(way []string, fix, format string, args ...any) {
		wrong = append(wrong, Wrong{way, fmt.Sprintf(format, args...), fix})
	}
	m, ok := payload.(map[string]any)
	list, isList := m["fields"].([]any)
	if !ok || !isList && m["fields"] != nil {
		report(nil, "write questions: { fields: [{ id: NAME, prompt: TEXT, type: string }] }", "questions needs fields, a list")
		return f, wrong
	}
	if len(list) > MaxFields {
		report([]string{"fields"}, "split the form", "questions has %d fields, at most %d are allowed", len(list), MaxFields)
		return f, wrong
	}
	for i, item := range list {
		way := []string{"fields", fmt.Sprint(i)}
		field := &Field{}
		field.read(item, func(key, fix, format string, args ...any) {
			at := way
			if key != "" {
				at = append(slices.Clip(way), key)
			}
			report(at, fix, format, args...)
		})
		switch {
		case field.ID != "" && f.Field(field.ID) != nil:
			report(append(slices.Clip(way), "id"), "rename one", "two questions are called %s", field.ID)
		case field.showID != "" && f.Field(field.showID) == nil:
			report(append(slices.Clip(way), "show_if"), "name a question before it", "question %s depends on %s, which is not asked before", field.ID, field.showID)
		}
		f.Fields = append(f.Fields, field)
	}
	return f, wrong
}

func (f *Field) read(v any, report func(key, fix, format string, args ...any)) {
	m, ok := v.(map[string]any)
	if f.ID, _ = m["id"].(string); !ok || f.ID == "" {
		report("", "add id: NAME", "a question needs an id")
	}
	f.Prompt, f.Required = f.ID, true
	for _, key := range slices.Sorted(maps.Keys(m)) {
		v, ok := m[key], true
		switch key {
		case "id":
		case "prompt", "title":
			f.Prompt, ok = v.(string)
		case "type":
			if f.Type, ok = v.(string); f.Type == "boolean" {
				f.Type = "bool"
			}
		case "default":
			f.Default = v
		case "required":
			f.Required, ok = v.(bool)
		case "options":
			f.Options, ok = v.([]any)
		case "show_if":
			ok = f.readShow(v)
		}
		if !ok {
			report(key, "", "question %s: %s is of the wrong sort", f.ID, key)
		}
	}
	switch f.Type {
	case "":
		if f.Type = "string"; len(f.Options) > 0 {
			f.Type = "choice"
		}
	case "string", "bool", "int", "number", "choice":
	default:
		report("type", "use string, bool, int, number or choice", "question %s has the unknown type %q", f.ID, f.Type)
		return
	}
	if f.Type == "choice" && len(f.Options) == 0 {
		report("type", "add options: [a, b]", "question %s is a choice without options", f.ID)
	} else if f.Default != nil {
		typed, err := f.Accept(f.Default)
		if f.Default = typed; err != "" {
			report("default", "", "question %s: its default: %s", f.ID, err)
		}
	}
}

func (f *Field) readShow(v any) bool {
	if shown, ok := v.(bool); ok {
		f.hidden = !shown
		return true
	}
	m, _ := v.(map[string]any)
	var ok bool
	f.showID, ok = m["id"].(string)
	f.showWhen = m["equals"]
	return ok && f.showID != ""
}

// Field is the question called id, or nil.
func (f *Form) Field(id string) *Field {
	if i := slices.IndexFunc(f.Fields, func(one *Field) bool { return one.ID == id }); i >= 0 {
		return f.Fields[i]
	}
	return nil
}

// Shown says whether a question is asked, given the answers before it.
func (f *Field) Shown(answers map[string]any) bool {
	if f.hidden || f.showID == "" {
		return !f.hidden
	}
	return strings.EqualFold(fmt.Sprint(answers[f.showID]), fmt.Sprint(f.showWhen))
}

// Next is the first question without an answer that is shown; nil: all are answered.
func (f *Form) Next(answers map[string]any) *Field {
	for _, one := range f.Fields {
		if _, done := answers[one.ID]; !done && one.Shown(answers) {
			return one
		}
	}
	return nil
}

// Result is the answers to the questions that are shown.
func (f *Form) Result(answers map[string]any) map[string]any {
	out := map[string]any{}
	for _, one := range f.Fields {
		if v, ok := answers[one.ID]; ok && one.Shown(answers) {
			out[one.ID] = v
		}
	}
	return out
}
