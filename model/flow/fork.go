package flow

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"greentic.dev/model/flow/policy"
)

// The failure codes of nodes that do many things at once.
const (
	FanOutLimit  = "fan_out_limit" // more than policy.MaxBranches items or branches
	codeItems    = "for_each_items"
	codeBranches = "branch_waits"
)

// Within is what a branch knows of the run it left; it belongs to the step that forks, not to the
// cursor as it is stored.
type Within struct {
	Outer *Cursor // at the fork
	Node  string  // that forks
	Item  bool    // an item of for_each, else a branch of parallel
	Value any     // the item
	Index int     // of the item or branch
	Width int     // how many there are, times those of the forks around it
}

// Branched is how a branch ended.
type Branched struct {
	OK            bool              `json:"ok"`
	Output        any               `json:"output"`
	Nodes         map[string]Output `json:"nodes,omitempty"` // what its nodes left
	Compensations []Compensation    `json:"compensations,omitempty"`
	Fail          *NodeFail         `json:"fail,omitempty"` // nil: it came to its end
}

// Branched is how the branch of a step that is DoEnd or DoFail ended.
func (s Step) Branched() Branched {
	c := s.Cursor
	b := Branched{OK: true, Output: c.Prev, Compensations: c.Compensations}
	if last, ok := c.Nodes[c.Last]; ok {
		b.OK = last.OK
	}
	if c.Within == nil || !c.Within.Item {
		b.Nodes = c.Nodes
	}
	if s.Do == DoFail {
		b.OK, b.Fail = false, s.Fail
	}
	return b
}

// Rejoin is a cursor of a branch, as it was stored, within the fork it belongs to again.
func (c Cursor) Rejoin(fork *Within) Cursor {
	if c.Caller == nil {
		c.Within = fork
		return c
	}
	caller := c.Caller.Rejoin(fork)
	c.Caller = &caller
	return c
}

// branching says whether c is, or was called by, a branch.
func (c Cursor) branching() bool {
	for at := &c; at != nil; at = at.Caller {
		if at.Within != nil {
			return true
		}
	}
	return false
}

// waits is the failure of a run that may not wait for input; nil: it may.
func (c Cursor) waits() *NodeFail {
	switch {
	case c.Undoing():
		return &NodeFail{Code: codeWaits, Message: "a compensation cannot wait for input"}
	case c.branching():
		return &NodeFail{Code: codeBranches, Message: "a branch of parallel or for_each cannot wait for input"}
	}
	return nil
}

// item says whether c runs n for one item of its for_each.
func (c Cursor) item(n *Node) bool { return c.Within != nil && c.Within.Item && c.Within.Node == n.ID }

// forEach begins a branch for each item.
func (f *Flow) forEach(c Cursor, n *Node) Step {
	scope := f.scope(c, n.items.Roots(), nil)
	v, ok := n.items.Lookup(scope) // not copied: it may be longer than is allowed
	if !ok {
		var err error
		if v, err = n.items.Render(scope, true); err != nil {
			return f.failed(c, n, codeItems, err)
		}
	}
	items, ok := v.([]any)
	if !ok {
		return f.failure(c, n, codeItems, "the items of for_each are %s, not a list", sortOf(v))
	}
	cursors := make([]Cursor, 0, min(len(items), policy.MaxBranches))
	for i := range items[:cap(cursors)] {
		cursors = append(cursors, c.branch(n.ID, Within{Node: n.ID, Item: true, Value: items[i], Index: i}))
	}
	return f.fork(c, n, len(items), cursors, n.ForEach.Fan)
}

// parallel begins the branches of n, whose operation has left payload.
func (f *Flow) parallel(c Cursor, n *Node, payload any) Step {
	c = c.with(n, Output{OK: true, Payload: payload})
	var cursors []Cursor
	for i, b := range n.Parallel.Branches {
		if f.byID[b.Node] == nil {
			return f.failure(c, n, "missing_node", "branch %s begins at %q, which does not exist", b.Name, b.Node)
		}
		cursors = append(cursors, c.branch(b.Node, Within{Node: n.ID, Index: i}))
	}
	return f.fork(c, n, len(cursors), cursors, n.Parallel.Fan)
}

