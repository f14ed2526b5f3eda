package flow

import (
	"maps"
	"strings"
)

// run executes the node at c, formats digest 6.3.
func (f *Flow) run(c Cursor, why string) Step {
	n := f.byID[c.Node]
	limit := c.Limit
	if limit <= 0 {
		limit = MaxSteps
	}
	if c.Steps >= limit {
		return failure(c, n, StepLimit, "more than %d nodes in one turn", limit)
	}
	c.Steps++
	if n.templateErr != nil {
		return failed(c, n, "template", n.templateErr)
	}
	input, err := n.input.Render(f.scope(c), true)
	if err != nil {
		return failed(c, n, "input_mapping", err)
	}
	step := f.step(c, n, input)
	if step.Why == "" {
		step.Why = why
	}
	return step
}

func (f *Flow) step(c Cursor, n *Node, input any) Step {
	fields, _ := input.(map[string]any)
	switch name := n.builtin(); {
	case name == "":
		return f.invoke(c, n, input)
	case name == "session.wait":
		return f.wait(c, n, input)
	case name == "emit.log":
		return Step{Do: DoLog, Cursor: c, Node: n.ID, Payload: content(input)}
	case strings.HasPrefix(name, "emit."):
		return Step{Do: DoEmit, Cursor: c, Node: n.ID, Payload: content(input)}
	case name == "state.get", name == "state.set":
		key, _ := fields["key"].(string)
		if key == "" {
			return failure(c, n, "state_key", "%s needs key, a text", name)
		}
		if name == "state.get" {
			return Step{Do: DoStateGet, Cursor: c, Node: n.ID, Key: key}
		}
		return Step{Do: DoStateSet, Cursor: c, Node: n.ID, Key: key, Payload: fields["value"]}
	default:
		return failure(c, n, "unsupported_builtin", "this version does not run %s", name)
	}
}

// content is what an emit node emits: mapping.input, mapping.payload, or the mapping.
func content(input any) any {
	if m, ok := input.(map[string]any); ok {
		for _, key := range []string{"input", "payload"} {
			if v, ok := m[key]; ok {
				return v
			}
		}
	}
	return input
}

// wait parks the run at the successor; with conditions it parks at n and routes on the next input.
func (f *Flow) wait(c Cursor, n *Node, input any) Step {
	reason, _ := input.(string)
	if m, ok := input.(map[string]any); ok {
		reason, _ = m["reason"].(string)
	}
	c = c.with(n, Output{OK: true, Payload: c.Prev})
	c.Parked = true
	step := Step{Do: DoWait, Node: n.ID, Reason: reason}
	to := n.Routing.To
	switch n.Routing.Form {
	case RouteNext:
	case RouteBranch:
		to, c.Reroute = n.Routing.Default, len(n.Routing.Status) > 0
	case RouteCustom:
		if len(n.Routing.Routes) == 1 && n.Routing.Routes[0].Condition == "" && n.Routing.Routes[0].Status == "" {
			to = n.Routing.Routes[0].To
		} else {
			c.Reroute = true
		}
	}
	if c.Reroute {
		step.Cursor, step.Why = c, n.where()+" waits and routes on the next input"
		return step
	}
	if f.byID[to] == nil {
		return failure(c, n, "wait_without_next", "session.wait needs a route to a node")
	}
	c.Node = to
	step.Cursor, step.Why = c, n.where()+" waits; the next input goes to "+to
	return step
}

// invoke calls the component of n; node.component wins over mapping.component (decision 25).
func (f *Flow) invoke(c Cursor, n *Node, input any) Step {
	step := Step{Do: DoInvoke, Cursor: c, Node: n.ID, Component: n.Component, Operation: n.Operation, Input: input}
	fields, _ := input.(map[string]any)
	if step.Component == "component.exec" {
		step.Component = firstText(fields, "component", "component_ref")
	}
	if step.Component == "" {
		return failure(c, n, "component_missing", "the node does not name its component")
	}
	if step.Operation == "" {
		step.Operation = firstText(fields, "operation", "op")
	}
	if inner, ok := fields["input"]; ok && (n.Component == "component.exec" || envelope(fields)) {
		step.Input, step.Config = inner, fields["config"]
	}
	return step
}

func firstText(m map[string]any, keys ...string) string {
	for _, key := range keys {
		if s, ok := m[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// envelope says whether a mapping is input beside nothing but the words of a call.
func envelope(m map[string]any) bool {
	for key := range maps.Keys(m) {
		switch key {
		case "input", "config", "operation", "op", "component", "component_ref":
		default:
			return false
		}
	}
	return true
}
