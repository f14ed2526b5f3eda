package flow

import (
	"fmt"
	"maps"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
)

// MaxSteps is how many nodes a turn may execute when Cursor.Limit does not say.
const MaxSteps = 200

// StepLimit is the failure code of a turn that executed too many.
const StepLimit = "step_limit"

// Node is the node called id, or nil.
func (f *Flow) Node(id string) *Node { return f.byID[id] }

// Start is a cursor at the default entrypoint with input as entry and newest input. A flow
// without nodes gives a cursor that Next refuses with fault.NotFound.
func (f *Flow) Start(input any) Cursor {
	return Cursor{Flow: f.ID, Node: f.first(), Entry: input, Input: input}
}

// Next says what to do after got happened at cursor. It is pure: the same arguments give the
// same step, and neither is changed. What goes wrong in the flow is a DoFail step; an error is
// a wrong call: fault.NotFound for a node that is not there, fault.Invalid for a cursor of
// another flow or a timeout of one that does not wait, fault.Internal for an unknown Got.
func (f *Flow) Next(cursor Cursor, got Got) (Step, error) {
	step, err := f.next(cursor, got)
	return step.returned(), err
}

func (f *Flow) next(cursor Cursor, got Got) (_ Step, err error) {
	if cursor.Flow != f.ID {
		return Step{}, fault.Newf(fault.Invalid, "flow "+f.ID, "the cursor belongs to flow %q", cursor.Flow)
	}
	if cursor.Node == "" && len(f.Nodes) == 0 {
		return Step{}, fault.New(fault.NotFound, "flow "+f.ID, "no start node")
	}
	if cursor.Node == "" && got.What == GotStart {
		if cursor, err = f.begin(cursor); err != nil {
			return f.fail(cursor, f.Nodes[0], &NodeFail{Code: "entrypoint", Message: err.Error()}, err.Error()), nil
		}
	}
	n := f.byID[cursor.Node]
	if n == nil {
		return Step{}, fault.Newf(fault.NotFound, "flow "+f.ID, "there is no node %q", cursor.Node)
	}
	c := cursor
	switch got.What {
	case GotStart:
		return f.run(c, reasoning{RuleStart, n.Pos, "the run starts at " + n.ID}), nil
	case GotInput:
		reroute := c.Reroute
		c = *c.heard(got.Value)
		c.Steps, c.Jumps, c.Parked, c.Reroute, c.OnTimeout = 0, 0, false, false, ""
		if c.Asking != "" && n.calls == "questions" {
			return f.answered(c, n), nil
		}
		if reroute {
			return f.route(c, n), nil
		}
		return f.run(c, reasoning{RuleResume, n.Pos, "the run goes on at " + n.ID}), nil
	case GotTimeout:
		if !c.Parked {
			return Step{}, fault.Newf(fault.Invalid, "flow "+f.ID, "the run does not wait at %s", n.ID)
		}
		return f.timedOut(c, n), nil
	case GotRetry:
		return f.execute(c, n, reasoning{RuleRetry, n.Pos, fmt.Sprintf("%s is tried again after %d tries", n.where, c.Attempt)}, nil), nil
	case GotOutput:
		if c.Asking != "" && n.calls == "questions" {
			return f.asked(c, n), nil
		}
		if step, ok := f.control(c, n, got.Value); ok {
			return step, nil
		}
		return f.settle(c, n, got.Value), nil
	case GotJoin:
		if n.ForEach == nil && n.Parallel == nil {
			return Step{}, fault.Newf(fault.Invalid, "flow "+f.ID, "node %s has no branches", n.ID)
		}
		return f.join(c, n, got.Branches), nil
	case GotError:
		return f.recover(c, n, got.Error), nil
	case GotAbort:
		return f.fail(c, n, got.Error, "the run was ended before "+n.where), nil
	}
	return Step{}, fault.Newf(fault.Internal, "flow "+f.ID, "unknown happening %d", got.What)
}

// settle takes the output of the operation of n.
func (f *Flow) settle(c Cursor, n *Node, payload any) Step {
	if n.Parallel != nil {
		return f.parallel(c, n, payload)
	}
	return f.leave(c, n, payload, n.output)
}

// leave keeps what n leaves, mapped by output unless that is nil, and routes.
func (f *Flow) leave(c Cursor, n *Node, payload any, output *expr.Mapping) Step {
	out := Output{OK: true, Payload: payload}
	if m, ok := payload.(map[string]any); ok {
		if b, ok := m["ok"].(bool); ok {
			out.OK = b
		}
	}
	undo := n.Compensate != "" && out.OK && c.Failure == nil && !c.item(n)
	if output != nil {
		mapped, err := output.Render(f.after(c, n, output, payload, nil), true)
		if err != nil && undo { // what it did is done, also when its output is of no use
			c = c.remember(n, out)
		}
		if err != nil {
			return f.failed(c, n, "output_mapping", err)
		}
		out.Payload = mapped
	}
	c, unfit := f.fill(c.with(n, out), slotsIn(out.Payload))
	if unfit != "" {
		if undo { // what it did is done all the same
			c = c.remember(n, out)
		}
		return f.caught(c, n, &NodeFail{Code: codeSlot, Message: unfit}, 1)
	}
	if undo {
		c = c.remember(n, out)
	}
	switch {
	case c.item(n):
		return Step{Do: DoEnd, Cursor: c, Node: n.ID}.because(reasoning{RuleEnd, n.Pos, n.where + " is done with an item"})
	case c.Failure != nil && out.OK:
		return f.compensated(c, nil)
	case c.Failure != nil:
		return f.compensated(c, &NodeFail{Code: "not_ok", Message: n.where + " answered that it is not ok"})
	case len(c.Compensations) > MaxCompensations:
		return f.failure(c, n, CompensationLimit, "more than %d nodes to compensate", MaxCompensations)
	}
	return f.route(c, n)
}

