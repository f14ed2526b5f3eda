package flow

import (
	"fmt"
	"maps"

	"greentic.dev/greentic/fault"
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
	c := Cursor{Flow: f.ID, Node: f.Entrypoints["default"], Entry: input, Input: input}
	if c.Node == "" && len(f.Nodes) > 0 {
		c.Node = f.Nodes[0].ID
	}
	return c
}

// Next says what to do after got happened at cursor. It is pure: the same arguments give the
// same step, and neither is changed. What goes wrong in the flow is a DoFail step; an error is
// a wrong call: fault.NotFound for a node that is not there, fault.Invalid for a cursor of
// another flow, fault.Internal for an unknown Got.
func (f *Flow) Next(cursor Cursor, got Got) (Step, error) {
	if cursor.Flow != f.ID {
		return Step{}, fault.Newf(fault.Invalid, "flow "+f.ID, "the cursor belongs to flow %q", cursor.Flow)
	}
	if cursor.Node == "" && len(f.Nodes) == 0 {
		return Step{}, fault.New(fault.NotFound, "flow "+f.ID, "no start node")
	}
	n := f.byID[cursor.Node]
	if n == nil {
		return Step{}, fault.Newf(fault.NotFound, "flow "+f.ID, "there is no node %q", cursor.Node)
	}
	c := cursor
	c.Nodes = maps.Clone(cursor.Nodes)
	switch got.What {
	case GotStart:
		return f.run(c, "the run starts at "+n.ID), nil
	case GotInput:
		reroute := c.Reroute
		c.Input, c.Steps, c.Parked, c.Reroute = got.Value, 0, false, false
		if reroute {
			return f.route(c, n), nil
		}
		return f.run(c, "the run goes on at "+n.ID), nil
	case GotOutput:
		return f.settle(c, n, got.Value), nil
	case GotError:
		return f.recover(c, n, got.Error), nil
	}
	return Step{}, fault.Newf(fault.Internal, "flow "+f.ID, "unknown happening %d", got.What)
}

// settle keeps the output of n and routes.
func (f *Flow) settle(c Cursor, n *Node, payload any) Step {
	out := Output{OK: true, Payload: payload}
	if m, ok := payload.(map[string]any); ok {
		if b, ok := m["ok"].(bool); ok {
			out.OK = b
		}
	}
	if n.output != nil {
		s := f.scope(c)
		s["result"], s["error"], s["input"] = payload, nil, f.renderedInput(c, n)
		var err error
		if out.Payload, err = n.output.Render(s, true); err != nil {
			return failed(c, n, "output_mapping", err)
		}
	}
	return f.route(c.with(n, out), n)
}

// recover routes a failure when n has err_map or a route for status error; else the run fails.
func (f *Flow) recover(c Cursor, n *Node, fail *NodeFail) Step {
	if fail == nil {
		fail = &NodeFail{Code: "internal", Message: "the node failed without saying why"}
	}
	problem := map[string]any{"code": fail.Code, "message": fail.Message, "retryable": fail.Retryable, "details": fail.Details}
	out := Output{Payload: map[string]any{"ok": false, "error": problem}}
	switch {
	case n.errMap != nil:
		s := f.scope(c)
		s["result"], s["error"], s["input"] = nil, problem, f.renderedInput(c, n)
		var err error
		if out.Payload, err = n.errMap.Render(s, true); err != nil {
			return failed(c, n, "error_mapping", err)
		}
	case !n.routesErrors():
		copied := *fail
		return Step{Do: DoFail, Cursor: c, Node: n.ID, Fail: &copied, Why: n.where() + " failed and has no route for errors"}
	}
	return f.route(c.with(n, out), n)
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

// renderedInput is the input of n again, for output mappings; nil when it does not render.
func (f *Flow) renderedInput(c Cursor, n *Node) any {
	if n.input == nil {
		return nil
	}
	v, err := n.input.Render(f.scope(c), true)
	if err != nil {
		return nil
	}
	return v
}

// with is c after n left out; c is ours already, but its map may be nil.
func (c Cursor) with(n *Node, out Output) Cursor {
	if c.Nodes == nil {
		c.Nodes = map[string]Output{}
	}
	c.Nodes[n.ID] = out
	c.Prev, c.Last = out.Payload, n.ID
	return c
}

// where names n with its place in the source.
func (n *Node) where() string {
	if n.Pos.Line == 0 {
		return "node " + n.ID
	}
	return fmt.Sprintf("node %s (line %d)", n.ID, n.Pos.Line)
}

func failed(c Cursor, n *Node, code string, err error) Step {
	return failure(c, n, code, "%v", err)
}

func failure(c Cursor, n *Node, code, format string, args ...any) Step {
	message := fmt.Sprintf(format, args...)
	return Step{Do: DoFail, Cursor: c, Node: n.ID, Fail: &NodeFail{Code: code, Message: message}, Why: n.where() + ": " + message}
}
