package form

import "maps"

// Response is what the user did last: the metadata of the newest input and its text.
func Response(input any) map[string]any {
	outer, _ := input.(map[string]any)
	inner, _ := outer["input"].(map[string]any)
	out := map[string]any{}
	for _, m := range []map[string]any{inner, outer} {
		if meta, ok := m["metadata"].(map[string]any); ok {
			maps.Copy(out, meta)
			break
		}
	}
	for _, m := range []map[string]any{inner, outer} {
		if text, ok := m["text"].(string); ok {
			out["text"] = text
			break
		}
	}
	return out
}

// Action is the action in Response.
func Action(input any) (string, bool) {
	outer, _ := input.(map[string]any)
	inner, _ := outer["input"].(map[string]any)
	for _, m := range []map[string]any{inner, outer} {
		if meta, ok := m["metadata"].(map[string]any); ok {
			s, ok := meta["action"].(string)
			return s, ok
		}
	}
	return "", false
}
