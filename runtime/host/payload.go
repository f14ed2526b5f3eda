package host

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"greentic.dev/greentic/fault"
)

// withConfig puts config beside the fields of input (formats digest 6.3); an input that is no
// object becomes the field "input". It never changes its arguments.
func withConfig(input, config any) any {
	if config == nil {
		return input
	}
	fields, ok := input.(map[string]any)
	if !ok {
		return map[string]any{"input": input, "config": config}
	}
	if _, has := fields["config"]; has {
		return input
	}
	merged := maps.Clone(fields)
	if merged == nil {
		merged = map[string]any{}
	}
	merged["config"] = config
	return merged
}

// integers writes whole floats as integers: JSON knows one sort of number, and guests that
// expect an integer refuse a float. It copies only the containers it changes and says whether
// there were any.
func integers(v any) (any, bool) {
	switch v := v.(type) {
	case float64:
		if i := int64(v); v > -1<<53 && v < 1<<53 && float64(i) == v {
			return i, true
		}
	case map[string]any:
		changed := false
		for k, old := range v {
			item, differs := integers(old)
			if !differs {
				continue
			}
			if !changed {
				v, changed = maps.Clone(v), true
			}
			v[k] = item
		}
		return v, changed
	case []any:
		changed := false
		for i, old := range v {
			item, differs := integers(old)
			if !differs {
				continue
			}
			if !changed {
				v, changed = slices.Clone(v), true
			}
			v[i] = item
		}
		return v, changed
	}
	return v, false
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fault.As(fault.Invalid, "input", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
