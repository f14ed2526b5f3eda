package flow

import (
	"fmt"
	"slices"
	"strings"

	"greentic.dev/model/flow/policy"
)

// MaxCalls is how deep flows may call each other; MaxJumps is how often a turn may jump.
const (
	MaxCalls = 16
	MaxJumps = 16
)

// The failure codes of calls and jumps.
const (
	CallLimit    = "call_limit"     // more than MaxCalls flows deep
	JumpLimit    = "jump_limit"     // more than MaxJumps jumps in one turn
	FlowMissing  = "flow_not_found" // the pack has no such flow
	codeJump     = "jump_failed"
	codeJumpUndo = "jump_compensations"
)

// call begins another flow of the pack with a cursor of its own; when that ends, its last output is
// the output of n. Without input it is given the newest.
func (f *Flow) call(c Cursor, n *Node, input any) Step {
	fields, _ := input.(map[string]any)
	id := firstText(fields, "flow_id", "flow")
	if id == "" {
		return f.failure(c, n, FlowMissing, "flow.call needs flow_id, a text")
	}
	chain := append(c.Chain(), id)
	if len(chain) > MaxCalls {
		self := ""
		if slices.Contains(chain[:len(chain)-1], id) {
			self = "; " + id + " calls itself"
		}
		return f.failure(c, n, CallLimit, "more than %d flows deep: %s%s", MaxCalls, strings.Join(chain, " -> "), self)
	}
	c.Attempt++
	given, ok := fields["input"]
	if !ok {
		given = c.Input
	}
	point, _ := fields["entrypoint"].(string)
	called := Cursor{Flow: id, Entrypoint: point, Entry: given, Input: given, Steps: c.Steps, Limit: c.Limit, Jumps: c.Jumps, Caller: &c}
	return Step{Do: DoCall, Cursor: called, Node: n.ID, Attempt: c.Attempt, Input: given}
}

// Chain is the flows that called each other to get here, the first one first.
func (c Cursor) Chain() []string {
	var list []string
	for at := &c; at != nil; at = at.Caller {
		list = append(list, at.Flow)
	}
	slices.Reverse(list)
	return list
}

// Undoing says whether c, or a run that waits for it, compensates.
func (c Cursor) Undoing() bool {
	for at := &c; at != nil; at = at.Caller {
		if at.Failure != nil {
			return true
		}
	}
	return false
}

// heard is c and the runs that wait for it after a new input.
func (c Cursor) heard(input any) *Cursor {
	c.Input = input
	if c.Caller != nil {
		c.Caller = c.Caller.heard(input)
	}
	return &c
}

// returned gives the outcome of a run that was called to the run that called it.
func (s Step) returned() Step {
	if s.Cursor.Caller == nil || s.Do != DoEnd && s.Do != DoFail {
		return s
	}
	ended := s.Cursor
	s.Cursor, s.Do, s.Reply, s.Payload = *ended.Caller, DoReturn, false, ended.Prev
	s.Cursor.Steps, s.Cursor.Jumps = ended.Steps, ended.Jumps
	return s
}

// control reads what a component's output asks the flow to do (greentic_control, version 1): jump to
// a target or respond with a text. Only components may: other outputs may hold what a user wrote.
func (f *Flow) control(c Cursor, n *Node, payload any) (Step, bool) {
	outer, _ := payload.(map[string]any)
	if n.calls != "" || outer["greentic_control"] == nil {
		return Step{}, false
	}
	m, _ := outer["greentic_control"].(map[string]any)
	switch action, _ := m["action"].(string); action {
	case "jump":
		target, _ := m["target"].(map[string]any)
		limit := MaxJumps
		if v, ok := policy.Number(m["max_redirects"]); ok && v >= 0 {
			limit = min(limit, int(v))
		}
		c = c.with(n, Output{OK: true, Payload: payload})
		return f.leap(c, n, target, m["params"], limit), true
	case "respond":
		if text, ok := m["text"].(string); ok {
			return Step{Do: DoEmit, Cursor: c, Node: n.ID, Payload: map[string]any{"text": text}}.
				because(reasoning{RuleJump, n.Pos, n.where + " responds"}), true
		}
	}
	return f.failure(c, n, codeJump, "greentic_control is neither {action: jump, target: {flow, node}} nor {action: respond, text}"), true
}

// leap goes on at a node of this flow or of another one of the pack, without coming back.
func (f *Flow) leap(c Cursor, n *Node, target map[string]any, params any, limit int) Step {
	id, node := firstText(target, "flow_id", "flow"), firstText(target, "node")
	if id == "" && node == "" {
		return f.failure(c, n, codeJump, "a jump needs flow or node")
	}
	if c.Jumps++; c.Jumps > limit {
		return f.failure(c, n, JumpLimit, "more than %d jumps in one turn, the last to %s", limit, strings.TrimPrefix(id+"/"+node, "/"))
	}
	if m, ok := params.(map[string]any); params != nil && (!ok || len(m) > 0) {
		c.Input = params
	}
	r := reasoning{RuleJump, n.Pos, n.where + ": jumps to " + strings.Trim(id+"/"+node, "/")}
	if id == "" || id == f.ID {
		if node == "" {
			node = f.first()
		}
		return f.jump(c, n, node, r)
	}
	if i := c.pending(); i >= 0 {
		return f.failure(c, n, codeJumpUndo, "node %s is undone by this flow only; call %s with flow.call", c.Compensations[i].Node, id)
	}
	to := Cursor{Flow: id, Node: node, Entry: c.Input, Input: c.Input, Steps: c.Steps, Limit: c.Limit, Jumps: c.Jumps, Caller: c.Caller}
	return Step{Do: DoJump, Cursor: to, Node: n.ID}.because(r)
}

// begin is a cursor that has not begun at the node it begins with.
func (f *Flow) begin(c Cursor) (Cursor, error) {
	if c.Node = f.first(); c.Entrypoint != "" {
		if c.Node = f.Entrypoints[c.Entrypoint]; c.Node == "" {
			return c, fmt.Errorf("there is no entrypoint %q", c.Entrypoint)
		}
	}
	c.Entrypoint = ""
	return c, nil
}

// first is the node a run begins with, or empty.
func (f *Flow) first() string {
	if id := f.Entrypoints["default"]; id != "" || len(f.Nodes) == 0 {
		return id
	}
	return f.Nodes[0].ID
}
