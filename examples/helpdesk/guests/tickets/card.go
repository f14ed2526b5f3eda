package main

import (
	"maps"
	"strconv"
	"strings"
)

// fill makes a card out of a template, with a part of the Adaptive Cards template language:
// "${name}" in a text is the value of that name, an object with "$data": "${name}" is repeated
// for every item of that list, with the item's values over the outer ones, and an object with
// "$when": "${name}" stays only when that value is true.
func fill(template any, values map[string]any) any {
	switch t := template.(type) {
	case string:
		return fillText(t, values)
	case []any:
		all := []any{}
		for _, item := range t {
			all = append(all, fillItem(item, values)...)
		}
		return all
	case map[string]any:
		card := map[string]any{}
		for k, v := range t {
			if k != "$data" && k != "$when" {
				card[k] = fill(v, values)
			}
		}
		return card
	}
	return template
}

// fillItem is one item of a list: none, one or many.
func fillItem(item any, values map[string]any) []any {
	object, _ := item.(map[string]any)
	source, repeated := object["$data"].(string)
	if !repeated {
		return when(object, item, values)
	}
	all := []any{}
	list, _ := values[name(source)].([]any)
	for _, data := range list {
		inner := maps.Clone(values)
		if m, ok := data.(map[string]any); ok {
			maps.Copy(inner, m)
		}
		all = append(all, when(object, item, inner)...)
	}
	return all
}

func when(object map[string]any, item any, values map[string]any) []any {
	if cond, ok := object["$when"].(string); ok && values[name(cond)] != true {
		return nil
	}
	return []any{fill(item, values)}
}

// name is the name in "${name}".
func name(s string) string { return strings.TrimSuffix(strings.TrimPrefix(s, "${"), "}") }

func fillText(s string, values map[string]any) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		key, after, closed := strings.Cut(rest, "}")
		if !closed {
			out.WriteString("${" + rest)
			return out.String()
		}
		out.WriteString(text(values[key]))
		s = after
	}
}

// text is a value as it stands in a card; what is no scalar is empty.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}
