package flow

import (
	"slices"
	"strings"

	"greentic.dev/model/flow/policy"
	"greentic.dev/model/flow/source"
)

// reserved are the keys of a node that are not its operation.
var reserved = []string{"routing", "telemetry", "output", "in_map", "out_map", "err_map", "error_output", "retry", "timeout", "when", "annotations", "meta", "operation"}

func (c *compiler) nodes() {
	v := c.doc.Field("nodes")
	if v == nil || !v.IsMap() {
		c.report(c.doc.Pos, "/nodes", "Schema", "add nodes:", "the flow needs nodes, a map")
		return
	}
	for _, f := range v.Fields { // ids first: routes point forward
		c.flow.byID[f.Key] = &Node{ID: f.Key, Pos: f.Pos}
	}
	for _, f := range v.Fields {
		n := c.flow.byID[f.Key]
		c.flow.Nodes = append(c.flow.Nodes, n)
		if !nodeID.MatchString(f.Key) {
			c.report(f.Pos, f.At, "InvalidIdentifier", "begin with a letter or _, then letters, digits, _ and -", "node id %q", f.Key)
		}
		if !f.IsMap() {
			c.report(f.Pos, f.At, "Schema", "", "node %s must be a map", f.Key)
			continue
		}
		c.node(n, f.Value)
	}
	c.beside(v.Fields)
}

func (c *compiler) node(n *Node, v *source.Value) {
	routing := v.Field("routing")
	if legacy := v.Field("component"); legacy != nil && c.legacy(v) {
		n.Component, n.Operation = c.text(v, "component"), c.text(v, "operation")
		if p := v.Field("payload"); p != nil {
			n.Input = p.Plain
		}
		if r := v.Field("routes"); r != nil {
			routing = r
		}
	} else if !c.operation(n, v) {
		return
	}
	if in := v.Field("in_map"); in != nil {
		n.Input = in.Plain
	}
	for _, key := range []string{"output", "out_map"} {
		if m := v.Field(key); m != nil {
			n.Output = m.Plain
		}
	}
	for _, key := range []string{"error_output", "err_map"} {
		if m := v.Field(key); m != nil {
			n.ErrMap = m.Plain
		}
	}
	if n.Input == nil {
		n.Input = map[string]any{}
	}
	if t := v.Field("telemetry"); t != nil && t.Plain != nil {
		n.Telemetry = policy.Telemetry(t.Plain, c.aside(t.Pos, t, "Schema"))
	}
	n.Routing = c.routing(n, routing)
	if name := n.builtin(); c.flow.Kind == ComponentConfig && name != "questions" && name != "template" {
		c.report(n.Pos, v.At, "Schema", "use questions and template", "node %s: a component-config flow only asks questions and renders a template", n.ID)
	}
	if n.builtin() == "session.wait" && (n.Routing.Form == RouteEnd || n.Routing.Form == RouteReply) {
		c.report(n.Pos, v.At+"/routing", "Routing", "add routing: [{ to: NODE }]", "node %s waits, but says not where to go on", n.ID)
	}
}

// legacy says whether a node has the old form component, payload, routes.
func (c *compiler) legacy(v *source.Value) bool {
	for _, f := range v.Fields {
		if f.Key != "component" && f.Key != "payload" && f.Key != "routes" && !slices.Contains(reserved, f.Key) {
			return false
		}
	}
	_, ok := v.Field("component").Plain.(string)
	return ok
}

// operation finds the one operation key of a node and what component it means (formats digest 1.3).
func (c *compiler) operation(n *Node, v *source.Value) bool {
	var ops []source.Field
	var names []string
	for _, f := range v.Fields {
		if !slices.Contains(reserved, f.Key) {
			ops, names = append(ops, f), append(names, f.Key)
		}
	}
	exec := slices.Index(names, "component.exec")
	switch {
	case len(ops) == 0:
		c.report(n.Pos, v.At, "NodeComponentShape", "add one, such as emit.response:", "node %s has no operation", n.ID)
		return false
	case len(ops) > 2 || len(ops) == 2 && exec < 0:
		fix := "keep one"
		if slices.Contains(names, "routes") {
			fix = "write routing: for routes:, which is an older dialect"
		}
		c.report(ops[1].Pos, v.At, "NodeComponentShape", fix, "node %s has %d operations: %s", n.ID, len(ops), strings.Join(names, ", "))
		return false
	}
	op := ops[0]
	sibling := c.text(v, "operation")
	if len(ops) == 2 {
		op = ops[exec]
		other := ops[1-exec]
		if sibling == "" {
			sibling = other.Key
		}
		if m, ok := op.Plain.(map[string]any); ok && m["input"] == nil {
			m["input"] = other.Plain
		}
	}
	for _, f := range ops {
		if !opKey.MatchString(f.Key) {
			c.report(f.Pos, f.At, "BadComponentKey", "begin with a letter or _, then letters, digits, ., _ and -", "operation %q", f.Key)
			return false
		}
	}
	n.Input, n.Component, n.Operation = op.Plain, "component.exec", sibling
	switch {
	case op.Key == "mcp":
		n.Component = op.Key
		policy.Tool(op.Plain, c.aside(op.Pos, op.Value, "McpConfig"))
	case op.Key == "questions", op.Key == "template", strings.HasPrefix(op.Key, "dw."), c.old:
		n.Component = op.Key
	case op.Key != "component.exec" && sibling == "":
		n.Operation = op.Key
	}
	return true
}

// aside reports what policy finds wrong in or below v, which stands at pos.
func (c *compiler) aside(pos Pos, v *source.Value, class string) policy.Wrong {
	return func(way []string, fix, format string, args ...any) {
		at := v
		if len(way) > 0 {
			pos, at = v.Place(way)
		}
		c.report(pos, at.At, class, fix, format, args...)
	}
}

// builtin is the builtin that n means, or empty when it calls a component.
func (n *Node) builtin() string {
	for _, name := range []string{n.Component, n.Operation} {
		switch {
		case name == "component.exec":
			continue
		case strings.HasPrefix(name, "emit."), strings.HasPrefix(name, "dw."):
			return name
		}
		switch name {
		case "session.wait", "flow.call", "flow.goto", "provider.invoke", "state.get", "state.set", "mcp", "mcp.exec", "questions", "template",
			"sorla.call", "operala.call", "agentic.call", "approval.call", "telco-x.call", "a2a":
			return name
		}
		return ""
	}
	return ""
}
