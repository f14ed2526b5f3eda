package flowtest

import (
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/graph"
)

// Taken is one decision of a run: the node it led to, and the place of the route that did, with the
// rule.
type Taken struct {
	Node string
	Rule string
	At   flow.Pos
	End  bool // the run ended with it

	Branch string // of parallel or for_each; empty outside
}

// Coverage is what the cases of one flow took of it.
type Coverage struct {
	Flow   string    `json:"flow"`
	File   string    `json:"file"`
	Nodes  Share     `json:"nodes"`
	Routes Share     `json:"routes"`
	Never  []NotSeen `json:"never"`

	g      graph.Graph
	nodes  map[string]bool
	routes []bool // by edge
}

// Share is how many of all were taken.
type Share struct {
	Taken int `json:"taken"`
	Of    int `json:"of"`
}

// NotSeen is a node or a route that no case took.
type NotSeen struct {
	What string `json:"what"` // node or route
	Name string `json:"name"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

// NewCoverage begins to count for a flow; file is where its source lies.
func NewCoverage(f *flow.Flow, file string) *Coverage {
	g := graph.Of(f)
	return &Coverage{Flow: f.ID, File: file, g: g, nodes: map[string]bool{}, routes: make([]bool, len(g.Edges))}
}

// Add counts what one conversation took, in order.
func (c *Coverage) Add(path []Taken) {
	before := map[string]string{} // by branch
	for _, t := range path {
		c.nodes[t.Node] = true
		for i, e := range c.g.Edges {
			if c.led(e, t, before[t.Branch]) {
				c.routes[i] = true
			}
		}
		before[t.Branch] = t.Node
	}
}

// led says whether a decision went along an edge.
func (c *Coverage) led(e graph.Edge, t Taken, before string) bool {
	to := t.Node
	if t.End {
		to = ""
	}
	switch e.Kind {
	case graph.Timeout:
		return t.Rule == flow.RuleTimeout && e.To == to && c.at(e.From) == t.At
	case graph.Branch:
		return t.Branch != "" && t.Rule == flow.RuleStart && e.To == to
	case graph.Compensate:
		return t.Rule == flow.RuleCompensate && e.To == to
	}
	switch t.Rule {
	case flow.RuleNext, flow.RuleStatus, flow.RuleCondition, flow.RuleDefault, flow.RuleErrorRoute, flow.RuleWhen, flow.RuleTimeout:
		return e.To == to && e.Pos == t.At && (e.From == before || t.Rule == flow.RuleWhen || t.Rule == flow.RuleTimeout)
	case flow.RuleResume, flow.RuleWait, flow.RuleFork: // they do not say by which route, so it must be the only one
		return e.To == to && e.From == before && e.Kind != graph.Timeout && c.only(e)
	}
	return false
}

// only says whether no other edge leads between the nodes of one.
func (c *Coverage) only(e graph.Edge) bool {
	n := 0
	for _, other := range c.g.Edges {
		if other.From == e.From && other.To == e.To {
			n++
		}
	}
	return n == 1
}

func (c *Coverage) at(node string) flow.Pos {
	for _, n := range c.g.Nodes {
		if n.ID == node {
			return n.Pos
		}
	}
	return flow.Pos{}
}

// Sum fills in the shares and what was never taken. A way on that is no choice does not count: the
// end of a node without routes.
func (c *Coverage) Sum() {
	c.Nodes, c.Routes, c.Never = Share{Of: len(c.g.Nodes)}, Share{}, []NotSeen{}
	for _, n := range c.g.Nodes {
		if c.nodes[n.ID] {
			c.Nodes.Taken++
		} else {
			c.Never = append(c.Never, NotSeen{"node", n.ID, n.Pos.Line, n.Pos.Col})
		}
	}
	for i, e := range c.g.Edges {
		if e.To == "" && e.Kind == graph.Next {
			continue
		}
		if c.Routes.Of++; c.routes[i] {
			c.Routes.Taken++
			continue
		}
		if !c.nodes[e.From] {
			continue // that its node is not taken says it
		}
		name := e.From + " → " + e.To
		if e.To == "" {
			name = e.From + " ends"
		}
		if e.Label != "" {
			name += " (" + e.Label + ")"
		}
		c.Never = append(c.Never, NotSeen{"route", name, e.Pos.Line, e.Pos.Col})
	}
}

// Percent is the share of nodes and routes together that were taken, rounded down; 100 for a flow
// that has none.
func (c *Coverage) Percent() int {
	of := c.Nodes.Of + c.Routes.Of
	if of == 0 {
		return 100
	}
	return 100 * (c.Nodes.Taken + c.Routes.Taken) / of
}
