package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/record"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
)

// input is what the flow is given for the trigger: the message, or what an event or a request
// carries, under the same names.
func (t *turn) input() any {
	input := card.Input(t.message, t.tenant)
	if k := t.entry.Trigger.Kind; k != greentic.KindMessage && k != greentic.KindTimer {
		var body any
		if json.Unmarshal(t.entry.Trigger.Body, &body) == nil {
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
		t.cursor, t.got = t.flow.Start(input), flow.Got{What: flow.GotStart}
		if node := card.RouteTo(t.message.Metadata); node != "" && t.flow.Node(node) != nil {
			t.cursor.Node = node
		}
	case t.entry.Trigger.Kind == greentic.KindTimer:
		t.cursor, t.got = t.session.Cursor, flow.Got{What: flow.GotTimeout}
	default:
		t.cursor, t.got = t.session.Cursor, flow.Got{What: flow.GotInput, Value: t.input()}
	}
	t.cursor.Limit = t.runner.options.Steps
	t.walking = true
}

// memoryPause is the longest pause before a retry that a restart may repeat from the last
// checkpoint; before a longer one the attempts made so far are stored.
const memoryPause = time.Second

// walk follows the flow from cursor and got until it ends, waits or pauses.
func (t *turn) walk(ctx context.Context) error {
	for {
		if t.unsaved {
			if err := t.checkpoint(ctx); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return t.late()
		}
		step, err := t.flow.Next(t.cursor, t.got)
		if err != nil {
			return fault.Wrap("flow "+t.flow.ID, err)
		}
		t.steps = max(t.steps, step.Cursor.Steps)
		t.last = step.Cursor.Prev
		if step.Cursor.Failure != nil && !t.undoing {
			t.undoing = true
			t.forget()
		}
		switch step.Do {
		case flow.DoWait:
			t.note(step, record.Step{Do: "wait"})
			t.park(step)
			return nil
		case flow.DoEnd:
			t.note(step, record.Step{Do: "end"})
			t.status = greentic.TurnDone
			return nil
		case flow.DoFail:
			t.note(step, record.Step{Do: "fail", Fail: encode(step.Fail)})
			return fault.Newf(failureKind(step.Fail.Code), "flow "+t.flow.ID+" node "+step.Node, "%s: %s", step.Fail.Code, step.Fail.Message).WithCode(step.Fail.Code)
		case flow.DoRetry:
			t.note(step, record.Step{Do: "retry"})
			t.cursor, t.got = step.Cursor, flow.Got{What: flow.GotRetry}
			if t.replay != nil {
				continue
			}
			delay := step.Delay + t.runner.options.Jitter(step.Delay/4)
			if t.unsaved = delay >= memoryPause; t.unsaved {
				if err := t.checkpoint(ctx); err != nil {
					return err
				}
			}
			if t.pause = delay; delay > 0 {
				return nil
			}
			continue
		}
		got, effect, err := t.act(ctx, step)
		if err != nil {
			return err
		}
		t.cursor, t.got, t.unsaved = step.Cursor, got, effect && t.replay == nil
	}
}

// park leaves the session where the flow waits.
func (t *turn) park(step flow.Step) {
	t.status = greentic.TurnWaiting
	s := &t.session
	if s.Revision == 0 {
		s.Began = t.began.UTC()
	}
	s.Release, s.Flow, s.Cursor, s.Reason, s.Due = t.release.Digest(), t.flow.ID, step.Cursor, step.Reason, time.Time{}
	if step.Timeout > 0 {
		s.Due = t.runner.sched.Now().Add(step.Timeout).UTC()
	}
	if t.entry.Trigger.Kind != greentic.KindTimer && (t.entry.Trigger.Route != InvokeRoute || s.Origin.Route == "") {
		s.Origin = session.Origin{Route: t.entry.Trigger.Route, Tenant: t.entry.Trigger.Tenant, Header: t.entry.Trigger.Header}
		s.Origin.Tenant.Locale = t.tenant.Locale
		if t.message.From != nil {
			s.Origin.From = t.message.From.ID
		}
	}
}

// act does what a step asks for and says what happened, and whether the outside may have changed.
func (t *turn) act(ctx context.Context, step flow.Step) (got flow.Got, effect bool, err error) {
	done := func(do string, v any) (flow.Got, bool, error) {
		t.note(step, record.Step{Do: do, Output: t.encode(v)})
		return flow.Got{What: flow.GotOutput, Value: v}, false, nil
	}
	switch step.Do {
	case flow.DoInvoke:
		return t.invoke(ctx, step)
	case flow.DoEmit:
		t.outputs = append(t.outputs, card.Output{Node: step.Node, Payload: step.Payload, Emitted: true})
		return done("emit", step.Payload)
	case flow.DoPublish:
		if err := t.publish(step); err != nil {
			return got, false, err
		}
		return done("publish", step.Payload)
	case flow.DoLog:
		payload, err := json.Marshal(step.Payload)
		if err != nil {
			return got, false, fault.Wrap("emit.log", err)
		}
		if t.replay == nil {
			t.runner.deps.Log.Info("flow log", "tenant", t.tenant.Tenant, "flow", t.flow.ID, "node", step.Node, "turn", t.entry.Turn, "payload", string(payload))
		}
		return done("log", step.Payload)
	case flow.DoStateGet:
		value, found, err := t.remember(ctx, step.Key)
		if err != nil {
			return got, false, err
		}
		return done("state_get", map[string]any{"key": step.Key, "value": value, "found": found})
	case flow.DoStateSet:
		raw, err := json.Marshal(step.Payload)
		if err == nil {
			err = t.state(nil).Write(ctx, step.Key, raw)
		}
		if err != nil {
			return got, false, fault.Wrap("state.set "+step.Key, err)
		}
		return done("state_set", map[string]any{"key": step.Key, "value": step.Payload})
	}
	return got, false, fault.Newf(fault.Internal, "turn", "flow asked for step %d, which the runner does not know", step.Do)
}

// remember reads the conversation's state for the flow itself.
func (t *turn) remember(ctx context.Context, key string) (value any, found bool, err error) {
	if t.replay != nil {
		return t.recall(key)
	}
	raw, err := t.state(nil).Read(ctx, key)
	if fault.Is(err, fault.NotFound) {
		return nil, false, nil
	}
	if err == nil {
		if bad := json.Unmarshal(raw, &value); bad != nil {
			value = string(raw)
		}
	}
	return value, err == nil, err
}

// recall is remember for a turn that is run again: what the record says was read.
func (t *turn) recall(key string) (value any, found bool, err error) {
	was := t.replay.step(t.trail)
	if was == nil || was.Do != "state_get" {
		return nil, false, nil // another step than then: the comparison will tell
	}
	var read struct {
		Key   string
		Value any
		Found bool
	}
	if err := json.Unmarshal(was.Output, &read); err != nil || read.Key != key {
		return nil, false, nil
	}
	return read.Value, read.Found, nil
}

// BusRoute is the route of events that flows emit.
const BusRoute = "bus"

// publish collects an event; it goes out when the turn has committed. Without a type its topic
// stands for it.
func (t *turn) publish(step flow.Step) error {
	if t.runner.deps.Deliver[BusRoute] == nil && t.replay == nil {
		return fault.New(fault.Unsupported, "emit.event", "this process has no bus").WithFix("configure one: bus: embedded: or nats://HOST")
	}
	fields, _ := step.Payload.(map[string]any)
	payload, err := json.Marshal(fields["payload"])
	if err != nil {
		return fault.Wrap("emit.event", err)
	}
	e := greentic.Event{ID: fmt.Sprintf("%s-e%d", t.entry.Turn, t.entry.Said+len(t.events)), Topic: step.Topic, Type: step.Topic, Time: t.began.UTC(), Payload: payload,
		Source: "pack/" + t.release.Archive().ID() + "/flow/" + t.flow.ID, CorrelationID: t.message.CorrelationID}
	if kind, _ := fields["type"].(string); kind != "" {
		e.Type = kind
	}
	e.Subject, _ = fields["subject"].(string)
	if err := bus.CheckEvent(e); err != nil { // here the turn can still fail
		return fault.Wrap("emit.event", err)
	}
	t.events = append(t.events, e)
	return nil
}
