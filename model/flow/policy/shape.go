package policy

import (
	"maps"
	"slices"
)

// Tool checks the payload of an mcp node: {server, tool, arguments, output}.
func Tool(payload any, report Wrong) {
	m, _ := payload.(map[string]any)
	server, _ := m["server"].(string)
	tool, _ := m["tool"].(string)
	_, isMap := m["arguments"].(map[string]any)
	output, isText := m["output"].(string)
	if server == "" || tool == "" || m["arguments"] != nil && !isMap || m["output"] != nil && (!isText || output == "") {
		report(nil, "write mcp: { server: NAME, tool: NAME, arguments: {} }", "mcp needs server and tool, a map of arguments and a text output")
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains([]string{"server", "tool", "arguments", "output"}, key) {
			report([]string{key}, "remove it", "mcp does not know %s", key)
		}
	}
}

// Telemetry checks the telemetry of a node: {span_name, attributes, sampling}.
func Telemetry(v any, report Wrong) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		report(nil, "", "telemetry must be a map")
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		_, isText := m[key].(string)
		attributes, isMap := m[key].(map[string]any)
		switch {
		case (key == "span_name" || key == "sampling") && isText:
		case key == "attributes" && isMap:
			for _, name := range slices.Sorted(maps.Keys(attributes)) {
				if _, isText := attributes[name].(string); !isText {
					report([]string{key, name}, "put it in quotes", "attribute %s must be a text", name)
				}
			}
		default:
			report([]string{key}, "use span_name, attributes and sampling", "telemetry: %s is unknown or of the wrong sort", key)
		}
	}
	return m
}

// Own checks what is ours in meta.greentic of a flow: {partials: {name: text}}. The ecosystem keeps
// other things there, which are left alone.
func Own(v any, report Wrong) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		report(nil, "write greentic: { partials: { NAME: TEXT } }", "meta.greentic must be a map")
		return map[string]any{}
	}
	texts, ok := m["partials"].(map[string]any)
	if !ok && m["partials"] != nil {
		report([]string{"partials"}, "write partials: { NAME: TEXT }", "partials must be a map")
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if _, ok := texts[name].(string); !ok {
			report([]string{"partials", name}, "put it in quotes", "partial %s must be a text", name)
		}
	}
	return map[string]any{"partials": texts}
}

// Partials are what {{> name}} includes, from what Own gave, also after it was in a pack.
func Partials(own any) map[string]string {
	m, _ := own.(map[string]any)
	all, _ := m["partials"].(map[string]any)
	out := make(map[string]string, len(all))
	for name, v := range all {
		if s, ok := v.(string); ok {
			out[name] = s
		}
	}
	return out
}
