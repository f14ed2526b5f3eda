package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/model/flow"
	"greentic.dev/model/flow/expr"
)

// comparisons holds what a condition compares against what components say they answer. own is the
// node whose output stands beside the roots: the one that routes; nil for a guard.
func (c *checker) comparisons(n, own *flow.Node, condition *expr.Condition, where at) {
	if c.Pack == nil {
		return
	}
	for _, one := range condition.Comparisons() {
		schema := c.answered(own, one.Path)
		if schema == nil {
			continue
		}
		where.offset = one.At
		path := strings.Join(one.Path, ".")
		sort, never := unfit(schema, one)
		if sort == "" {
			continue
		}
		fix := "compare it with a value that it can have"
		if words := choices(schema); len(words) > 0 {
			fix = hint(fmt.Sprint(one.Literal), words, "use one of "+strings.Join(words, ", "))
		}
		c.add(Comparison, where, fix, "node %s: %s is %s, %s", n.ID, path, sort, never)
	}
}

// answered is the schema of the value at a path of a condition; nil where it is not known.
func (c *checker) answered(own *flow.Node, path []string) map[string]any {
	other, rest := own, path
	switch {
	case path[0] == "node" && len(path) > 1:
		other, rest = c.Flow.Node(path[1]), path[2:]
	case slices.Contains(flow.Roots(), path[0]):
		return nil
	case c.Flow.Node(path[0]) != nil:
		other, rest = c.Flow.Node(path[0]), path[1:]
	}
	if other == nil {
		return nil
	}
	schema, _ := c.answer(other).(map[string]any)
	for _, name := range rest {
		fields, _ := schema["properties"].(map[string]any)
		schema, _ = fields[name].(map[string]any)
	}
	return schema
}

// unfit is of what sort values of a schema are and what becomes of the comparison, when none of them
// answers to it.
func unfit(schema map[string]any, one expr.Comparison) (sort, never string) {
	kind, _ := schema["type"].(string)
	sort = map[string]string{"object": "a map", "array": "a list", "boolean": "true or false", "number": "a number", "integer": "a whole number", "string": "a text"}[kind]
	text, isText := one.Literal.(string)
	switch one.Op {
	case "==", "!=":
		never = fmt.Sprintf("which never is %q", text)
		switch words := choices(schema); {
		case kind == "object", kind == "array":
			return sort, never
		case kind == "boolean" && !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false"):
			return sort, never
		case kind == "number", kind == "integer":
			if _, err := strconv.ParseFloat(text, 64); err != nil {
				return sort, never
			}
		case len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, text) }):
			return "one of " + strings.Join(words, ", "), never
		}
	case "<", "<=", ">", ">=":
		number := kind == "number" || kind == "integer"
		switch {
		case sort == "", number && !isText, kind == "string" && isText:
		case isText:
			return sort, "which has no order with a text"
		default:
			return sort, "which has no order with a number"
		}
	default:
		if sort != "" && kind != "string" {
			return sort, one.Op + " asks texts"
		}
	}
	return "", ""
}

// choices are the texts that an enum allows; none when it allows other values too.
func choices(schema map[string]any) (words []string) {
	list, _ := schema["enum"].([]any)
	for _, v := range list {
		word, ok := v.(string)
		if !ok {
			return nil
		}
		words = append(words, word)
	}
	return words
}
