package slot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Schema is the slots of a flow in the order of its source.
type Schema []Slot

// Slot is one value a flow collects.
type Slot struct {
	Name     string
	Type     string // string, enum, number, date or boolean
	Pattern  *regexp.Regexp
	Values   []string // of an enum
	Required bool
	Default  any // nil: none
}

// Read reads slot_schema. report says what is wrong with the slot at an index; -1: with the whole.
func Read(v any, report func(index int, fix, format string, args ...any)) Schema {
	list, ok := v.([]any)
	if !ok {
		if v != nil {
			report(-1, "", "slot_schema must be a list")
		}
		return nil
	}
	var all Schema
	for i, item := range list {
		m, _ := item.(map[string]any)
		s := Slot{Default: m["default_value"]}
		s.Name, _ = m["name"].(string)
		s.Type, _ = m["slot_type"].(string)
		s.Required, _ = m["required"].(bool)
		values, _ := m["enum_values"].([]any)
		for _, v := range values {
			s.Values = append(s.Values, fmt.Sprint(v))
		}
		pattern, _ := m["pattern"].(string)
		var bad error
		if pattern != "" {
			s.Pattern, bad = regexp.Compile(pattern)
		}
		switch {
		case s.Name == "" || all.find(s.Name) != nil:
			report(i, "", "a slot needs a name of its own")
		case s.Type == "string" && pattern == "", s.Type == "enum" && len(values) == 0:
			report(i, "", "slot %s needs pattern (string) or enum_values (enum)", s.Name)
		case !slices.Contains([]string{"string", "enum", "number", "date", "boolean"}, s.Type):
			report(i, "use string, enum, number, date or boolean", "slot %s has an unknown slot_type", s.Name)
		case bad != nil:
			report(i, "", "slot %s: the pattern is no regular expression", s.Name)
		}
		all = append(all, s)
	}
	return all
}

func (s Schema) find(name string) *Slot {
	for i := range s {
		if s[i].Name == name {
			return &s[i]
		}
	}
	return nil
}

// Accept gives a value the type of the slot called name, or says what is wrong with it. Nothing is
// wrong with what no slot is called.
func (s Schema) Accept(name string, v any) (typed any, problem string) {
	slot := s.find(name)
	if slot == nil {
		return v, ""
	}
	text, isText := v.(string)
	text = strings.TrimSpace(text)
	switch slot.Type {
	case "number":
		n, err := strconv.ParseFloat(text, 64)
		if isText && err == nil {
			return n, ""
		}
		switch v.(type) {
		case int64, float64, uint64, int:
			return v, ""
		}
		return nil, name + " is a number"
	case "boolean":
		if b, ok := v.(bool); ok {
			return b, ""
		}
		if b, err := strconv.ParseBool(text); err == nil {
			return b, ""
		}
		return nil, name + " is true or false"
	case "enum":
		for _, one := range slot.Values {
			if strings.EqualFold(one, fmt.Sprint(v)) {
				return one, ""
			}
		}
		return nil, name + " is one of " + strings.Join(slot.Values, ", ")
	case "date":
		if date.MatchString(text) {
			return text, ""
		}
		return nil, name + " is a date such as 2026-07-31"
	}
	if !isText || slot.Pattern != nil && !slot.Pattern.MatchString(text) {
		return nil, fmt.Sprintf("%s is a text that fits %v", name, slot.Pattern)
	}
	return text, ""
}

var date = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$`)

// Filled are the values of all slots: those in values, else the defaults, else null.
func (s Schema) Filled(values map[string]any) map[string]any {
	out := map[string]any{}
	for _, one := range s {
		if out[one.Name] = one.Default; values[one.Name] != nil {
			out[one.Name] = values[one.Name]
		}
	}
	return out
}
