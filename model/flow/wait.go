package flow

import (
	"fmt"
	"time"

	"greentic.dev/model/flow/policy"
)

// codeWaits is the failure code of a compensation that would wait.
const codeWaits = "compensation_waits"

const (
	minWait = time.Second
	maxWait = policy.MaxWait
)

// wait parks the run at the successor; with conditions it parks at n and routes on the next input.
func (f *Flow) wait(c Cursor, n *Node, input any) Step {
	if fail := c.waits(); fail != nil {
		return f.fail(c, n, fail, n.where+": "+fail.Message)
	}
	reason, _ := input.(string)
	var timeout time.Duration
	c.OnTimeout = ""
	if m, ok := input.(map[string]any); ok {
		reason, _ = m["reason"].(string)
		if v := m["timeout"]; v != nil {
			if timeout, ok = waitTime(v); !ok {
				return f.failure(c, n, "wait_timeout", "timeout %v is not %s", v, waitRange)
			}
		}
		c.OnTimeout, _ = m["on_timeout"].(string)
	}
	if c.OnTimeout != "" && f.byID[c.OnTimeout] == nil {
		return f.failure(c, n, "missing_node", "on_timeout names %q, which does not exist", c.OnTimeout)
	}
	c = c.with(n, Output{OK: true, Payload: c.Prev})
	c.Parked = true
	step := Step{Do: DoWait, Node: n.ID, Reason: reason, Timeout: timeout}
	to := n.Routing.To
	switch n.Routing.Form {
	case RouteNext:
	case RouteBranch:
		to, c.Reroute = n.Routing.Default, len(n.Routing.Status) > 0
	case RouteCustom:
		if len(n.Routing.Routes) == 1 && n.Routing.Routes[0].Condition == "" && n.Routing.Routes[0].Status == "" {
			to = n.Routing.Routes[0].To
		} else {
			c.Reroute = true
		}
	}
	if c.Reroute {
		step.Cursor = c
		return step.because(reasoning{RuleWait, n.Pos, n.where + " waits and routes on the next input"})
	}
	if f.byID[to] == nil {
		return f.failure(c, n, "wait_without_next", "session.wait needs a route to a node")
	}
	c.Node = to
	step.Cursor = c
	return step.because(reasoning{RuleWait, n.Pos, n.where + " waits; the next input goes to " + to})
}

// waitTime reads the timeout of a wait.
func waitTime(v any) (time.Duration, bool) {
	d, ok := policy.Duration(v)
	return d, ok && d >= minWait && d <= maxWait
}

const waitRange = "a duration from 1s to 8784h"

// timedOut goes on after a wait nobody ended: to its on_timeout, by its route for the status
// timeout, else to the end.
func (f *Flow) timedOut(c Cursor, n *Node) Step {
	waited := n
	if !c.Reroute && f.byID[c.Last] != nil { // parked at the successor
		waited = f.byID[c.Last]
	}
	r := reasoning{RuleTimeout, waited.Pos, waited.where + " waited too long"}
	to, reroute := c.OnTimeout, c.Reroute
	c.Steps, c.Parked, c.Reroute, c.OnTimeout = 0, false, false, ""
	if to != "" {
		r.why += "; on_timeout leads to " + to
		return f.jump(c, waited, to, r)
	}
	if reroute {
		if to, ok := n.Routing.Status["timeout"]; ok {
			r.at, r.why = n.Routing.PlaceOr("timeout", n.Pos), r.why+"; status timeout routes to "+to
			return f.jump(c, n, to, r)
		}
		for i, route := range n.Routing.Routes {
			if route.Status == "timeout" && route.Condition == "" {
				r.at, r.why = route.PlaceOr(n.Pos), fmt.Sprintf("%s; route %d, status timeout", r.why, i)
				return f.follow(c, n, route, r)
			}
		}
	}
	r.why += " and has no way on from there: the run ends"
	return Step{Do: DoEnd, Cursor: c, Node: waited.ID}.because(r)
}
