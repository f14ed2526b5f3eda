package flow

import (
	"fmt"

	"greentic.dev/model/flow/form"
)

// route decides where to go after n, formats digest 1.4 and decision 23.
func (f *Flow) route(c Cursor, n *Node) Step {
	out := c.Nodes[n.ID]
	r := reasoning{RuleEnd, n.Pos, n.where}
	switch n.Routing.Form {
	case RouteReply:
		r.why += " replies and ends"
		return Step{Do: DoEnd, Cursor: c, Node: n.ID, Reply: true}.because(r)
	case RouteNext:
		r = reasoning{RuleNext, n.Routing.PlaceOr("", n.Pos), n.where + ": routes to " + n.Routing.To}
		return f.jump(c, n, n.Routing.To, r)
	case RouteBranch:
		for _, s := range statuses(c, out) {
			if to, ok := n.Routing.Status[s]; ok {
				return f.jump(c, n, to, reasoning{RuleStatus, n.Routing.PlaceOr(s, n.Pos), n.where + ": status " + s + " routes to " + to})
			}
		}
		if to := n.Routing.Default; to != "" {
			return f.jump(c, n, to, reasoning{RuleDefault, n.Routing.PlaceOr("", n.Pos), n.where + ": default routes to " + to})
		}
		r.why += " has no route for its status and ends"
		return Step{Do: DoEnd, Cursor: c, Node: n.ID}.because(r)
	case RouteCustom:
		return f.choose(c, n, out)
	}
	r.why += " ends"
	return Step{Do: DoEnd, Cursor: c, Node: n.ID}.because(r)
}

// choose takes the first route whose condition and status hold, then the first without either.
func (f *Flow) choose(c Cursor, n *Node, out Output) Step {
	if n.conditionErr != nil {
		return f.failed(c, n, "condition", n.conditionErr)
	}
	conditions := false
	for i, r := range n.Routing.Routes {
		if r.Unconditional() {
			continue
		}
		if r.Condition != "" {
			conditions = true
			ok, err := n.conditions[i].Eval(f.scope(c, n.conditions[i].Roots(), out.Payload))
			if err != nil {
				return f.failure(c, n, "condition", "route %d: %v", i, err)
			}
			if !ok {
				continue
			}
		}
		if r.Status == "" || n.statusOf(c, out) == r.Status {
			return f.take(c, n, i)
		}
	}
	if i := n.Routing.Fallback(); i >= 0 {
		return f.take(c, n, i)
	}
	if conditions && n.calls == "session.wait" {
		return f.execute(c, n, reasoning{}, nil) // waits again, with its timeout
	}
	if fail := c.waits(); conditions && fail != nil {
		fail.Message = "no route matches, and " + fail.Message
		return f.fail(c, n, fail, n.where+": "+fail.Message)
	}
	if conditions {
		c.Parked, c.Reroute = true, true
		return Step{Do: DoWait, Cursor: c, Node: n.ID, Reason: "no route matches"}.
			because(reasoning{RuleWait, n.Pos, n.where + " has no matching route and waits for the next input"})
	}
	return Step{Do: DoEnd, Cursor: c, Node: n.ID}.because(reasoning{RuleEnd, n.Pos, n.where + " has no matching route and ends"})
}

// otherwise is the way on from a node that was skipped: its default route.
func (n *Node) otherwise() (to string, reply bool, at Pos) {
	r := n.Routing
	switch r.Form {
	case RouteReply:
		return "", true, n.Pos
	case RouteNext:
		return r.To, false, r.PlaceOr("", n.Pos)
	case RouteBranch:
		return r.Default, false, r.PlaceOr("", n.Pos)
	case RouteCustom:
		if i := r.Fallback(); i >= 0 {
			return r.Routes[i].To, r.Routes[i].Reply, r.Routes[i].PlaceOr(n.Pos)
		}
	}
	return "", false, n.Pos
}

// statusOf is the first status of out that a route of n names.
func (n *Node) statusOf(c Cursor, out Output) string {
	for _, s := range statuses(c, out) {
		for _, r := range n.Routing.Routes {
			if r.Status == s {
				return s
			}
		}
	}
	return ""
}

// statuses are the candidates for the status of an output, the strongest first.
func statuses(c Cursor, out Output) []string {
	m, _ := out.Payload.(map[string]any)
	if s, ok := m["status"].(string); ok {
		return []string{s}
	}
	if s, ok := m["route"].(string); ok {
		return []string{s}
	}
	var list []string
	if s, ok := form.Action(c.Input); ok {
		list = append(list, s)
	}
	if out.OK {
		return append(list, "ok")
	}
	return append(list, "error")
}

func (f *Flow) take(c Cursor, n *Node, i int) Step {
	route := n.Routing.Routes[i]
	r := reasoning{RuleDefault, route.PlaceOr(n.Pos), fmt.Sprintf("%s: route %d", n.where, i)}
	if route.Pos.Line > 0 {
		r.why += fmt.Sprintf(" (line %d:%d)", route.Pos.Line, route.Pos.Col)
	}
	if route.Status != "" {
		r.rule = RuleStatus
	}
	if route.Condition != "" {
		r.rule, r.why = RuleCondition, r.why+", "+route.Condition
	}
	if route.Status != "" {
		r.why += ", status " + route.Status
	}
	return f.follow(c, n, route, r)
}

// follow goes where a route leads.
func (f *Flow) follow(c Cursor, n *Node, route Route, r reasoning) Step {
	switch {
	case route.To != "":
		r.why += ", routes to " + route.To
		return f.jump(c, n, route.To, r)
	case route.Reply:
		r.why += " replies and ends"
	default:
		r.why += " ends"
	}
	return Step{Do: DoEnd, Cursor: c, Node: n.ID, Reply: route.Reply}.because(r)
}

func (f *Flow) jump(c Cursor, n *Node, to string, r reasoning) Step {
	if f.byID[to] == nil {
		return f.failure(c, n, "missing_node", "the route leads to %q, which does not exist", to)
	}
	c.Node = to
	return f.run(c, r)
}
