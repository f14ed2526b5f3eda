package schema

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

const (
	maxDepth    = 64 // of schemas within schemas, $ref included
	maxProblems = 50 // of one value
	maxSteps    = 100_000
)

// Schema is a JSON Schema that can be asked. It is immutable and safe for concurrent use.
type Schema struct {
	root     any
	patterns map[string]*regexp.Regexp
}

// Problem is one way in which a value does not fit.
type Problem struct {
	Pointer string // JSON pointer of the value
	Key     bool   // the problem is its key
	Rule    string // the keyword of the schema
	Message string
	Fix     string // or empty
}

// Compile prepares a schema: true, false or an object, as encoding/json decodes it. The error is
// fault.Invalid for what is no schema or a pattern that is no regular expression.
func Compile(doc any) (*Schema, error) {
	s := &Schema{root: doc, patterns: map[string]*regexp.Regexp{}}
	return s, s.prepare(doc, 0)
}

func (s *Schema) prepare(v any, depth int) error {
	if depth > maxDepth {
		return fault.Newf(fault.Invalid, "schema", "nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if p, ok := v[key].(string); ok && key == "pattern" {
				if err := s.pattern(p); err != nil {
					return err
				}
			}
			if key == "patternProperties" {
				m, _ := v[key].(map[string]any)
				for p := range m {
					if err := s.pattern(p); err != nil {
						return err
					}
				}
			}
			if key == "enum" || key == "const" || key == "default" || key == "examples" {
				continue
			}
			if err := s.prepare(v[key], depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := s.prepare(item, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Schema) pattern(p string) error {
	re, err := regexp.Compile(p)
	if err != nil {
		return fault.Newf(fault.Invalid, "schema", "the pattern %q is no regular expression", p)
	}
	s.patterns[p] = re
	return nil
}

// Unknown stands for a value nobody knows yet; it fits every schema.
type Unknown struct{}

// Check lists the ways in which v does not fit, at most 50, in the order of the value. Of a v that
// holds [Unknown] only what is known is judged.
func (s *Schema) Check(v any) []Problem {
	c := &checker{schema: s}
	c.check(s.root, v, "", 0)
	return c.found
}

type checker struct {
	schema *Schema
	found  []Problem
	steps  int
}

func (c *checker) report(at, rule, fix, message string) {
	c.add(Problem{Pointer: at, Rule: rule, Message: message, Fix: fix})
}

func (c *checker) add(p Problem) {
	if len(c.found) < maxProblems {
		c.found = append(c.found, p)
	}
}

// fits says whether v fits a schema, without a report.
func (c *checker) fits(schema, v any, depth int) bool {
	inner := &checker{schema: c.schema, steps: c.steps}
	inner.check(schema, v, "", depth)
	c.steps = inner.steps
	return len(inner.found) == 0
}

func (c *checker) check(schema, v any, at string, depth int) {
	if _, unknown := v.(Unknown); unknown {
		return
	}
	if c.steps++; depth > maxDepth || c.steps > maxSteps {
		return
	}
	if schema == false {
		c.report(at, "false", "remove it", "nothing is allowed here")
	}
	m, ok := schema.(map[string]any)
	if !ok {
		return
	}
	if ref, ok := m["$ref"].(string); ok {
		if target, ok := c.resolve(ref); ok {
			c.check(target, v, at, depth+1)
		}
	}
	if !c.sort(m, v, at) {
		return
	}
	c.values(m, v, at)
	switch v := v.(type) {
	case map[string]any:
		c.object(m, v, at, depth)
	case []any:
		c.list(m, v, at, depth)
	case string:
		c.text(m, v, at)
	}
	if n, ok := Number(v); ok {
		c.number(m, n, at)
	}
	c.combined(m, v, at, depth)
}

// resolve follows a $ref inside the document.
func (c *checker) resolve(ref string) (any, bool) {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, false
	}
	v := c.schema.root
	for _, name := range strings.Split(pointer, "/")[1:] {
		m, _ := v.(map[string]any)
		if v, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]; !ok {
			return nil, false
		}
	}
	return v, true
}

// sort checks type; what is of another sort is not looked at further.
func (c *checker) sort(m map[string]any, v any, at string) bool {
	var want []string
	switch t := m["type"].(type) {
	case string:
		want = []string{t}
	case []any:
		for _, item := range t {
			if s, ok := item.(string); ok {
				want = append(want, s)
			}
		}
	}
	have := sortOf(v)
	if len(want) == 0 || slices.Contains(want, have) || have == "integer" && slices.Contains(want, "number") {
		return true
	}
	fix := ""
	if s, ok := v.(string); ok && (slices.Contains(want, "number") || slices.Contains(want, "integer")) {
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			fix = "remove the quotes"
		}
	} else if slices.Contains(want, "string") && (have == "number" || have == "integer" || have == "boolean") {
		fix = "put it in quotes"
	}
	for i, w := range want {
		want[i] = word(w)
	}
	c.report(at, "type", fix, "it must be "+strings.Join(want, " or ")+", not "+word(have))
	return false
}

func word(sort string) string {
	switch sort {
	case "object":
		return "a map"
	case "array":
		return "a list"
	case "string":
		return "a text"
	case "integer":
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	}
	return sort
}

func sortOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	if n, ok := Number(v); ok && n == math.Trunc(n) {
		return "integer"
	}
	return "number"
}

// Number is the value of a number as JSON, YAML or Go code holds it; false for anything else.
func Number(v any) (float64, bool) {
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		return f, err == nil
	}
	r := reflect.ValueOf(v)
	switch {
	case v == nil:
		return 0, false
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		return r.Float(), true
	}
	return 0, false
}

// values checks enum and const.
func (c *checker) values(m map[string]any, v any, at string) {
	if want, ok := m["const"]; ok && !same(want, v) {
		c.report(at, "const", "write "+show(want), "it must be "+show(want))
	}
	list, ok := m["enum"].([]any)
	if !ok || slices.ContainsFunc(list, func(one any) bool { return same(one, v) }) {
		return
	}
	var known, shown []string
	for _, one := range list {
		shown = append(shown, show(one))
		if s, ok := one.(string); ok {
			known = append(known, s)
		}
	}
	fix := "use " + strings.Join(shown, ", ")
	if s, ok := v.(string); ok {
		if near := nearest.Word(s, known); near != "" {
			fix = "did you mean " + near + "?"
		}
	}
	c.report(at, "enum", fix, show(v)+" is none of "+strings.Join(shown, ", "))
}

func show(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(raw)
}

// same says whether two values are equal; one that holds an unknown is equal to anything.
func same(a, b any) bool {
	if _, ok := b.(Unknown); ok {
		return true
	}
	if n, ok := Number(a); ok {
		m, ok := Number(b)
		return ok && n == m
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, v := range a {
			if other, ok := b[key]; !ok || !same(v, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	}
	return a == b
}
