package lint

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"greentic.dev/model/component"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/graph"
)

// Subject is a flow and what is known around it.
type Subject struct {
	Flow   *flow.Flow
	Places flow.Places

	Pack *Pack // nil: only the flow itself is looked at
}

// Pack is what a flow may rely on.
type Pack struct {
	Components map[string]Component
	Calls      map[string]Call // by node: what the pack builder makes of it; a node that is missing is taken as it stands
	Flows      []string        // ids; nil: not known
	Hosts      []string        // that the pack declares, lower case
	Texts      map[string]bool // keys of the default language; nil: not known
}

// Call is what a node calls.
type Call struct{ Component, Operation string }

// Component is what is known of a component.
type Component struct {
	Operations []component.Operation
	Declared   *component.Capabilities // nil: it has no manifest
	Uses       []string                // what its code asks the host for: host:http, host:secrets, host:state; nil: not known
}

// Check lists what is wrong with a compiled flow beyond what the compiler says, in the order of
// the source. A flow that the compiler refused may be given as far as it was read.
func Check(s Subject) flow.Diagnostics {
	c := &checker{Subject: s, graph: graph.Of(s.Flow)}
	c.look()
	c.reach()
	for _, n := range s.Flow.Nodes {
		c.routes(n)
		c.guard(n)
		c.mappings(n)
		if s.Pack != nil {
			c.call(n)
		}
	}
	slices.SortStableFunc(c.found, func(a, b flow.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return c.found
}

type checker struct {
	Subject
	graph graph.Graph
	found flow.Diagnostics
	ways  map[string][]string        // node -> nodes it leads to
	after map[string]map[string]bool // node -> nodes that can run after it; filled when asked
	undo  map[string]bool            // nodes that only compensate
	told  map[string]bool            // components whose capabilities were looked at
	names []string                   // what templates may begin with
	loose bool                       // a route leads to a node that does not exist: what runs when is not known
}

// at is where a finding stands.
type at struct {
	pointer string
	key     bool
	offset  int
}

func (c *checker) add(rule string, where at, fix, format string, args ...any) {
	r, _ := RuleOf(rule)
	c.found = append(c.found, c.Places.Finding(r.Level, rule, where.pointer, where.key, where.offset, fix, format, args...))
}

func node(id string) at { return at{pointer: "/nodes/" + escape(id), key: true} }

func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
}

// look prepares what several checks ask.
func (c *checker) look() {
	c.ways, c.after, c.undo, c.told = map[string][]string{}, map[string]map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, e := range c.graph.Edges {
		if e.To != "" {
			c.ways[e.From] = append(c.ways[e.From], e.To)
			c.loose = c.loose || c.Flow.Node(e.To) == nil
		}
		if e.Kind == graph.Compensate {
			c.undo[e.To] = true
		}
	}
	c.names = flow.Roots()
	for _, n := range c.Flow.Nodes {
		c.names = append(c.names, n.ID)
		for _, to := range cards(n.Input) { // a button leads there
			if c.Flow.Node(to) != nil {
				c.ways[n.ID] = append(c.ways[n.ID], to)
			}
		}
	}
	c.forks()
}

// forks lets what comes after a node with branches come after the nodes of its branches.
func (c *checker) forks() {
	for _, e := range c.graph.Edges {
		if e.Kind != graph.Branch {
			continue
		}
		var on []string
		for _, other := range c.graph.Edges {
			if other.From == e.From && other.Kind != graph.Branch && other.To != "" {
				on = append(on, other.To)
			}
		}
		for id := range c.reachable([]string{e.To}, true) {
			c.ways[id] = append(c.ways[id], on...)
		}
	}
}

// cards are the nodes that buttons inside a payload name (formats digest 6.8).
func cards(v any) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if to, ok := v[key].(string); ok && (key == "routeToCardId" || key == "toCardId" || key == "nextCardId") {
				out = append(out, to)
			}
			out = append(out, cards(v[key])...)
		}
	case []any:
		for _, item := range v {
			out = append(out, cards(item)...)
		}
	}
	return out
}

// reachable are the nodes that can run after those given, themselves included when include says so.
func (c *checker) reachable(from []string, include bool) map[string]bool {
	seen := map[string]bool{}
	var open []string
	visit := func(ids []string) {
		for _, id := range ids {
			if !seen[id] {
				seen[id] = true
				open = append(open, id)
			}
		}
	}
	if include {
		visit(from)
	} else {
		for _, id := range from {
			visit(c.ways[id])
		}
	}
	for len(open) > 0 {
		id := open[len(open)-1]
		open = open[:len(open)-1]
		visit(c.ways[id])
	}
	return seen
}

// reach finds the nodes that nothing leads to; of those that only each other lead to, all.
func (c *checker) reach() {
	if c.loose {
		return
	}
	var from []string
	for _, name := range slices.Sorted(maps.Keys(c.Flow.Entrypoints)) {
		from = append(from, c.Flow.Entrypoints[name])
	}
	seen := c.reachable(from, true)
	for _, n := range c.Flow.Nodes {
		if !seen[n.ID] {
			c.add(UnreachableNode, node(n.ID), "route to it, or remove it", "no route leads to node %s", n.ID)
		}
	}
}
