package schema

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"greentic.dev/internal/nearest"
)

func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// object checks the fields of a map.
func (c *checker) object(m, v map[string]any, at string, depth int) {
	properties, _ := m["properties"].(map[string]any)
	required, _ := m["required"].([]any)
	for _, name := range required {
		key, _ := name.(string)
		if _, there := v[key]; key != "" && !there {
			c.report(at, "required", "add "+key, "it needs "+key)
		}
	}
	patterns, _ := m["patternProperties"].(map[string]any)
	others, limited := m["additionalProperties"]
	for _, key := range slices.Sorted(maps.Keys(v)) {
		place := at + "/" + escape(key)
		field, known := properties[key]
		if known {
			c.check(field, v[key], place, depth+1)
		}
		for p, schema := range patterns {
			if c.schema.patterns[p].MatchString(key) {
				known = true
				c.check(schema, v[key], place, depth+1)
			}
		}
		switch {
		case known || !limited:
		case others == false:
			fix := "remove it"
			if near := nearest.Word(key, slices.Sorted(maps.Keys(properties))); near != "" {
				fix = "did you mean " + near + "?"
			}
			c.add(Problem{Pointer: place, Key: true, Rule: "additionalProperties", Message: key + " is unknown", Fix: fix})
		default:
			c.check(others, v[key], place, depth+1)
		}
		if names, ok := m["propertyNames"]; ok && !c.fits(names, key, depth+1) {
			c.add(Problem{Pointer: place, Key: true, Rule: "propertyNames", Message: key + " is no name that is allowed here"})
		}
	}
	c.count(m, "minProperties", "maxProperties", len(v), "fields", at)
}

// list checks the items of a list.
func (c *checker) list(m map[string]any, v []any, at string, depth int) {
	first, _ := m["prefixItems"].([]any)
	rest := m["items"]
	if tuple, ok := rest.([]any); ok { // as drafts before 2020-12 wrote it
		first, rest = tuple, m["additionalItems"]
	}
	for i, item := range v {
		schema := rest
		if i < len(first) {
			schema = first[i]
		}
		c.check(schema, item, fmt.Sprintf("%s/%d", at, i), depth+1)
	}
	c.count(m, "minItems", "maxItems", len(v), "items", at)
	if m["uniqueItems"] != true {
		return
	}
	for i := range v {
		for j := range i {
			if _, unknown := v[j].(Unknown); !unknown && same(v[j], v[i]) && same(v[i], v[j]) {
				c.report(fmt.Sprintf("%s/%d", at, i), "uniqueItems", "remove it", "it stands twice")
				return
			}
		}
	}
}

func (c *checker) text(m map[string]any, v, at string) {
	c.count(m, "minLength", "maxLength", utf8.RuneCountInString(v), "characters", at)
	if p, ok := m["pattern"].(string); ok && !c.schema.patterns[p].MatchString(v) {
		c.report(at, "pattern", "", fmt.Sprintf("%q does not match %s", v, p))
	}
}

func (c *checker) count(m map[string]any, least, most string, n int, what, at string) {
	if low, ok := Number(m[least]); ok && float64(n) < low {
		c.report(at, least, "", fmt.Sprintf("it has %d %s and needs %v", n, what, low))
	}
	if high, ok := Number(m[most]); ok && float64(n) > high {
		c.report(at, most, "", fmt.Sprintf("it has %d %s and may have %v", n, what, high))
	}
}

func (c *checker) number(m map[string]any, n float64, at string) {
	for _, limit := range []struct {
		rule, say string
		bad       func(limit float64) bool
	}{
		{"minimum", "at least", func(l float64) bool { return n < l }},
		{"maximum", "at most", func(l float64) bool { return n > l }},
		{"exclusiveMinimum", "more than", func(l float64) bool { return n <= l }},
		{"exclusiveMaximum", "less than", func(l float64) bool { return n >= l }},
		{"multipleOf", "a multiple of", func(l float64) bool { return l > 0 && math.Abs(n/l-math.Round(n/l)) > 1e-9 }},
	} {
		if l, ok := Number(m[limit.rule]); ok && limit.bad(l) {
			c.report(at, limit.rule, "", fmt.Sprintf("%v must be %s %v", n, limit.say, l))
		}
	}
}

// combined checks the keywords that hold other schemas for the same value. A choice between
// schemas is not judged for a value that holds unknowns and fits several.
func (c *checker) combined(m map[string]any, v any, at string, depth int) {
	all, _ := m["allOf"].([]any)
	for _, schema := range all {
		c.check(schema, v, at, depth+1)
	}
	for _, rule := range []string{"anyOf", "oneOf"} {
		list, ok := m[rule].([]any)
		if !ok || len(list) == 0 {
			continue
		}
		n := 0
		for _, schema := range list {
			if c.fits(schema, v, depth+1) {
				n++
			}
		}
		switch {
		case n == 0 && len(list) == 1:
			c.check(list[0], v, at, depth+1)
		case n == 0:
			c.report(at, rule, "", fmt.Sprintf("it fits none of the %d forms that are allowed here", len(list)))
		case n > 1 && rule == "oneOf" && !holdsUnknown(v):
			c.report(at, rule, "", fmt.Sprintf("it fits %d of the %d forms, and must fit one", n, len(list)))
		}
	}
	if holdsUnknown(v) {
		return // fitting a condition now says nothing about the value then
	}
	if not, ok := m["not"]; ok && c.fits(not, v, depth+1) {
		c.report(at, "not", "", "it has a form that is not allowed here")
	}
	if condition, ok := m["if"]; ok {
		branch := "else"
		if c.fits(condition, v, depth+1) {
			branch = "then"
		}
		if schema, ok := m[branch]; ok {
			c.check(schema, v, at, depth+1)
		}
	}
}

func holdsUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case map[string]any:
		for _, one := range v {
			if holdsUnknown(one) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsUnknown)
	}
	return false
}
