package value

import "strconv"

// At walks maps by name; it gives nil when something on the way is missing.
func At(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// Text is the scalar at a path as text; "" when it is missing or no scalar.
func Text(v any, path ...string) string {
	switch v := At(v, path...).(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// List is the list at a path; nil when it is missing or no list.
func List(v any, path ...string) []any {
	l, _ := At(v, path...).([]any)
	return l
}

// Int is the whole number at a path; 0 when it is missing or no whole number.
func Int(v any, path ...string) int64 {
	switch v := At(v, path...).(type) {
	case int:
		return int64(v)
	case int64:
		return v
	}
	return 0
}
