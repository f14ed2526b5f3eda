package value

import (
	"encoding/base64"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ToJSON is v as compact JSON with sorted keys; byte strings are base64.
func ToJSON(v any) ([]byte, error) { return appendJSON(nil, v, 0) }

func appendJSON(b []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, errDeep
	}
	var err error
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case float64:
		if v != v || v-v != 0 {
			return nil, errType // NaN or infinite
		}
		return strconv.AppendFloat(b, v, 'g', -1, 64), nil
	case string:
		return appendQuoted(b, v), nil
	case []byte:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v)
		return append(b, '"'), nil
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, item, depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		keys := canonicalKeys(v)
		slices.Sort(keys)
		b = append(b, '{')
		for i, k := range keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendQuoted(b, k), ':')
			if b, err = appendJSON(b, v[k], depth+1); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	return nil, errType
}

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < 0x20:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// FromJSON reads one document. Whole numbers that fit are int64, others float64.
func FromJSON(b []byte) (any, error) {
	p := parser{b: b}
	v, err := p.value(0)
	if err == nil && p.peek() != 0 {
		err = errTrail
	}
	return v, err
}

type parser struct{ b []byte }

// peek skips white space and gives the next byte, 0 at the end.
func (p *parser) peek() byte {
	for len(p.b) > 0 {
		switch c := p.b[0]; c {
		case ' ', '\t', '\n', '\r':
			p.b = p.b[1:]
		default:
			return c
		}
	}
	return 0
}

func (p *parser) eat(c byte) bool {
	if p.peek() == c && c != 0 {
		p.b = p.b[1:]
		return true
	}
	return false
}

func (p *parser) word(w string, v any) (any, error) {
	if len(p.b) < len(w) || string(p.b[:len(w)]) != w {
		return nil, errForm
	}
	p.b = p.b[len(w):]
	return v, nil
}

func (p *parser) value(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, errDeep
	}
	switch p.peek() {
	case 0:
		return nil, errShort
	case 'n':
		return p.word("null", nil)
	case 't':
		return p.word("true", true)
	case 'f':
		return p.word("false", false)
	case '"':
		return p.text()
	case '[':
		return p.list(depth)
	case '{':
		return p.object(depth)
	}
	return p.number()
}

func (p *parser) number() (any, error) {
	n := 0
	for n < len(p.b) {
		c := p.b[n]
		if c != '-' && c != '+' && c != '.' && c|0x20 != 'e' && (c < '0' || c > '9') {
			break
		}
		n++
	}
	s := string(p.b[:n])
	p.b = p.b[n:]
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, errForm
	}
	return f, nil
}

func (p *parser) list(depth int) (any, error) {
	p.eat('[')
	all := []any{}
	if p.eat(']') {
		return all, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
		if p.eat(']') {
			return all, nil
		}
		if !p.eat(',') {
			return nil, errForm
		}
	}
}

func (p *parser) object(depth int) (any, error) {
	p.eat('{')
	all := map[string]any{}
	if p.eat('}') {
		return all, nil
	}
	for {
		if p.peek() != '"' {
			return nil, errKey
		}
		k, err := p.text()
		if err != nil {
			return nil, err
		}
		if !p.eat(':') {
			return nil, errForm
		}
		if all[k], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if p.eat('}') {
			return all, nil
		}
		if !p.eat(',') {
			return nil, errForm
		}
	}
}

// text reads a string that begins at its quote.
func (p *parser) text() (string, error) {
	p.b = p.b[1:]
	var out []byte
	for len(p.b) > 0 {
		c := p.b[0]
		p.b = p.b[1:]
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", errNotUTF8
			}
			return string(out), nil
		case c < 0x20:
			return "", errForm
		case c != '\\':
			out = append(out, c)
		default:
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return "", errShort
}

// escape reads what follows a backslash.
func (p *parser) escape() (rune, error) {
	if len(p.b) == 0 {
		return 0, errShort
	}
	c := p.b[0]
	p.b = p.b[1:]
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, err := p.unit()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if len(p.b) < 2 || p.b[0] != '\\' || p.b[1] != 'u' {
			return utf8.RuneError, nil
		}
		p.b = p.b[2:]
		low, err := p.unit()
		return utf16.DecodeRune(r, low), err
	}
	return 0, errForm
}

func (p *parser) unit() (rune, error) {
	if len(p.b) < 4 {
		return 0, errShort
	}
	n, err := strconv.ParseUint(string(p.b[:4]), 16, 16)
	p.b = p.b[4:]
	if err != nil {
		return 0, errForm
	}
	return rune(n), nil
}
