package walk

import (
	"context"
	"encoding/json"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/record"
	"greentic.dev/backing/state"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
)

// act does what a step asks for and says what happened, and whether the outside may have changed.
func (w *Walk) act(ctx context.Context, step flow.Step) (got flow.Got, effect bool, err error) {
	done := func(do string, v any) (flow.Got, bool, error) {
		w.note(step, record.Step{Do: do, Output: w.Encode(v)})
		return flow.Got{What: flow.GotOutput, Value: v}, false, nil
	}
	switch step.Do {
	case flow.DoInvoke:
		if w.Sure != nil {
			if err := w.Sure(ctx); err != nil {
				return got, false, err
			}
			w.Sure = nil
		}
		return w.invoke(ctx, step)
	case flow.DoEmit:
		said := card.Output{Node: step.Node, Payload: step.Payload, Emitted: true}
		w.Outputs = append(w.Outputs, said)
		if step.Cursor.Undoing() && !w.Undoing {
			w.kept.Outputs = append(w.kept.Outputs, said)
		}
		return done("emit", step.Payload)
	case flow.DoRender:
		w.Outputs = append(w.Outputs, card.Output{Node: step.Node, Payload: step.Payload})
		return done("template", step.Payload)
	case flow.DoPublish:
		if err := w.publish(step); err != nil {
			return got, false, err
		}
		return done("publish", step.Payload)
	case flow.DoLog:
		payload, err := json.Marshal(step.Payload)
		if err != nil {
			return got, false, fault.Wrap("emit.log", err)
		}
		if w.Replay == nil {
			w.deps.Log.Info("flow log", "tenant", w.Tenant.Tenant, "flow", w.in.ID, "node", step.Node, "turn", w.Entry.Turn, "payload", string(payload))
		}
		return done("log", step.Payload)
	case flow.DoStateGet:
		value, found, err := w.remember(ctx, step.Key)
		if err != nil {
			return got, false, err
		}
		return done("state_get", map[string]any{"key": step.Key, "value": value, "found": found})
	case flow.DoStateSet:
		raw, err := json.Marshal(step.Payload)
		if err == nil {
			err = w.state(nil).Write(ctx, step.Key, raw)
		}
		if err != nil {
			return got, false, fault.Wrap("state.set "+step.Key, err)
		}
		return done("state_set", map[string]any{"key": step.Key, "value": step.Payload})
	}
	return got, false, fault.Newf(fault.Internal, "turn", "flow asked for step %d, which the runner does not know", step.Do)
}

// remember reads the conversation's state for the flow itself.
func (w *Walk) remember(ctx context.Context, key string) (value any, found bool, err error) {
	if w.Replay != nil {
		return w.recall(key)
	}
	raw, err := w.state(nil).Read(ctx, key)
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
func (w *Walk) recall(key string) (value any, found bool, err error) {
	was := w.Replay.step(w.Trail)
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

// publish collects an event; it goes out when the turn has committed. Without a type its topic
// stands for it.
func (w *Walk) publish(step flow.Step) error {
	if !w.opts.Bus && w.Replay == nil {
		return fault.New(fault.Unsupported, "emit.event", "this process has no bus").WithFix("configure one: bus: embedded: or nats://HOST")
	}
	fields, _ := step.Payload.(map[string]any)
	payload, err := json.Marshal(fields["payload"])
	if err != nil {
		return fault.Wrap("emit.event", err)
	}
	e := greentic.Event{ID: w.eventID(len(w.Events)), Topic: step.Topic, Type: step.Topic, Time: w.Began.UTC(), Payload: payload,
		Source: "pack/" + w.Release.Archive().ID() + "/flow/" + w.in.ID, CorrelationID: w.Message.CorrelationID}
	if kind, _ := fields["type"].(string); kind != "" {
		e.Type = kind
	}
	e.Subject, _ = fields["subject"].(string)
	if err := bus.CheckEvent(e); err != nil { // here the turn can still fail
		return fault.Wrap("emit.event", err)
	}
	w.Events = append(w.Events, e)
	if step.Cursor.Undoing() && !w.Undoing {
		w.kept.Events = append(w.kept.Events, w.numbered(len(w.kept.Events), []greentic.Event{e})...)
	}
	return nil
}

// state is the working memory of this pack for a component: the conversation's, unless the
// component's configuration says `state: user` or `state: tenant` (decisions 18).
func (w *Walk) state(config any) state.Scoped {
	scope := state.Conversation(w.Entry.Trigger.Key)
	settings, _ := config.(map[string]any)
	switch settings["state"] {
	case "tenant":
		scope = state.Tenant
	case "user":
		if w.Message.From != nil && w.Message.From.ID != "" {
			scope = state.User(w.Entry.Trigger.Route, w.Message.From.ID)
		}
	}
	return w.Overlay.In(w.Release.Archive().ID(), scope)
}