// branch is the cursor of a branch that has not begun.
func (c Cursor) branch(node string, in Within) Cursor {
	in.Outer = &c
	return Cursor{Flow: c.Flow, Node: node, Entry: c.Entry, Input: c.Input, Answers: c.Answers, Prev: c.Prev, Limit: c.Limit, Within: &in}
}

func (f *Flow) fork(c Cursor, n *Node, count int, cursors []Cursor, fan policy.Fan) Step {
	width := count
	for at := &c; at != nil; at = at.Caller {
		if at.Within != nil {
			width *= at.Within.Width
			break
		}
	}
	switch {
	case width > policy.MaxBranches:
		return f.failure(c, n, FanOutLimit, "%d branches side by side, at most %d are allowed, those within each other multiplied", width, policy.MaxBranches)
	case count == 0:
		return f.join(c, n, nil)
	}
	step := Step{Do: DoFork, Cursor: c, Node: n.ID, Branches: cursors, Concurrency: max(fan.Concurrency, 1), Continue: fan.Continue}
	for i := range cursors {
		cursors[i].Within.Width = width
		step.Names = append(step.Names, n.branchName(i))
	}
	return step.because(reasoning{RuleFork, n.Pos, fmt.Sprintf("%s: %d branches", n.where, count)})
}

// branchName is what the results of a branch are called.
func (n *Node) branchName(i int) string {
	if n.Parallel != nil && i < len(n.Parallel.Branches) {
		return n.Parallel.Branches[i].Name
	}
	return strconv.Itoa(i)
}

// join goes on after the branches of n have ended: those that began, in order.
func (f *Flow) join(c Cursor, n *Node, branches []Branched) Step {
	var fail *NodeFail
	each, list, byName := n.ForEach != nil, []any{}, map[string]any{}
	anyOK := false
	for i, b := range branches {
		result := b.Output
		if b.Fail != nil {
			result = map[string]any{"ok": false, "error": problem(b.Fail, 1)}
			if fail == nil {
				named := *b.Fail
				named.Message = "branch " + n.branchName(i) + ": " + b.Fail.Message
				fail = &named
			}
		}
		anyOK = anyOK || b.Fail == nil
		list, byName[n.branchName(i)] = append(list, result), result
		if !each {
			nodes := maps.Clone(c.Nodes)
			if nodes == nil {
				nodes = map[string]Output{}
			}
			maps.Copy(nodes, b.Nodes)
			c.Nodes, c.Compensations = nodes, slices.Concat(c.Compensations, b.Compensations)
		}
	}
	var payload any = byName
	if each {
		payload = list
	}
	fan := policy.Fan{Continue: true}
	if each {
		fan = n.ForEach.Fan
	} else if n.Parallel != nil {
		fan = n.Parallel.Fan
	}
	switch {
	case fail != nil && !fan.Continue:
		if n.Compensate != "" && anyOK && c.Failure == nil { // some of it is done
			c = c.remember(n, Output{Payload: payload})
		}
		return f.caught(c, n, fail, 1)
	case each:
		return f.leave(c, n, payload, nil)
	}
	return f.leave(c, n, payload, n.output)
}

// outputs are what the nodes left that c can see: its own, over those of the run it branched off.
func (c Cursor) outputs() map[string]Output {
	if c.Within == nil {
		return c.Nodes
	}
	all := map[string]Output{}
	maps.Copy(all, c.Within.Outer.outputs())
	maps.Copy(all, c.Nodes)
	return all
}

// output is what a node left.
func (c Cursor) output(id string) (Output, bool) {
	for at := &c; ; at = at.Within.Outer {
		if o, ok := at.Nodes[id]; ok || at.Within == nil {
			return o, ok
		}
	}
}

// element is the root item or index: of the nearest for_each.
func (c Cursor) element(name string) (any, bool) {
	for at := &c; at.Within != nil; at = at.Within.Outer {
		if at.Within.Item {
			if name == "index" {
				return int64(at.Within.Index), true
			}
			return at.Within.Value, true
		}
	}
	return nil, false
}

func sortOf(v any) string {
	switch v.(type) {
	case nil:
		return "missing"
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case map[string]any:
		return "a map"
	}
	return "a number"
}
