package flowtest

import (
	"encoding/json"

	"greentic.dev/backing/record"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/flowtest"
)

// turn adds what a turn did to the outcome of a step, and returns the last node.
func (p *play) turn(out *flowtest.Outcome, t record.Turn) (last string) {
	out.Status, out.Error = t.Status, nil
	if t.Error != nil {
		out.Error = &flowtest.Fail{Code: t.Error.Code, Message: t.Error.Message}
	}
	for _, r := range t.Replies {
		got := flowtest.GotReply{Text: r.Text, Node: r.Node}
		if len(r.Card) > 0 {
			got.Card = decoded(r.Card)
		}
		out.Replies = append(out.Replies, got)
	}
	for _, e := range t.Events {
		got := flowtest.Event{Topic: e.Topic, Type: e.Type, Subject: e.Subject}
		if len(e.Payload) > 0 {
			got.Payload = decoded(e.Payload)
		}
		out.Events = append(out.Events, got)
	}
	n, branch := -1, ""
	for _, s := range t.Steps {
		if s.Do == "invoke" {
			call := flowtest.GotCall{Node: s.Node, Component: s.Component, Operation: s.Operation}
			if len(s.Input) > 0 {
				call.Input = decoded(s.Input)
			}
			out.Calls = append(out.Calls, call)
		}
		if len(s.Output) > 0 {
			out.Output = decoded(s.Output)
		}
		end := s.Do == "end"
		at := flow.Pos{Line: s.Line, Col: s.Col}
		if end || s.N != n || s.Node != last || s.Branch != branch { // a node that is tried again, or waits, stands there once
			if !end {
				out.Route = append(out.Route, s.Node)
			}
			if s.File == "" || s.File == p.packed() {
				p.path = append(p.path, flowtest.Taken{Node: s.Node, Rule: s.Rule, At: at, End: end, Branch: s.Branch})
			}
		}
		n, last, branch = s.N, s.Node, s.Branch
	}
	return last
}

// packed is the name of the suite's flow in its pack.
func (p *play) packed() string {
	for _, f := range p.source.verified.Archive().Flows() {
		if f.ID == p.source.flow.ID {
			return f.File
		}
	}
	return ""
}

func decoded(raw json.RawMessage) (v any) {
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	return v
}
