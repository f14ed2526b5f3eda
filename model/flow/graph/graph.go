package graph

import (
	"maps"
	"slices"
	"strings"

	"greentic.dev/model/flow"
)

// Graph is a flow as what leads where.
type Graph struct {
	ID    string
	Title string
	Nodes []Node // in the order of the flow
	Edges []Edge // in the order of their nodes, then of their routes
}

// Node is one step.
type Node struct {
	ID    string
	Does  string   // the component with its operation, or the builtin
	Waits bool     // it waits for input
	Entry []string // the entrypoints that lead here, sorted
	Pos   flow.Pos
}

// Kind says why an edge is taken.
type Kind string

// The kinds of edges.
const (
	Next       Kind = "next"       // always
	Status     Kind = "status"     // for a status
	Condition  Kind = "condition"  // when a condition holds
	Default    Kind = "default"    // otherwise
	Timeout    Kind = "timeout"    // when a wait comes to its end
	Branch     Kind = "branch"     // side by side with other branches
	Compensate Kind = "compensate" // to undo the node
)

// Edge leads from a node to another one or, with an empty To, to the end of the run.
type Edge struct {
	From, To string
	Kind     Kind
	Label    string // the status or condition, or nothing
	Pos      flow.Pos
}

// Of is the graph of a flow.
func Of(f *flow.Flow) Graph {
	g := Graph{ID: f.ID, Title: f.Title}
	entries := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(f.Entrypoints)) {
		entries[f.Entrypoints[name]] = append(entries[f.Entrypoints[name]], name)
	}
	for _, n := range f.Nodes {
		does, name := describe(n)
		g.Nodes = append(g.Nodes, Node{ID: n.ID, Does: does, Waits: name == "session.wait", Entry: entries[n.ID], Pos: n.Pos})
		g.Edges = append(g.Edges, edges(n)...)
	}
	return g
}

// describe is what a node does, in words and as the name of the builtin or component.
func describe(n *flow.Node) (does, name string) {
	mapping, _ := n.Input.(map[string]any)
	name = n.Component
	op := n.Operation
	if name == "component.exec" {
		if named, ok := mapping["component"].(string); ok {
			name = named
		} else if op != "" {
			name, op = op, ""
		}
		if named, ok := mapping["operation"].(string); ok && op == "" {
			op = named
		}
	}
	if op == "" || op == name {
		return name, name
	}
	return name + " · " + op, name
}

// edges are the ways on from a node.
func edges(n *flow.Node) []Edge {
	var out []Edge
	add := func(to string, kind Kind, label string, pos flow.Pos) {
		if pos == (flow.Pos{}) {
			pos = n.Pos
		}
		out = append(out, Edge{n.ID, to, kind, label, pos})
	}
	if jump, to := leap(n); jump {
		if to == "" {
			add("", Next, "to another flow", n.Pos)
		} else {
			add(to, Next, "", n.Pos)
		}
		return out
	}
	r := n.Routing
	switch r.Form {
	case flow.RouteNext:
		add(r.To, Next, "", r.Place(""))
	case flow.RouteBranch:
		for _, s := range slices.SortedFunc(maps.Keys(r.Status), func(a, b string) int { return before(r.Place(a), r.Place(b), a, b) }) {
			add(r.Status[s], Status, s, r.Place(s))
		}
		if r.Default != "" {
			add(r.Default, Default, "", r.Place(""))
		}
	case flow.RouteCustom:
		for _, route := range r.Routes {
			kind, label := Default, route.Condition
			if route.Status != "" {
				kind, label = Status, strings.TrimSpace(route.Status+" "+label)
			}
			if route.Condition != "" {
				kind = Condition
			}
			if route.Out || route.Reply {
				route.To = ""
			}
			add(route.To, kind, label, route.Pos)
		}
	default:
		add("", Next, "", n.Pos)
	}
	if m, ok := n.Input.(map[string]any); ok && n.Builtin() == "session.wait" {
		if to, ok := m["on_timeout"].(string); ok && to != "" {
			label, _ := m["timeout"].(string)
			add(to, Timeout, strings.TrimSpace("after "+label), n.Pos)
		}
	}
	if n.Parallel != nil {
		for _, b := range n.Parallel.Branches {
			add(b.Node, Branch, b.Name, n.Pos)
		}
	}
	if n.Compensate != "" {
		add(n.Compensate, Compensate, "undo", n.Pos)
	}
	return out
}

// leap says whether a node goes on elsewhere, and at which node of this flow if it stays in it.
func leap(n *flow.Node) (jumps bool, to string) {
	if n.Builtin() != "flow.goto" {
		return false, ""
	}
	m, _ := n.Input.(map[string]any)
	if to, _ = m["node"].(string); m["flow"] != nil || m["flow_id"] != nil {
		to = ""
	}
	return true, to
}

func before(a, b flow.Pos, x, y string) int {
	if a != b {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	}
	return strings.Compare(x, y)
}

// Run is what happened in a run, for drawing it over the flow. The zero value is no run.
type Run struct {
	Route []string         // the nodes in the order they ran; edges between neighbours were taken
	State map[string]State // how nodes ended; one in Route without a state is Done
}

// State is how a node ended.
type State string

// The states of a node.
const (
	Done    State = "done"
	Failed  State = "failed"
	Waiting State = "waiting"
	Running State = "running"
	Skipped State = "skipped"
)

// state is the state of a node, empty when it did not run.
func (r Run) state(id string) State {
	if s, ok := r.State[id]; ok {
		return s
	}
	if slices.Contains(r.Route, id) {
		return Done
	}
	return ""
}

// taken says whether the run went along an edge.
func (r Run) taken(e Edge) bool {
	for i, id := range r.Route {
		switch {
		case id != e.From:
		case e.To == "" && i == len(r.Route)-1:
			s := r.state(id)
			return s == Done
		case e.To != "" && i+1 < len(r.Route) && r.Route[i+1] == e.To:
			return true
		}
	}
	return false
}

func (r Run) any() bool { return len(r.Route) > 0 || len(r.State) > 0 }
