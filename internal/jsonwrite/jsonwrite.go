package jsonwrite

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Key begins a field of the object that b ends in; its value is what is appended next. name
// needs no escapes.
func Key(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

// Text is a field with a string; an empty one is left out.
func Text[S ~string](b []byte, name string, s S) []byte {
	if s == "" {
		return b
	}
	return String(Key(b, name), string(s))
}

// Int is a field with a number; zero is left out.
func Int[N ~int | ~int64 | ~uint32 | ~uint64](b []byte, name string, n N) []byte {
	switch {
	case n == 0:
		return b
	case n < 0:
		return strconv.AppendInt(Key(b, name), int64(n), 10)
	}
	return strconv.AppendUint(Key(b, name), uint64(n), 10)
}

// True is a field that is true; false is left out.
func True(b []byte, name string, is bool) []byte {
	if !is {
		return b
	}
	return append(Key(b, name), "true"...)
}

// Time is a field with a time as encoding/json writes it; the zero time is left out.
func Time(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	b = append(Key(b, name), '"')
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// Raw is a field with JSON that is already encoded; an empty one is left out.
func Raw(b []byte, name string, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return b
	}
	return append(Key(b, name), raw...)
}

// Bytes is a field with bytes as encoding/json writes them, in base64; null for nil.
func Bytes(b []byte, name string, v []byte) []byte {
	b = Key(b, name)
	if v == nil {
		return append(b, "null"...)
	}
	b = base64.StdEncoding.AppendEncode(append(b, '"'), v)
	return append(b, '"')
}

// Texts is a field with a map of strings; an empty one is left out.
func Texts(b []byte, name string, m map[string]string) []byte {
	if len(m) == 0 {
		return b
	}
	b = append(Key(b, name), '{')
	var room [16]string
	for i, key := range sorted(room[:0], m) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(String(b, key), ':')
		b = String(b, m[key])
	}
	return append(b, '}')
}

func sorted[V any](room []string, m map[string]V) []string {
	for key := range m {
		room = append(room, key)
	}
	slices.Sort(room)
	return room
}

// Value appends a JSON-like value; what is none of those is left to encoding/json. Errors are
// its errors, and those for numbers JSON does not have.
func Value(b []byte, v any) (_ []byte, err error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return String(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 && (v != 0 || !math.Signbit(v)) {
			return strconv.AppendInt(b, int64(v), 10), nil
		}
	case []any:
		if v == nil {
			return append(b, "null"...), nil
		}
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = Value(b, item); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		return object(b, v)
	}
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}

func object(b []byte, m map[string]any) (_ []byte, err error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	b = append(b, '{')
	var room [16]string
	for i, key := range sorted(room[:0], m) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(String(b, key), ':')
		if b, err = Value(b, m[key]); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// String appends s as a JSON string. What is no UTF-8 becomes U+FFFD, as in encoding/json.
func String(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[from:i]...), "\ufffd"...)
				from = i + size
			}
			i += size
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
