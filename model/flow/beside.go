package flow

import (
	"fmt"
	"slices"
	"strings"
)

// policies are the objects beside an operation that the flow model has no place for.
var policies = []string{"retry", "timeout", "when", "annotations", "meta"}

// beside reads what stands beside the operations, and keeps it with the places for the manifest.
func (c *compiler) beside(fields []field) {
	kept := map[string]any{}
	for _, f := range fields {
		if !f.isMap() {
			continue
		}
		n := c.flow.byID[f.key]
		about := map[string]any{"line": int64(f.pos.Line), "col": int64(f.pos.Col)}
		for _, key := range policies {
			if p := f.field(key); p != nil && p.plain != nil {
				if !p.isMap() && (key == "annotations" || key == "meta") {
					c.report(p.pos, p.at, "Schema", "", "node %s: %s must be a map", f.key, key)
				}
				about[key] = p.plain
			}
		}
		c.policies(n, f.value, about)
		if places := n.Routing.savePlaces(); places != nil {
			about["routes"] = places
		}
		kept[f.key] = about
	}
	if len(kept) > 0 {
		c.flow.Extra["greentic"] = map[string]any{"nodes": kept}
	}
}

// policies reads and checks the policies of n in its source.
func (c *compiler) policies(n *Node, v *value, about map[string]any) {
	report := func(way []string, fix, format string, args ...any) {
		pos, at := v.place(way)
		c.report(pos, at.at, "Policy", fix, format, args...)
	}
	n.readPolicies(about, report)
	if n.When != "" {
		c.condition(n.When, v.field("when").field("condition"), "Policy")
	}
	name := n.builtin()
	if name == "session.wait" && n.Timeout > 0 {
		report([]string{"timeout"}, fmt.Sprintf(`write session.wait: { timeout: %q }`, n.Timeout), "node %s: the timeout of a wait stands inside session.wait", n.ID)
	} else if local(name) && (n.Timeout > 0 || n.Retry != nil) {
		way := []string{"retry"}
		if n.Retry == nil {
			way = []string{"timeout"}
		}
		report(way, "remove it", "node %s: %s calls nothing, so %s has no meaning", n.ID, name, way[0])
	}
	if n.Compensate != "" {
		c.compensation(n, name, v.field("meta").field("greentic").field("compensate"), report)
	}
	if name == "session.wait" {
		c.waiting(n, v)
	}
}

// local says whether a builtin does its work without calling anything that could fail.
func local(builtin string) bool {
	return strings.HasPrefix(builtin, "emit.") || strings.HasPrefix(builtin, "state.") || builtin == "session.wait"
}

func (c *compiler) compensation(n *Node, name string, v *value, report wrong) {
	way := []string{"meta", "greentic", "compensate"}
	switch {
	case n.Compensate == n.ID:
		report(way, "name another node", "node %s cannot compensate itself", n.ID)
	case name == "session.wait":
		report(way, "remove it", "node %s: session.wait does nothing that could be compensated", n.ID)
	case c.flow.byID[n.Compensate] == nil:
		c.target(n.Compensate, v, "node "+n.ID)
	case c.flow.byID[n.Compensate].builtin() == "session.wait":
		report(way, "name a node that does not wait", "node %s: a compensation cannot wait for input", n.ID)
	}
}

// waiting checks timeout and on_timeout of a session.wait.
func (c *compiler) waiting(n *Node, v *value) {
	in := v.field("in_map")
	for _, f := range v.fields {
		if in == nil && (f.key == "session.wait" || f.key == "payload") {
			in = f.value
		}
	}
	if in == nil || !in.isMap() {
		return
	}
	timeout, onward := in.field("timeout"), in.field("on_timeout")
	if timeout != nil && timeout.plain != nil {
		s, _ := timeout.plain.(string)
		if _, ok := waitTime(timeout.plain); !ok && !strings.Contains(s, "{{") && !strings.HasPrefix(s, "parameters.") {
			c.report(timeout.pos, timeout.at, "Policy", `write a duration such as "30m", or milliseconds`, "node %s: timeout must be %s", n.ID, waitRange)
		}
	}
	if onward == nil || onward.plain == nil {
		return
	}
	to, ok := onward.plain.(string)
	switch {
	case !ok || to == "" || strings.Contains(to, "{{"):
		c.report(onward.pos, onward.at, "Policy", "write on_timeout: NODE", "node %s: on_timeout must name a node", n.ID)
	case timeout == nil || timeout.plain == nil:
		c.report(onward.pos, onward.at, "Policy", `add timeout: "1h"`, "node %s: on_timeout needs timeout", n.ID)
	default:
		c.target(to, onward, "on_timeout of node "+n.ID)
	}
}

// place is the value way leads to, or the nearest above it, with the place of its key.
func (v *value) place(way []string) (Pos, *value) {
	pos := v.pos
	for _, key := range way {
		i := slices.IndexFunc(v.fields, func(f field) bool { return f.key == key })
		if i < 0 {
			break
		}
		pos, v = v.fields[i].pos, v.fields[i].value
	}
	return pos, v
}
