package flow

import (
	"fmt"
	"maps"
	"strings"
)

// run executes the node at c, formats digest 6.3, or the first after it whose when holds.
func (f *Flow) run(c Cursor, r reasoning) Step {
	limit := c.Limit
	if limit <= 0 {
		limit = MaxSteps
	}
	var skipped []string
	for {
		n := f.byID[c.Node]
		if c.Steps >= limit && c.Failure == nil { // compensations are limited by their number
			return f.failure(c, n, StepLimit, "more than %d nodes in one turn", limit)
		}
		c.Steps++
		c.Attempt = 0
		if n.policyErr != nil {
			return f.failed(c, n, "policy", n.policyErr)
		}
		if n.when == nil || c.item(n) {
			return f.execute(c, n, r, skipped)
		}
		holds, err := n.when.Eval(f.scope(c, n.when.Roots(), c.Prev))
		if err != nil {
			return f.failed(c, n, "when", err)
		}
		if holds {
			return f.execute(c, n, r, skipped)
		}
		skipped = append(skipped, n.ID)
		prev, last := c.Prev, c.Last
		c = c.with(n, Output{OK: true, Payload: map[string]any{"skipped": true}})
		c.Prev, c.Last = prev, last
		if c.Failure != nil {
			return f.compensated(c, nil).skipping(skipped)
		}
		to, reply, at := n.otherwise()
		r = reasoning{RuleWhen, at, r.why + "; " + n.where + " is skipped and "}
		switch {
		case to == "":
			r.why += "the run ends"
			return Step{Do: DoEnd, Cursor: c, Node: n.ID, Reply: reply, Skipped: skipped}.because(r)
		case f.byID[to] == nil:
			return f.failure(c, n, "missing_node", "the route leads to %q, which does not exist", to)
		}
		r.why += "its default routes to " + to
		c.Node = to
	}
}

// execute begins a try of n.
func (f *Flow) execute(c Cursor, n *Node, r reasoning, skipped []string) Step {
	if n.templateErr != nil {
		return f.failed(c, n, "template", n.templateErr).skipping(skipped)
	}
	if n.ForEach != nil && !c.item(n) {
		return f.forEach(c, n).because(r).skipping(skipped)
	}
	input, err := n.input.Render(f.scope(c, n.input.Roots(), nil), true)
	if err != nil {
		return f.failed(c, n, "input_mapping", err).skipping(skipped)
	}
	return f.step(c, n, input).because(r).skipping(skipped)
}

func (f *Flow) step(c Cursor, n *Node, input any) Step {
	fields, _ := input.(map[string]any)
	switch name := n.calls; {
	case name == "":
		return f.invoke(c, n, input)
	case name == "session.wait":
		return f.wait(c, n, input)
	case name == "flow.call":
		return f.call(c, n, input)
	case name == "flow.goto":
		return f.leap(c.with(n, Output{OK: true, Payload: c.Prev}), n, fields, fields["input"], MaxJumps)
	case name == "provider.invoke":
		return f.provide(c, n, fields)
	case name == "questions":
		return f.ask(c, n, input, "")
	case name == "template":
		return f.rendered(c, n, input)
	case name == "emit.log":
		return Step{Do: DoLog, Cursor: c, Node: n.ID, Payload: content(input)}
	case name == "emit.event" && has(fields, "topic"):
		topic, _ := fields["topic"].(string)
		if topic == "" {
			return f.failure(c, n, "event_topic", "the topic of an event is a text")
		}
		return Step{Do: DoPublish, Cursor: c, Node: n.ID, Topic: topic, Payload: input}
	case strings.HasPrefix(name, "emit."):
		return Step{Do: DoEmit, Cursor: c, Node: n.ID, Payload: content(input)}
	case name == "state.get", name == "state.set":
		key, _ := fields["key"].(string)
		if key == "" {
			return f.failure(c, n, "state_key", "%s needs key, a text", name)
		}
		if name == "state.get" {
			return Step{Do: DoStateGet, Cursor: c, Node: n.ID, Key: key}
		}
		return Step{Do: DoStateSet, Cursor: c, Node: n.ID, Key: key, Payload: fields["value"]}
	default:
		return f.failure(c, n, "unsupported", "%s", lacking(name, fields))
	}
}

// lacking says what is missing for a builtin that cannot run.
func lacking(name string, fields map[string]any) string {
	if name == "mcp" || name == "mcp.exec" {
		return fmt.Sprintf("%s: tool %v of server %v cannot be called: this version has no MCP host", name, fields["tool"], fields["server"])
	}
	return "this version does not run " + name
}

func has(m map[string]any, key string) bool {
	_, ok := m[key]
	return ok
}

// content is what an emit node emits: mapping.input, mapping.payload, or the mapping.
func content(input any) any {
	if m, ok := input.(map[string]any); ok {
		for _, key := range []string{"input", "payload"} {
			if v, ok := m[key]; ok {
				return v
			}
		}
	}
	return input
}

// invoke calls the component of n; node.component wins over mapping.component (decision 25).
func (f *Flow) invoke(c Cursor, n *Node, input any) Step {
	c.Attempt++
	step := Step{Do: DoInvoke, Cursor: c, Node: n.ID, Attempt: c.Attempt, Timeout: n.Timeout, Texts: n.texts, Component: n.Component, Operation: n.Operation, Input: input}
	fields, _ := input.(map[string]any)
	if step.Component == "component.exec" {
		step.Component = firstText(fields, "component", "component_ref")
	}
	if step.Component == "" {
		return f.failure(c, n, "component_missing", "the node does not name its component")
	}
	if step.Operation == "" {
		step.Operation = firstText(fields, "operation", "op")
	}
	if inner, ok := fields["input"]; ok && (n.Component == "component.exec" || envelope(fields)) {
		step.Input, step.Config = inner, fields["config"]
	}
	return step
}

func firstText(m map[string]any, keys ...string) string {
	for _, key := range keys {
		if s, ok := m[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// envelope says whether a mapping is input beside nothing but the words of a call.
func envelope(m map[string]any) bool {
	for key := range maps.Keys(m) {
		switch key {
		case "input", "config", "operation", "op", "component", "component_ref":
		default:
			return false
		}
	}
	return true
}
