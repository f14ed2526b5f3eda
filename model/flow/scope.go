package flow

import (
	"maps"

	"greentic.dev/model/flow/expr"
)

// scope is what paths of the node at c may name: every node id, then the fixed roots over them.
func (f *Flow) scope(c Cursor) expr.Scope {
	s, nodes, states := expr.Scope{}, map[string]any{}, map[string]any{}
	for id, o := range c.Nodes {
		s[id], nodes[id] = o.Payload, o.Payload
		states[id] = map[string]any{"ok": o.OK, "payload": o.Payload, "meta": o.Meta}
	}
	prev := c.Prev
	if prev == nil {
		prev = map[string]any{}
	}
	s["entry"], s["in"], s["input"], s["prev"], s["node"] = c.Entry, c.Entry, c.Input, prev, nodes
	s["state"] = map[string]any{"entry": c.Entry, "input": c.Input, "nodes": states}
	s["parameters"], s["response"] = f.parameters(), response(c.Input)
	return s
}

func (f *Flow) parameters() map[string]any {
	if f.Parameters == nil {
		return map[string]any{}
	}
	return f.Parameters
}

// evaluation is the object conditions see: the output's fields at top level, under the fixed roots.
func (f *Flow) evaluation(c Cursor, output any) expr.Scope {
	s := f.scope(c)
	fields, _ := output.(map[string]any)
	for key, v := range fields {
		switch key {
		case "entry", "in", "input", "prev", "node", "state", "parameters", "response":
		default:
			s[key] = v
		}
	}
	return s
}

// response is what the user did last: the metadata of the newest input and its text.
func response(input any) map[string]any {
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
