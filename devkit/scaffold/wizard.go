package scaffold

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

// Wizard is what a command asks. Every question has a flag or a line in an answers file, and an
// answer of its own, so that nobody has to be asked.
type Wizard struct {
	ID        string // of the answers document
	Questions []Question
}

// wizardVersion is the schema_version of every answers document.
const wizardVersion = 1

// Question is one question; the answer is text.
type Question struct {
	ID      string
	Prompt  string
	Default string   // empty: the name of what is begun
	Options []string // the only answers there are; nil: any
}

// document is an answers file, as the ecosystem's wizards write it.
type document struct {
	WizardID      string            `json:"wizard_id"`
	SchemaID      string            `json:"schema_id"`
	SchemaVersion int               `json:"schema_version"`
	Locale        string            `json:"locale"`
	Answers       map[string]string `json:"answers"`
}

// Schema is the JSON Schema of the wizard's answers document.
func (w Wizard) Schema() map[string]any {
	answers := map[string]any{}
	for _, q := range w.Questions {
		p := map[string]any{"type": "string", "description": q.Prompt}
		if q.Default != "" {
			p["default"] = q.Default
		}
		if q.Options != nil {
			p["enum"] = q.Options
		}
		answers[q.ID] = p
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": w.ID, "type": "object", "additionalProperties": false,
		"required": []string{"answers"},
		"properties": map[string]any{
			"wizard_id": map[string]any{"const": w.ID}, "schema_id": map[string]any{"const": w.ID},
			"schema_version": map[string]any{"const": wizardVersion}, "locale": map[string]any{"type": "string"},
			"answers": map[string]any{"type": "object", "additionalProperties": false, "properties": answers},
		},
	}
}

// Read reads an answers document, called name in messages. Errors are fault.Invalid: not such a
// document, of another wizard, or with a key that is not known.
func (w Wizard) Read(name string, raw []byte) (map[string]string, error) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&d)
	if err != nil || decoder.More() || d.Answers == nil {
		if err == nil {
			return nil, fault.Newf(fault.Invalid, "answers "+name, "it is not one document with answers").WithFix(`write {"answers": {…}}; --schema shows all of it`)
		}
		return nil, fault.As(fault.Invalid, "answers "+name, err)
	}
	for _, id := range []string{d.WizardID, d.SchemaID} {
		if id != "" && id != w.ID {
			return nil, fault.Newf(fault.Invalid, "answers "+name, "they are for %s, not for %s", id, w.ID)
		}
	}
	if d.SchemaVersion != 0 && d.SchemaVersion != wizardVersion {
		return nil, fault.Newf(fault.Invalid, "answers "+name, "schema_version %d is not %d", d.SchemaVersion, wizardVersion)
	}
	return d.Answers, nil
}

// Settle checks answers and gives every other question its default, or what begins its name. Errors
// are fault.Invalid and name the question.
func (w Wizard) Settle(begun string, answers map[string]string) (map[string]string, error) {
	out, ids := map[string]string{}, []string{}
	for _, q := range w.Questions {
		ids = append(ids, q.ID)
		a, ok := answers[q.ID]
		if !ok {
			if a = q.Default; a == "" {
				a = begun
			}
		}
		if err := q.check(a); err != nil {
			return nil, err
		}
		out[q.ID] = a
	}
	for id := range answers {
		if !slices.Contains(ids, id) {
			err := fault.Newf(fault.Invalid, "answer "+id, "there is no such question")
			if near := nearest.Word(id, ids); near != "" {
				return nil, err.WithFix("did you mean " + near + "?")
			}
			return nil, err.WithFix("the questions are " + strings.Join(ids, ", "))
		}
	}
	return out, nil
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 200

// check refuses what would mean something else where the answer is put: in YAML, in a template, on
// a page.
func (q Question) check(a string) error {
	switch {
	case q.Options != nil && !slices.Contains(q.Options, a):
		return fault.Newf(fault.Invalid, "answer "+q.ID, "%q is not one of %s", a, strings.Join(q.Options, ", "))
	case a == "":
		return fault.Newf(fault.Invalid, "answer "+q.ID, "it is empty")
	case len(a) > maxAnswer:
		return fault.Newf(fault.Invalid, "answer "+q.ID, "it has %d bytes, more than %d", len(a), maxAnswer)
	case strings.ContainsAny(a, "\"\\`<>{}") || strings.ContainsFunc(a, unicode.IsControl):
		return fault.Newf(fault.Invalid, "answer "+q.ID, "%q has a quote, a bracket, a backslash or a control character", a)
	}
	return nil
}
