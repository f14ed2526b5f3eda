package chat

import (
	"errors"
	"strconv"
	"strings"

	"greentic.dev/sdk/go/greentic"
)

func itoa(n int) string { return strconv.Itoa(n) }

// part is a piece of a message: a text or an image.
type part struct{ text, image string }

// parts reads the content of a message.
func parts(content any) ([]part, error) {
	switch content := content.(type) {
	case nil:
		return nil, nil
	case string:
		return []part{{text: content}}, nil
	case []any:
		var list []part
		for i, item := range content {
			switch kind := text(item, "type"); {
			case kind == "text" && text(item, "text") != "":
				list = append(list, part{text: text(item, "text")})
			case kind == "image" && text(item, "url") != "":
				list = append(list, part{image: text(item, "url")})
			default:
				return nil, errors.New("[" + itoa(i) + "] is neither {type: text, text} nor {type: image, url}")
			}
		}
		return list, nil
	}
	return nil, errors.New("want a text or a list of parts")
}

// plain is the text of a message, without its images.
func plain(content any) string {
	list, _ := parts(content)
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.text)
	}
	return b.String()
}

// The servers' documents are walked, not decoded into types: what is missing or has another type is the
// zero value, and what is new does no harm.

func at(v any, way ...any) any {
	for _, key := range way {
		switch key := key.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

func text(v any, way ...any) string {
	s, _ := at(v, way...).(string)
	return s
}

func list(v any, way ...any) []any {
	l, _ := at(v, way...).([]any)
	return l
}

func count(v any, way ...any) int {
	switch n := at(v, way...).(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}

// call is a tool call whose arguments came as text.
func call(id, name, arguments string) ToolCall {
	var v any
	if strings.TrimSpace(arguments) == "" {
		return ToolCall{ID: id, Name: name, Arguments: map[string]any{}}
	}
	if err := greentic.DecodeJSON([]byte(arguments), &v); err == nil {
		if m, ok := v.(map[string]any); ok {
			return ToolCall{ID: id, Name: name, Arguments: m}
		}
	}
	return ToolCall{ID: id, Name: name, Raw: arguments}
}

// argumentsText is the way back.
func argumentsText(c ToolCall) string {
	if c.Arguments == nil && c.Raw != "" {
		return c.Raw
	}
	m := c.Arguments
	if m == nil {
		m = map[string]any{}
	}
	b, err := greentic.EncodeJSON(m)
	if err != nil {
		return "{}"
	}
	return string(b)
}
