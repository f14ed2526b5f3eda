package flow

import (
	"maps"

	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/form"
)

// fixed are the roots that are always there, over node ids of the same name.
var fixed = []string{"entry", "in", "input", "prev", "node", "state", "parameters", "response", "slots", "item", "index"}

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
		for id, o := range c.outputs() {
			s[id] = o.Payload
		}
		maps.Copy(s, fields)
	}
	for _, name := range names {
		if v, ok := f.root(c, name); ok {
			s[name] = v
		} else if v, ok := fields[name]; ok {
			s[name] = v
		} else if o, ok := c.output(name); ok {
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
		all := c.outputs()
		nodes := make(map[string]any, len(all))
		for id, o := range all {
			nodes[id] = o.Payload
		}
		return nodes, true
	case "state":
		all := c.outputs()
		nodes := make(map[string]any, len(all))
		for id, o := range all {
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
		return form.Response(c.Input), true
	case "slots":
		return f.slots.Filled(c.Slots), len(f.slots) > 0
	case "item", "index":
		return c.element(name)
	}
	return nil, false
}
