package expr

import (
	"encoding/json"
	"strconv"
	"strings"

	"greentic.dev/greentic/fault"
)

const maxPath = 64 // segments

// path is a way into a JSON-like value; a segment that is a number also indexes lists.
type path []string

// parsePath reads a.b[0]["k"]; a leading "this" is dropped.
func parsePath(src string) (path, error) {
	bad := func(at int, msg string) (path, error) {
		return nil, fault.Newf(fault.Invalid, "path "+src, "%s", msg).At(fault.Position{Line: 1, Col: at + 1})
	}
	var p path
	i, dot := 0, false
	for i < len(src) {
		switch {
		case src[i] == '[':
			end, key := bracket(src[i:])
			if end == 0 || dot {
				return bad(i, `brackets hold a number or a quoted key`)
			}
			p, i = append(p, key), i+end
		case src[i] == '.':
			if len(p) == 0 || dot {
				return bad(i, "a name is missing before the dot")
			}
			dot = true
			i++
			continue
		default:
			n := nameLength(src[i:])
			if n == 0 || len(p) > 0 && !dot {
				return bad(i, "a name holds letters, digits, _ and -, and dots part names")
			}
			p, i = append(p, src[i:i+n]), i+n
		}
		dot = false
	}
	if len(p) == 0 || dot {
		return bad(len(src), "a name is missing")
	}
	if len(p) > maxPath {
		return bad(0, "the path is too long")
	}
	if p[0] == "this" {
		p = p[1:]
	}
	return p, nil
}

// nameLength is how many bytes at the start of s belong to a name.
func nameLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool {
		return r < 128 && r != '_' && r != '-' && r != '@' && r != '$' && (r < '0' || r > '9') && (r|32 < 'a' || r|32 > 'z')
	})
	if n < 0 {
		return len(s)
	}
	return n
}

// bracket reads [0] or ["key"] and returns its length, 0 when it is neither.
func bracket(s string) (int, string) {
	if len(s) > 1 && (s[1] == '"' || s[1] == '\'') {
		end := strings.IndexByte(s[2:], s[1])
		if end < 0 || !strings.HasPrefix(s[2+end+1:], "]") {
			return 0, ""
		}
		return end + 4, s[2 : 2+end]
	}
	end := strings.IndexByte(s, ']')
	if end < 2 {
		return 0, ""
	}
	if _, err := strconv.ParseUint(s[1:end], 10, 31); err != nil {
		return 0, ""
	}
	return end + 1, s[1:end]
}

// lookup follows p; found is false as soon as a segment is missing.
func (p path) lookup(v any) (any, bool) {
	for _, key := range p {
		var ok bool
		if v, ok = member(v, key); !ok {
			return nil, false
		}
	}
	return v, true
}

func member(v any, key string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		got, ok := v[key]
		return got, ok
	case Scope:
		got, ok := v[key]
		return got, ok
	case []any:
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		return v[i], true
	}
	return nil, false
}

// text is how a value reads in a text: nothing for null, JSON for lists and maps.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	if n, ok := number(v); ok {
		return n.String()
	}
	s, _ := asJSON(v) // what has no JSON form reads as nothing
	return s
}

// asJSON is v as JSON, with the characters of HTML as they are.
func asJSON(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}
