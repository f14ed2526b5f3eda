package flow

import (
	"maps"

	"greentic.dev/model/flow/expr"
)

// fixed are the roots that are always there, over node ids of the same name.
var fixed = []string{"entry", "in", "input", "prev", "node", "state", "parameters", "response"}

// scope is what the named roots mean at c; all of them when the list is expr.AllRoots. The
// fields of output, an object or nil, come after the fixed roots and before the nodes.
func (f *Flow) scope(c Cursor, roots expr.Roots, output any) expr.Scope {
	fields, _ := output.(map[string]any)
	names := roots.Names
	if roots.All {
		names = fixed
	}
	s := make(expr.Scope, len(names)+3) // result, error and input of mappings after a call
	if roots.All {
		for id, o := range c.Nodes {
			s[id] = o.Payload
		}
		maps.Copy(s, fields)
	}
	for _, name := range names {
		if v, ok := f.root(c, name); ok {
			s[name] = v
		} else if v, ok := fields[name]; ok {
			s[name] = v
		} else if o, ok := c.Nodes[name]; ok {
			s[name] = o.Payload
		}
	}
	return s
}

// root is a fixed root.
func (f *Flow) root(c Cursor, name string) (any, bool) {
	switch name {
	case "entry", "in":
		return c.Entry, true
	case "input":
		return c.Input, true
	case "prev":
		if c.Prev == nil {
			return map[string]any{}, true
		}
		return c.Prev, true
	case "node":
		nodes := make(map[string]any, len(c.Nodes))
		for id, o := range c.Nodes {
			nodes[id] = o.Payload
		}
		return nodes, true
	case "state":
		nodes := make(map[string]any, len(c.Nodes))
		for id, o := range c.Nodes {
			nodes[id] = map[string]any{"ok": o.OK, "payload": o.Payload, "meta": o.Meta}
		}
		state := map[string]any{}
		maps.Copy(state, c.Answers)
		state["entry"], state["input"], state["nodes"] = c.Entry, c.Input, nodes
		return state, true
	case "parameters":
		if f.Parameters == nil {
			return map[string]any{}, true
		}
		return f.Parameters, true
	case "response":
		return response(c.Input), true
	}
	return nil, false
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

// action is response.action.
func action(input any) (string, bool) {
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
