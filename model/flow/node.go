package flow

import (
	"slices"
	"strings"
)

// reserved are the keys of a node that are not its operation.
var reserved = []string{"routing", "telemetry", "output", "in_map", "out_map", "err_map", "error_output", "retry", "timeout", "when", "annotations", "meta", "operation"}

func (c *compiler) nodes() {
	v := c.doc.field("nodes")
	if v == nil || !v.isMap() {
		c.report(c.doc.pos, "/nodes", "Schema", "add nodes:", "the flow needs nodes, a map")
		return
	}
	for _, f := range v.fields { // ids first: routes point forward
		c.flow.byID[f.key] = &Node{ID: f.key, Pos: f.pos}
	}
	for _, f := range v.fields {
		n := c.flow.byID[f.key]
		c.flow.Nodes = append(c.flow.Nodes, n)
		if !nodeID.MatchString(f.key) {
			c.report(f.pos, f.at, "InvalidIdentifier", "begin with a letter or _, then letters, digits, _ and -", "node id %q", f.key)
		}
		if !f.isMap() {
			c.report(f.pos, f.at, "Schema", "", "node %s must be a map", f.key)
			continue
		}
		c.node(n, f.value)
	}
	c.beside(v.fields)
}

func (c *compiler) node(n *Node, v *value) {
	routing := v.field("routing")
	if legacy := v.field("component"); legacy != nil && c.legacy(v) {
		n.Component, n.Operation = c.text(v, "component"), c.text(v, "operation")
		if p := v.field("payload"); p != nil {
			n.Input = p.plain
		}
		if r := v.field("routes"); r != nil {
			routing = r
		}
	} else if !c.operation(n, v) {
		return
	}
	if in := v.field("in_map"); in != nil {
		n.Input = in.plain
	}
	for _, key := range []string{"output", "out_map"} {
		if m := v.field(key); m != nil {
			n.Output = m.plain
		}
	}
	for _, key := range []string{"error_output", "err_map"} {
		if m := v.field(key); m != nil {
			n.ErrMap = m.plain
		}
	}
	if n.Input == nil {
		n.Input = map[string]any{}
	}
	c.telemetry(n, v.field("telemetry"))
	n.Routing = c.routing(n, routing)
	if n.builtin() == "session.wait" && (n.Routing.Form == RouteEnd || n.Routing.Form == RouteReply) {
		c.report(n.Pos, v.at+"/routing", "Routing", "add routing: [{ to: NODE }]", "node %s waits, but says not where to go on", n.ID)
	}
}

// legacy says whether a node has the old form component, payload, routes.
func (c *compiler) legacy(v *value) bool {
	for _, f := range v.fields {
		if f.key != "component" && f.key != "payload" && f.key != "routes" && !slices.Contains(reserved, f.key) {
			return false
		}
	}
	_, ok := v.field("component").plain.(string)
	return ok
}

// operation finds the one operation key of a node and what component it means (formats digest 1.3).
func (c *compiler) operation(n *Node, v *value) bool {
	var ops []field
	var names []string
	for _, f := range v.fields {
		if !slices.Contains(reserved, f.key) {
			ops, names = append(ops, f), append(names, f.key)
		}
	}
	exec := slices.Index(names, "component.exec")
	switch {
	case len(ops) == 0:
		c.report(n.Pos, v.at, "NodeComponentShape", "add one, such as emit.response:", "node %s has no operation", n.ID)
		return false
	case len(ops) > 2 || len(ops) == 2 && exec < 0:
		c.report(ops[1].pos, v.at, "NodeComponentShape", "keep one", "node %s has %d operations: %s", n.ID, len(ops), strings.Join(names, ", "))
		return false
	}
	op := ops[0]
	sibling := c.text(v, "operation")
	if len(ops) == 2 {
		op = ops[exec]
		other := ops[1-exec]
		if sibling == "" {
			sibling = other.key
		}
		if m, ok := op.plain.(map[string]any); ok && m["input"] == nil {
			m["input"] = other.plain
		}
	}
	for _, f := range ops {
		if !opKey.MatchString(f.key) {
			c.report(f.pos, f.at, "BadComponentKey", "begin with a letter or _, then letters, digits, ., _ and -", "operation %q", f.key)
			return false
		}
	}
	n.Input, n.Component, n.Operation = op.plain, "component.exec", sibling
	switch {
	case op.key == "mcp":
		n.Component = op.key
		c.mcp(op)
	case op.key == "questions", op.key == "template", strings.HasPrefix(op.key, "dw."), c.old:
		n.Component = op.key
	case op.key != "component.exec" && sibling == "":
		n.Operation = op.key
	}
	return true
}

func (c *compiler) mcp(op field) {
	m, _ := op.plain.(map[string]any)
	server, _ := m["server"].(string)
	tool, _ := m["tool"].(string)
	_, isMap := m["arguments"].(map[string]any)
	output, isText := m["output"].(string)
	if server == "" || tool == "" || m["arguments"] != nil && !isMap || m["output"] != nil && (!isText || output == "") {
		c.report(op.pos, op.at, "McpConfig", "write mcp: { server: NAME, tool: NAME, arguments: {} }", "mcp needs server and tool, a map of arguments and a text output")
	}
	for key := range m {
		if key != "server" && key != "tool" && key != "arguments" && key != "output" {
			c.report(op.pos, op.at+"/"+key, "McpConfig", "remove it", "mcp does not know %s", key)
		}
	}
}

func (c *compiler) telemetry(n *Node, v *value) {
	if v == nil || v.plain == nil {
		return
	}
	m, ok := v.plain.(map[string]any)
	if !ok {
		c.report(v.pos, v.at, "Schema", "", "telemetry must be a map")
		return
	}
	for _, f := range v.fields {
		_, isText := f.plain.(string)
		switch {
		case (f.key == "span_name" || f.key == "sampling") && isText:
		case f.key == "attributes" && f.isMap():
			for _, a := range f.fields {
				if _, isText := a.plain.(string); !isText {
					c.report(a.pos, a.at, "Schema", "put it in quotes", "attribute %s must be a text", a.key)
				}
			}
		default:
			c.report(f.pos, f.at, "Schema", "use span_name, attributes and sampling", "telemetry: %s is unknown or of the wrong sort", f.key)
		}
	}
	n.Telemetry = m
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
		case "session.wait", "flow.call", "provider.invoke", "state.get", "state.set", "mcp", "mcp.exec", "questions", "template",
			"sorla.call", "operala.call", "agentic.call", "approval.call", "telco-x.call", "a2a":
			return name
		}
		return ""
	}
	return ""
}
