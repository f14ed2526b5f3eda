package flow

import (
	"fmt"
	"strings"

	"greentic.dev/model/flow/form"
	"greentic.dev/model/flow/policy"
	"greentic.dev/model/flow/source"
)

// policies are the objects beside an operation that the flow model has no place for.
var policies = []string{"retry", "timeout", "when", "annotations", "meta"}

// beside reads what stands beside the operations, and keeps it with the places for the manifest.
func (c *compiler) beside(fields []source.Field) {
	kept := map[string]any{}
	for _, f := range fields {
		if !f.IsMap() {
			continue
		}
		n := c.flow.byID[f.Key]
		about := map[string]any{"line": int64(f.Pos.Line), "col": int64(f.Pos.Col)}
		for _, key := range policies {
			if p := f.Field(key); p != nil && p.Plain != nil {
				if !p.IsMap() && (key == "annotations" || key == "meta") {
					c.report(p.Pos, p.At, "Schema", "", "node %s: %s must be a map", f.Key, key)
				}
				about[key] = p.Plain
			}
		}
		c.policies(n, f.Value, about)
		if places := n.Routing.SavePlaces(); places != nil {
			about["routes"] = places
		}
		kept[f.Key] = about
	}
	if len(kept) > 0 {
		ours, _ := c.flow.Extra["greentic"].(map[string]any)
		if ours == nil {
			ours = map[string]any{}
		}
		ours["nodes"] = kept
		c.flow.Extra["greentic"] = ours
	}
}

// policies reads and checks the policies of n in its source.
func (c *compiler) policies(n *Node, v *source.Value, about map[string]any) {
	report := func(way []string, fix, format string, args ...any) {
		pos, at := v.Place(way)
		c.report(pos, at.At, "Policy", fix, format, args...)
	}
	n.Policies = policy.Read(n.ID, about, report)
	if n.When != "" {
		c.condition(n.When, v.Field("when").Field("condition"), "Policy")
	}
	name := n.builtin()
	if name == "session.wait" && n.Timeout > 0 {
		report([]string{"timeout"}, fmt.Sprintf(`write session.wait: { timeout: %q }`, n.Timeout), "node %s: the timeout of a wait stands inside session.wait", n.ID)
	} else if name == "flow.call" && n.Timeout > 0 {
		report([]string{"timeout"}, "give the nodes of the called flow a timeout", "node %s: a called flow may wait, so its call has no timeout", n.ID)
	} else if local(name) && (n.Timeout > 0 || n.Retry != nil) {
		way := []string{"retry"}
		if n.Retry == nil {
			way = []string{"timeout"}
		}
		report(way, "remove it", "node %s: %s calls nothing, so %s has no meaning", n.ID, name, way[0])
	}
	if n.Compensate != "" {
		c.compensation(n, name, v.Field("meta").Field("greentic").Field("compensate"), report)
	}
	c.fans(n, name, v, report)
	switch name {
	case "session.wait":
		c.waiting(n, v)
	case "questions":
		c.questions(v.Field("questions"))
	}
}

// local says whether a builtin does its work without calling anything that could fail.
func local(builtin string) bool {
	switch builtin {
	case "session.wait", "flow.goto", "questions", "template":
		return true
	}
	return strings.HasPrefix(builtin, "emit.") || strings.HasPrefix(builtin, "state.")
}

func (c *compiler) compensation(n *Node, name string, v *source.Value, report policy.Wrong) {
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

// fans checks for_each and parallel.
func (c *compiler) fans(n *Node, name string, v *source.Value, report policy.Wrong) {
	way := []string{"meta", "greentic", "for_each"}
	if n.Parallel != nil {
		way[2] = "parallel"
	}
	if waits := name == "session.wait" || name == "questions" || name == "flow.goto"; waits && (n.ForEach != nil || n.Parallel != nil) {
		report(way, "put it into a node of its own", "node %s: %s cannot run with %s", n.ID, name, way[2])
	}
	if n.Parallel == nil {
		return
	}
	pos, at := v.Place(append(way, "branches"))
	for _, b := range n.Parallel.Branches {
		switch to := c.flow.byID[b.Node]; {
		case b.Node == n.ID:
			c.report(pos, at.At, "Policy", "name another node", "node %s: branch %s begins at the node itself", n.ID, b.Name)
		case to == nil:
			c.target(b.Node, at, "branch "+b.Name+" of node "+n.ID)
		case to.builtin() == "session.wait" || to.builtin() == "questions":
			c.report(pos, at.At, "Policy", "wait before or after the branches", "node %s: branch %s waits for input", n.ID, b.Name)
		}
	}
}

// questions checks the payload of a questions node.
func (c *compiler) questions(v *source.Value) {
	if v == nil {
		return
	}
	_, wrong := form.Read(v.Plain)
	for _, w := range wrong {
		pos, at := v.Place(w.Way)
		c.report(pos, at.At, "Schema", w.Fix, "%s", w.Message)
	}
}

// waiting checks timeout and on_timeout of a session.wait.
func (c *compiler) waiting(n *Node, v *source.Value) {
	in := v.Field("in_map")
	for _, f := range v.Fields {
		if in == nil && (f.Key == "session.wait" || f.Key == "payload") {
			in = f.Value
		}
	}
	if in == nil || !in.IsMap() {
		return
	}
	timeout, onward := in.Field("timeout"), in.Field("on_timeout")
	if timeout != nil && timeout.Plain != nil {
		s, _ := timeout.Plain.(string)
		if _, ok := waitTime(timeout.Plain); !ok && !strings.Contains(s, "{{") && !strings.HasPrefix(s, "parameters.") {
			c.report(timeout.Pos, timeout.At, "Policy", `write a duration such as "30m", or milliseconds`, "node %s: timeout must be %s", n.ID, waitRange)
		}
	}
	if onward == nil || onward.Plain == nil {
		return
	}
	to, ok := onward.Plain.(string)
	switch {
	case !ok || to == "" || strings.Contains(to, "{{"):
		c.report(onward.Pos, onward.At, "Policy", "write on_timeout: NODE", "node %s: on_timeout must name a node", n.ID)
	case timeout == nil || timeout.Plain == nil:
		c.report(onward.Pos, onward.At, "Policy", `add timeout: "1h"`, "node %s: on_timeout needs timeout", n.ID)
	default:
		c.target(to, onward, "on_timeout of node "+n.ID)
	}
}
