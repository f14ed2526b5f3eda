package flow

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
	"greentic.dev/model/flow/routing"
	"greentic.dev/model/flow/source"
)

// routing compiles the routing of a node, rules 1 to 5 of formats digest 1.3.
func (c *compiler) routing(n *Node, v *source.Value) Routing {
	if v == nil || v.Plain == nil {
		return Routing{}
	}
	switch s := v.Plain.(type) {
	case string:
		switch s {
		case "out":
			return Routing{}
		case "reply":
			return Routing{Form: RouteReply}
		}
		c.report(v.Pos, v.At, "Routing", "write out, reply or a list such as [{ to: NODE }]", "routing %q", s)
		return Routing{}
	case []any:
		var routes []Route
		for _, item := range v.Items {
			if r, ok := c.route(n, item); ok {
				routes = append(routes, r)
			}
		}
		return routing.Arrange(routes, s)
	}
	c.report(v.Pos, v.At, "Routing", "write a list such as [{ to: NODE }]", "routing must be a list or a word")
	return Routing{}
}

func (c *compiler) route(n *Node, v *source.Value) (Route, bool) {
	r := Route{Pos: v.Pos}
	if !v.IsMap() {
		c.report(v.Pos, v.At, "Routing", "write { to: NODE }", "a route must be a map")
		return r, false
	}
	for _, f := range v.Fields {
		s, isText := f.Plain.(string)
		b, isBool := f.Plain.(bool)
		switch {
		case f.Plain == nil:
		case (f.Key == "to" || f.Key == "next") && isText:
			r.To = s
			if s == "out" && c.flow.byID["out"] == nil {
				r.To, r.Out = "", true
			} else {
				c.target(s, f.Value, "node "+n.ID)
			}
		case f.Key == "status" && isText:
			r.Status = s
		case f.Key == "out" && isBool:
			r.Out = b
		case f.Key == "reply" && isBool:
			r.Reply = b
		case f.Key == "condition" && isText:
			r.Condition = s
			c.condition(s, f.Value, "Routing")
		default:
			c.report(f.Pos, f.At, "Routing", "use to, out, status, reply and condition", "%s is unknown in a route or of the wrong sort", f.Key)
		}
	}
	return r, true
}

func (c *compiler) condition(src string, v *source.Value, class string) {
	_, err := c.conditions.Condition(src)
	if err == nil {
		return
	}
	inner, fix, _ := fault.Detail(err)
	p := v.Pos
	if p.Col += max(inner.Col-1, 0); v.Quoted {
		p.Col++
	}
	msg := err.Error()
	if e, ok := err.(*fault.Error); ok {
		msg = e.Msg
	}
	c.report(p, v.At, class, fix, "condition: %s", msg)
}

// target checks that a node exists.
func (c *compiler) target(id string, v *source.Value, from string) {
	if c.flow.byID[id] != nil {
		return
	}
	fix := "add the node " + id
	if id == "NEXT_NODE_PLACEHOLDER" {
		fix = "name the node that follows"
	}
	if near := nearest.Word(id, c.doc.Field("nodes").Keys()); near != "" {
		fix = "did you mean " + near + "?"
	}
	c.report(v.Pos, v.At, "MissingNode", fix, "%s points to %s, which does not exist", from, id)
}
