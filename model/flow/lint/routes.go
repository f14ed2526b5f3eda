package lint

import (
	"fmt"
	"slices"

	"greentic.dev/model/flow"
	"greentic.dev/model/flow/expr"
)

// earlier is what the routes before one already take: any of the cases, each with all its facts.
type earlier struct {
	route int
	facts []expr.Fact
}

const maxEarlier = 256

// routes finds the routes of a node that are never taken.
func (c *checker) routes(n *flow.Node) {
	if n.Routing.Form == flow.RouteBranch {
		c.branches(n)
		return
	}
	var before []earlier
	always := -1 // the route after which everything is taken
	fallback := -1
	for i, r := range c.Places.Routes(n.ID) {
		where := at{pointer: c.Places.Route(n.ID, i)}
		if r.Condition == "" && r.Status == "" {
			switch {
			case always >= 0:
				c.dead(where, n, i, "route %d always holds, so nothing is left for everything else", always)
			case fallback >= 0:
				c.dead(where, n, i, "route %d is already the one for everything else", fallback)
			}
			fallback = i
			continue
		}
		cases, told := c.cases(n, i, r)
		if told {
			where.pointer += "/condition"
		}
		switch {
		case len(cases) == 0:
			c.dead(where, n, i, "its condition never holds")
			continue
		case always >= 0:
			c.dead(where, n, i, "route %d before it always holds", always)
			continue
		}
		if by := shadow(cases, before); by >= 0 {
			c.dead(where, n, i, "whenever it holds, route %d before it does", by)
			continue
		}
		for _, facts := range cases {
			if len(before) < maxEarlier {
				before = append(before, earlier{i, facts})
			}
		}
		if exhaustive(before) {
			always = i
		}
	}
}

// branches finds the routes of a branch by status that another one takes the place of: here the
// last one counts.
func (c *checker) branches(n *flow.Node) {
	last := map[string]int{}
	list := c.Places.Routes(n.ID)
	for i, r := range list {
		last[r.Status] = i
	}
	for i, r := range list {
		switch by := last[r.Status]; {
		case by == i:
		case r.Status == "":
			c.dead(at{pointer: c.Places.Route(n.ID, i)}, n, i, "route %d takes its place", by)
		default:
			c.dead(at{pointer: c.Places.Route(n.ID, i) + "/status"}, n, i, "route %d takes its place for the status %s", by, r.Status)
		}
	}
}

func (c *checker) dead(where at, n *flow.Node, i int, format string, args ...any) {
	c.add(DeadRoute, where, "remove it, or correct what it asks", "node %s: route %d is never taken: %s", n.ID, i, fmt.Sprintf(format, args...))
}

// cases are the ways in which a route is taken that can happen at all; told says that the reason
// lies in its condition.
func (c *checker) cases(n *flow.Node, i int, r flow.Route) (out [][]expr.Fact, told bool) {
	out = [][]expr.Fact{{}}
	if r.Condition != "" && n.Routing.Form == flow.RouteCustom && i < len(n.Routing.Routes) {
		condition := n.Condition(i)
		if condition == nil { // it does not compile, which the compiler has said
			return [][]expr.Fact{{{Ask: r.Condition}}}, true
		}
		out, told = condition.Cases(), true
	}
	if r.Status != "" {
		for j := range out {
			out[j] = append(slices.Clip(out[j]), expr.Fact{Ask: "(status)", Is: r.Status, Cmp: true})
		}
	}
	return slices.DeleteFunc(out, contradictory), told
}

// contradictory says whether facts cannot all hold.
func contradictory(facts []expr.Fact) bool {
	for i, a := range facts {
		for _, b := range facts[:i] {
			if a.Ask != b.Ask || a.Cmp != b.Cmp {
				continue
			}
			if a.Is == b.Is && a.Not != b.Not || a.Cmp && a.Is != b.Is && !a.Not && !b.Not {
				return true
			}
		}
	}
	return false
}

// implied says whether a fact holds wherever facts do.
func implied(want expr.Fact, facts []expr.Fact) bool {
	return slices.ContainsFunc(facts, func(have expr.Fact) bool {
		return have == want || want.Cmp && have.Cmp && want.Not && !have.Not && want.Ask == have.Ask && want.Is != have.Is
	})
}

// shadow is the route that takes all cases before they are asked for, or the last of several that
// do so together; -1 when there are none.
func shadow(cases [][]expr.Fact, before []earlier) int {
	by := -1
	for _, facts := range cases {
		i := slices.IndexFunc(before, func(e earlier) bool {
			return !slices.ContainsFunc(e.facts, func(want expr.Fact) bool { return !implied(want, facts) })
		})
		if i < 0 {
			return -1
		}
		by = max(by, before[i].route)
	}
	return by
}

// exhaustive says whether one of the cases always holds: it asks nothing, or one asks a single
// thing and another one its opposite.
func exhaustive(list []earlier) bool {
	for i, a := range list {
		if len(a.facts) == 0 {
			return true
		}
		if len(a.facts) != 1 {
			continue
		}
		opposite := a.facts[0]
		opposite.Not = !opposite.Not
		for _, b := range list[:i] {
			if len(b.facts) == 1 && b.facts[0] == opposite {
				return true
			}
		}
	}
	return false
}

// guard finds a when that says nothing.
func (c *checker) guard(n *flow.Node) {
	if n.Guard() == nil {
		return
	}
	cases := slices.DeleteFunc(n.Guard().Cases(), contradictory)
	list := make([]earlier, len(cases))
	for i, facts := range cases {
		list[i].facts = facts
	}
	where := at{pointer: node(n.ID).pointer + "/when/condition"}
	switch {
	case len(cases) == 0:
		c.add(DeadCondition, where, "correct it, or remove the node", "node %s never runs: its condition never holds", n.ID)
	case exhaustive(list):
		c.add(DeadCondition, where, "remove when", "node %s always runs: its condition always holds", n.ID)
	}
}
