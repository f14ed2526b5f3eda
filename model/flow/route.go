package flow

import "fmt"

// route decides where to go after n, formats digest 1.4 and decision 23.
func (f *Flow) route(c Cursor, n *Node) Step {
	out := c.Nodes[n.ID]
	switch n.Routing.Form {
	case RouteReply:
		return Step{Do: DoEnd, Cursor: c, Node: n.ID, Reply: true, Why: n.where() + " replies and ends"}
	case RouteNext:
		return f.jump(c, n, n.Routing.To, "routes to "+n.Routing.To)
	case RouteBranch:
		for _, s := range statuses(c, out) {
			if to, ok := n.Routing.Status[s]; ok {
				return f.jump(c, n, to, fmt.Sprintf("status %s routes to %s", s, to))
			}
		}
		if n.Routing.Default != "" {
			return f.jump(c, n, n.Routing.Default, "default routes to "+n.Routing.Default)
		}
		return Step{Do: DoEnd, Cursor: c, Node: n.ID, Why: n.where() + " has no route for its status and ends"}
	case RouteCustom:
		return f.choose(c, n, out)
	}
	return Step{Do: DoEnd, Cursor: c, Node: n.ID, Why: n.where() + " ends"}
}

// choose takes the first route whose condition and status hold, then the first without either.
func (f *Flow) choose(c Cursor, n *Node, out Output) Step {
	if n.conditionErr != nil {
		return failed(c, n, "condition", n.conditionErr)
	}
	scope := f.evaluation(c, out.Payload)
	conditions, fallback := false, -1
	for i, r := range n.Routing.Routes {
		if r.Condition == "" && r.Status == "" {
			if fallback < 0 {
				fallback = i
			}
			continue
		}
		if r.Condition != "" {
			conditions = true
			ok, err := n.conditions[i].Eval(scope)
			if err != nil {
				return failure(c, n, "condition", "route %d: %v", i, err)
			}
			if !ok {
				continue
			}
		}
		if r.Status == "" || n.statusOf(c, out) == r.Status {
			return f.take(c, n, i)
		}
	}
	switch {
	case fallback >= 0:
		return f.take(c, n, fallback)
	case conditions:
		c.Parked, c.Reroute = true, true
		return Step{Do: DoWait, Cursor: c, Node: n.ID, Reason: "no route matches", Why: n.where() + " has no matching route and waits for the next input"}
	}
	return Step{Do: DoEnd, Cursor: c, Node: n.ID, Why: n.where() + " has no matching route and ends"}
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
	if s, ok := response(c.Input)["action"].(string); ok {
		list = append(list, s)
	}
	if out.OK {
		return append(list, "ok")
	}
	return append(list, "error")
}

func (f *Flow) take(c Cursor, n *Node, i int) Step {
	r := n.Routing.Routes[i]
	why := fmt.Sprintf("route %d", i)
	if r.Pos.Line > 0 {
		why += fmt.Sprintf(" (line %d:%d)", r.Pos.Line, r.Pos.Col)
	}
	if r.Condition != "" {
		why += ", " + r.Condition
	}
	if r.Status != "" {
		why += ", status " + r.Status
	}
	switch {
	case r.To != "":
		return f.jump(c, n, r.To, why+", routes to "+r.To)
	case r.Reply:
		return Step{Do: DoEnd, Cursor: c, Node: n.ID, Reply: true, Why: n.where() + ": " + why + " replies and ends"}
	}
	return Step{Do: DoEnd, Cursor: c, Node: n.ID, Why: n.where() + ": " + why + " ends"}
}

func (f *Flow) jump(c Cursor, n *Node, to, why string) Step {
	if f.byID[to] == nil {
		return failure(c, n, "missing_node", "the route leads to %q, which does not exist", to)
	}
	c.Node = to
	return f.run(c, n.where()+": "+why)
}
