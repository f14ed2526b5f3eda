package runner

import (
	"encoding/json"
	"time"

	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
)

// input is what the flow is given for the trigger: the message, or what an event or a request
// carries, under the same names.
func (t *turn) input() any {
	input := card.Input(t.Message, t.Tenant)
	if k := t.Entry.Trigger.Kind; k != greentic.KindMessage && k != greentic.KindTimer {
		var body any
		if json.Unmarshal(t.Entry.Trigger.Body, &body) == nil {
			input["input"] = body
			if fields, ok := body.(map[string]any); ok {
				for name, value := range fields {
					if _, taken := input[name]; !taken {
						input[name] = value
					}
				}
			}
		}
	}
	return input
}

// begin puts the cursor where the trigger enters the flow.
func (t *turn) begin() {
	switch {
	case t.session.Revision == 0:
		input := t.input()
		t.Cursor, t.Got = t.Flow.Start(input), flow.Got{What: flow.GotStart}
		if node := t.Flow.Entrypoints[t.Entry.Trigger.Route]; node != "" && t.Flow.Node(node) != nil {
			t.Cursor.Node = node // an entrypoint of the channel's own
		}
		if node := card.RouteTo(t.Message.Metadata); node != "" && t.Flow.Node(node) != nil {
			t.Cursor.Node = node
		}
	case t.Entry.Trigger.Kind == greentic.KindTimer:
		t.Cursor, t.Got = t.session.Cursor, flow.Got{What: flow.GotTimeout}
	default:
		t.Cursor, t.Got = t.session.Cursor, flow.Got{What: flow.GotInput, Value: t.input()}
	}
	t.Cursor.Limit = t.runner.options.Steps
	t.walking = true
}

// park leaves the session where the flow waits.
func (t *turn) park(step flow.Step) {
	t.status = greentic.TurnWaiting
	s := &t.session
	if s.Revision == 0 {
		s.Began = t.Began.UTC()
	}
	s.Release, s.Flow, s.Cursor, s.Reason, s.Due = t.Release.Digest(), t.Flow.ID, step.Cursor, step.Reason, time.Time{}
	if step.Timeout > 0 {
		s.Due = t.runner.sched.Now().Add(step.Timeout).UTC()
	}
	if t.Entry.Trigger.Kind != greentic.KindTimer && (t.Entry.Trigger.Route != InvokeRoute || s.Origin.Route == "") {
		s.Origin = session.Origin{Route: t.Entry.Trigger.Route, Tenant: t.Entry.Trigger.Tenant, Header: t.Entry.Trigger.Header}
		s.Origin.Tenant.Locale = t.Tenant.Locale
		if t.Message.From != nil {
			s.Origin.From = t.Message.From.ID
		}
	}
}
