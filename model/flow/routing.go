package flow

import (
	"encoding/json"
	"slices"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

// routing compiles the routing of a node, rules 1 to 5 of formats digest 1.3.
func (c *compiler) routing(n *Node, v *value) Routing {
	if v == nil || v.plain == nil {
		return Routing{}
	}
	switch s := v.plain.(type) {
	case string:
		switch s {
		case "out":
			return Routing{}
		case "reply":
			return Routing{Form: RouteReply}
		}
		c.report(v.pos, v.at, "Routing", "write out, reply or a list such as [{ to: NODE }]", "routing %q", s)
		return Routing{}
	case []any:
		var routes []Route
		for _, item := range v.items {
			if r, ok := c.route(n, item); ok {
				routes = append(routes, r)
			}
		}
		return arrange(routes, s)
	}
	c.report(v.pos, v.at, "Routing", "write a list such as [{ to: NODE }]", "routing must be a list or a word")
	return Routing{}
}

func (c *compiler) route(n *Node, v *value) (Route, bool) {
	r := Route{Pos: v.pos}
	if !v.isMap() {
		c.report(v.pos, v.at, "Routing", "write { to: NODE }", "a route must be a map")
		return r, false
	}
	for _, f := range v.fields {
		s, isText := f.plain.(string)
		b, isBool := f.plain.(bool)
		switch {
		case f.plain == nil:
		case (f.key == "to" || f.key == "next") && isText:
			r.To = s
			if s == "out" && c.flow.byID["out"] == nil {
				r.To, r.Out = "", true
			} else {
				c.target(s, f.value, "node "+n.ID)
			}
		case f.key == "status" && isText:
			r.Status = s
		case f.key == "out" && isBool:
			r.Out = b
		case f.key == "reply" && isBool:
			r.Reply = b
		case f.key == "condition" && isText:
			r.Condition = s
			c.condition(s, f.value, "Routing")
		default:
			c.report(f.pos, f.at, "Routing", "use to, out, status, reply and condition", "%s is unknown in a route or of the wrong sort", f.key)
		}
	}
	return r, true
}

func (c *compiler) condition(src string, v *value, class string) {
	_, err := c.conditions.Condition(src)
	if err == nil {
		return
	}
	inner, fix, _ := fault.Detail(err)
	p := v.pos
	if p.Col += max(inner.Col-1, 0); v.quoted {
		p.Col++
	}
	msg := err.Error()
	if e, ok := err.(*fault.Error); ok {
		msg = e.Msg
	}
	c.report(p, v.at, class, fix, "condition: %s", msg)
}

// target checks that a node exists.
func (c *compiler) target(id string, v *value, from string) {
	if c.flow.byID[id] != nil {
		return
	}
	var known []string
	for _, f := range c.doc.field("nodes").fieldsOrNone() {
		known = append(known, f.key)
	}
	fix := "add the node " + id
	if near := nearest.Word(id, known); near != "" {
		fix = "did you mean " + near + "?"
	}
	c.report(v.pos, v.at, "MissingNode", fix, "%s points to %s, which does not exist", from, id)
}

func (v *value) fieldsOrNone() []field {
	if v == nil {
		return nil
	}
	return v.fields
}

// arrange picks the routing variant of a list of routes; raw is the list as it was written.
func arrange(routes []Route, raw []any) Routing {
	custom := Routing{Form: RouteCustom, Routes: routes}
	custom.Raw, _ = json.Marshal(raw) // JSON-like by construction
	if slices.ContainsFunc(routes, func(r Route) bool { return r.Condition != "" }) {
		return custom
	}
	switch len(routes) {
	case 0:
		return Routing{}
	case 1:
		switch r := routes[0]; {
		case r.Reply:
			return Routing{Form: RouteReply}
		case r.Status != "":
			return custom
		case r.Out:
			return Routing{}
		case r.To != "":
			return Routing{Form: RouteNext, To: r.To, places: map[string]Pos{"": r.Pos}}
		}
		return custom
	}
	branch := Routing{Form: RouteBranch, Status: map[string]string{}, places: map[string]Pos{}}
	for _, r := range routes {
		branch.places[r.Status] = r.Pos
		switch {
		case r.Reply || r.Out || r.To == "":
			return custom
		case r.Status != "":
			branch.Status[r.Status] = r.To
		default:
			branch.Default = r.To
		}
	}
	return branch
}
