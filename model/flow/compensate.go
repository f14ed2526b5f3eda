package flow

import (
	"fmt"
	"slices"
)

// MaxCompensations is how many compensations a run may have waiting; one more fails the run with
// CompensationLimit, which undoes them all.
const MaxCompensations = 100

// CompensationLimit is the failure code of a run that had too many.
const CompensationLimit = "compensation_limit"

// fail ends a run with a failure: at once, or after its compensations. The failure of a
// compensation is kept beside it, and the next one runs.
func (f *Flow) fail(c Cursor, n *Node, fail *NodeFail, why string) Step {
	if c.Failure != nil {
		return f.compensated(c, fail)
	}
	if len(c.Compensations) > 0 {
		c.Failure = &Failure{Node: n.ID, Fail: *fail, Why: why}
		return f.compensate(c)
	}
	copied := *fail
	return Step{Do: DoFail, Cursor: c, Node: n.ID, Fail: &copied}.because(reasoning{RuleFail, n.Pos, why})
}

// compensate undoes the node that succeeded last and is not undone yet. Its compensation sees
// that node's output as it was then, under the node's id and as prev.
func (f *Flow) compensate(c Cursor) Step {
	i := c.pending()
	if i < 0 {
		fail, failed := c.Failure.Fail, f.byID[c.Failure.Node]
		why := fmt.Sprintf("%s; %d nodes were compensated", c.Failure.Why, len(c.Compensations))
		step := Step{Do: DoFail, Cursor: c, Node: c.Failure.Node, Fail: &fail}
		if failed == nil {
			return step.because(reasoning{RuleFail, Pos{}, why})
		}
		return step.because(reasoning{RuleFail, failed.Pos, why})
	}
	undo := c.Compensations[i]
	n, by := f.byID[undo.Node], f.byID[undo.By]
	if n == nil || by == nil {
		return f.compensated(c, &NodeFail{Code: "missing_node", Message: fmt.Sprintf("%q is compensated by %q, one of which does not exist", undo.Node, undo.By)})
	}
	c = c.with(n, undo.Output)
	c.Node = by.ID
	return f.run(c, reasoning{RuleCompensate, n.Pos, n.where + " is compensated by " + by.ID})
}

// compensated goes on after a compensation; fail says how it failed, nil when it did not.
func (f *Flow) compensated(c Cursor, fail *NodeFail) Step {
	if i := c.pending(); i >= 0 {
		c.Compensations = slices.Clone(c.Compensations)
		c.Compensations[i].Done, c.Compensations[i].Fail = true, fail
	}
	return f.compensate(c)
}

// pending is the index of the compensation whose turn it is: the last that has not run.
func (c Cursor) pending() int {
	for i := len(c.Compensations) - 1; i >= 0; i-- {
		if !c.Compensations[i].Done {
			return i
		}
	}
	return -1
}

// remember notes that n is to be undone should the run fail from here on.
func (c Cursor) remember(n *Node, out Output) Cursor {
	c.Compensations = append(slices.Clip(c.Compensations), Compensation{Node: n.ID, By: n.Compensate, Output: out})
	return c
}