// recover tries n again when its policy says so, else routes the failure when n has err_map or a
// route for status error; else the run fails.
func (f *Flow) recover(c Cursor, n *Node, fail *NodeFail) Step {
	if fail == nil {
		fail = &NodeFail{Code: "internal", Message: "the node failed without saying why"}
	}
	tries := max(c.Attempt, 1)
	if n.Retry.Again(fail.Code, fail.Kind, fail.Retryable, tries) {
		copied := *fail
		step := Step{Do: DoRetry, Cursor: c, Node: n.ID, Attempt: tries, Delay: n.Retry.Delay(fail.Backoff, tries), Fail: &copied}
		return step.because(reasoning{RuleRetry, n.Pos, fmt.Sprintf("%s failed with %s in try %d of %d", n.where, fail.Code, tries, n.Retry.Attempts)})
	}
	return f.caught(c, n, fail, tries)
}

// problem is a failure as flows see it.
func problem(fail *NodeFail, tries int) map[string]any {
	return map[string]any{"code": fail.Code, "message": fail.Message, "retryable": fail.Retryable, "attempts": int64(tries), "details": fail.Details}
}

// caught routes a failure that is not tried again, or fails the run with it.
func (f *Flow) caught(c Cursor, n *Node, fail *NodeFail, tries int) Step {
	problem := problem(fail, tries)
	out := Output{Payload: map[string]any{"ok": false, "error": problem}}
	switch {
	case c.item(n) && (n.errMap == nil || !n.ForEach.Continue):
		return f.fail(c, n, fail, fmt.Sprintf("%s failed with item %d", n.where, c.Within.Index))
	case c.Failure != nil:
		return f.compensated(c.with(n, out), fail)
	case n.errMap != nil:
		var err error
		if out.Payload, err = n.errMap.Render(f.after(c, n, n.errMap, nil, problem), true); err != nil {
			return f.failed(c, n, "error_mapping", err)
		}
	case !n.routesErrors():
		return f.fail(c, n, fail, fmt.Sprintf("%s failed in try %d and has no route for errors", n.where, tries))
	}
	if c.item(n) {
		return Step{Do: DoEnd, Cursor: c.with(n, out), Node: n.ID}.because(reasoning{RuleErrorRoute, n.Pos, n.where + " maps the failure of an item"})
	}
	step := f.route(c.with(n, out), n)
	switch step.Rule {
	case RuleNext, RuleStatus, RuleCondition, RuleDefault:
		step.Rule = RuleErrorRoute
	}
	return step
}

func (n *Node) routesErrors() bool {
	if _, ok := n.Routing.Status["error"]; ok {
		return true
	}
	for _, r := range n.Routing.Routes {
		if r.Status == "error" {
			return true
		}
	}
	return false
}

// after is the scope of an output or error mapping: what came out beside what n was given.
func (f *Flow) after(c Cursor, n *Node, m *expr.Mapping, result, problem any) expr.Scope {
	s := f.scope(c, m.Roots(), nil)
	s["result"], s["error"], s["input"] = result, problem, nil
	if v, err := f.given(c, n); err == nil {
		s["input"] = v
	}
	return s
}

// with is c after n left out, with a map of outputs of its own.
func (c Cursor) with(n *Node, out Output) Cursor {
	nodes := make(map[string]Output, len(c.Nodes)+1)
	maps.Copy(nodes, c.Nodes)
	nodes[n.ID] = out
	c.Nodes, c.Prev, c.Last, c.Attempt = nodes, out.Payload, n.ID, 0
	return c
}

// reasoning is why Next decided what it did.
type reasoning struct {
	rule string
	at   Pos
	why  string
}

// because gives s its reason, unless something nearer to it has.
func (s Step) because(r reasoning) Step {
	if s.Rule == "" {
		s.Rule, s.At, s.Why = r.rule, r.at, r.why
	}
	return s
}

// skipping puts the nodes skipped before s in front of those it names.
func (s Step) skipping(nodes []string) Step {
	if len(nodes) > 0 {
		s.Skipped = append(nodes, s.Skipped...)
	}
	return s
}

func (f *Flow) failed(c Cursor, n *Node, code string, err error) Step {
	return f.failure(c, n, code, "%v", err)
}

func (f *Flow) failure(c Cursor, n *Node, code, format string, args ...any) Step {
	message := fmt.Sprintf(format, args...)
	return f.fail(c, n, &NodeFail{Code: code, Message: message}, n.where+": "+message)
}
