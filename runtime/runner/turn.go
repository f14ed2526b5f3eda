package runner

import (
	"context"
	"encoding/json"
	"runtime/debug"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/state"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
)

// turn is one trigger on its way through a flow. Nothing it does leaves it before it commits.
type turn struct {
	runner  *Runner
	entry   queue.Entry
	tenant  greentic.TenantCtx
	message greentic.Message
	session session.Session
	release *Release
	flow    *flow.Flow
	overlay *state.Overlay

	outputs []card.Output
	status  string
	steps   int
	replies []greentic.Reply
	err     error // why it failed
}

// runLane runs the oldest waiting entry of a lane. A failure to read or commit is tried again
// with growing pauses: the store is away.
func (r *Runner) runLane(ctx context.Context, work task[arrival]) pace {
	err := r.runFirst(ctx, work)
	switch {
	case err == nil, ctx.Err() != nil:
		return pace{}
	case fault.Is(err, fault.Conflict):
		return pace{more: true} // somebody changed the session: run again on what is there now
	}
	r.deps.Log.Error("turn could not be committed", "tenant", work.lane.Tenant, "key", work.lane.Key, "error", err)
	return pace{more: true, pause: backoff(r.options.Backoff, work.failed+1)}
}

// runFirst takes the oldest entry of a lane, if there is one, through its turn.
func (r *Runner) runFirst(ctx context.Context, work task[arrival]) error {
	begin := r.deps.Now()
	t, err := r.first(ctx, work)
	if err != nil || t == nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, r.options.TurnTime)
	t.run(limited)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err() // interrupted: the entry stays and runs again
	}
	r.options.Crash("before_commit")
	err = t.commit(ctx)
	if fault.Is(err, fault.Invalid) { // too large to be stored; it would be at every attempt
		t.fail(err)
		err = t.commit(ctx)
	}
	if err != nil {
		return err
	}
	r.options.Crash("after_commit")
	result := TurnResult{Turn: t.entry.Turn, Replies: t.replies, Status: t.status, Steps: t.steps, Duration: r.deps.Now().Sub(begin), Err: t.err}
	r.log(t, result)
	r.tell(result)
	if out := t.outgoing(); len(out) > 0 {
		r.outbox.wake(work.lane, 1, &out)
	}
	return nil
}

// arrival is an entry and its session as they were when it was accepted. A turn may start from
// it without reading them again: if they are no longer so, its commit is refused.
type arrival struct {
	entry   queue.Entry
	session session.Stored
}

// first is the oldest entry of a lane with its session; nil when none waits.
func (r *Runner) first(ctx context.Context, work task[arrival]) (t *turn, err error) {
	a, found := work.hint, true
	if a == nil {
		a = &arrival{}
		err = r.deps.DB.View(ctx, work.lane.Ctx(), func(x kv.Reader) (err error) {
			if a.entry, found, err = queue.First(x, work.lane.Key); err == nil && found {
				a.session, err = session.Read(x, work.lane.Key)
			}
			return err
		})
	}
	if err != nil || !found {
		return nil, err
	}
	t = &turn{runner: r, entry: a.entry, tenant: a.entry.Trigger.Tenant}
	t.tenant.Session = work.lane.Key
	t.overlay = state.NewOverlay(r.deps.DB, t.tenant)
	t.session, err = a.session.Open()
	return t, err
}

func (r *Runner) log(t *turn, result TurnResult) {
	attrs := []any{"turn", result.Turn, "env", t.tenant.Env, "tenant", t.tenant.Tenant, "status", result.Status, "steps", result.Steps,
		"duration_ms", result.Duration.Milliseconds(), "replies", len(result.Replies)}
	if t.flow != nil {
		attrs = append(attrs, "flow", t.flow.ID, "release", t.release.Digest().Short())
	}
	if result.Err != nil {
		r.deps.Log.Error("turn failed", append(attrs, "error", result.Err)...)
		return
	}
	r.deps.Log.Debug("turn", attrs...)
}

// maxRestarts is how often a process may end while a trigger is first in line.
const maxRestarts = 8

// run executes the flow. It never fails: a failure is the turn's outcome. A panic of ours is
// one too, so that a poisoned message cannot stop its conversation.
func (t *turn) run(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			t.fail(fault.Newf(fault.Internal, "turn", "panic: %v\n%s", p, debug.Stack()))
		}
	}()
	if err := t.conduct(ctx); err != nil {
		t.fail(err)
		return
	}
	t.replies = t.say()
}

// conduct takes the message to the end of its turn.
func (t *turn) conduct(ctx context.Context) error {
	if t.entry.Restarts > maxRestarts {
		return fault.Newf(fault.Exhausted, "turn", "given up after %d restarts of the process", t.entry.Restarts)
	}
	if err := json.Unmarshal(t.entry.Trigger.Body, &t.message); err != nil {
		return fault.As(fault.Invalid, "turn", err)
	}
	t.locale()
	if err := t.resolve(ctx); err != nil {
		return err
	}
	if t.shortcut() {
		return nil
	}
	return t.walk(ctx)
}

// fail makes the failure the outcome: what was said and kept so far is dropped, the session
// ends, the user gets an apology.
func (t *turn) fail(err error) {
	t.status, t.err, t.outputs = greentic.TurnFailed, err, nil
	t.overlay = state.NewOverlay(t.runner.deps.DB, t.tenant)
	reply := greentic.Reply{Kind: "message", Text: apology(t.tenant.Locale, t.entry.Turn), Turn: t.entry.Turn}
	if t.flow != nil {
		reply.Flow = t.flow.ID
	}
	t.replies = []greentic.Reply{reply}
}

// locale settles the user's language: the message's metadata, the trigger's, the default.
func (t *turn) locale() {
	for _, l := range []string{t.message.Metadata["locale"], t.tenant.Locale, t.runner.options.Locale} {
		if l != "" {
			t.tenant.Locale = l
			break
		}
	}
	if t.message.Metadata == nil {
		t.message.Metadata = map[string]string{}
	}
	t.message.Metadata["locale"] = t.tenant.Locale
}

// resolve finds release and flow: the session's own, or the newest for a new session.
func (t *turn) resolve(ctx context.Context) (err error) {
	if t.session.Revision == 0 {
		t.release, t.flow, err = t.runner.deps.Releases.choose(t.runner.options.Flow)
		return err
	}
	if t.release, err = t.runner.deps.Releases.pinned(ctx, t.session.Release); err != nil {
		return err
	}
	t.flow, err = t.release.flow(t.session.Flow)
	return err
}

// shortcut answers with a card the message names, without running the flow (formats digest 6.8).
// A conversation that waits for a button's action gets it itself.
func (t *turn) shortcut() bool {
	payload, name, ok := card.Shortcut(t.message.Metadata, t.session.Revision > 0, t.release.asset)
	if !ok {
		return false
	}
	t.outputs = []card.Output{{Node: name, Payload: payload, Emitted: true}}
	t.status = greentic.TurnDone
	if t.session.Revision > 0 {
		t.status = greentic.TurnWaiting
	}
	return true
}

// failureKind is the kind a failure code names; a component's own codes are the input's fault.
func failureKind(code string) fault.Kind {
	for _, k := range fault.Kinds() {
		if k.String() == code {
			return k
		}
	}
	if code == flow.StepLimit {
		return fault.Exhausted
	}
	return fault.Invalid
}

func (t *turn) walk(ctx context.Context) error {
	input := card.Input(t.message, t.tenant)
	cursor, got := t.session.Cursor, flow.Got{What: flow.GotInput, Value: input}
	if t.session.Revision == 0 {
		cursor, got = t.flow.Start(input), flow.Got{What: flow.GotStart}
		if node := card.RouteTo(t.message.Metadata); node != "" && t.flow.Node(node) != nil {
			cursor.Node = node
		}
	}
	cursor.Limit = t.runner.options.Steps
	for {
		step, err := t.flow.Next(cursor, got)
		if err != nil {
			return fault.Wrap("flow "+t.flow.ID, err)
		}
		t.steps = max(t.steps, step.Cursor.Steps)
		switch step.Do {
		case flow.DoWait:
			t.park(step.Cursor, step.Reason)
			return nil
		case flow.DoEnd:
			t.status = greentic.TurnDone
			return nil
		case flow.DoFail:
			return fault.Newf(failureKind(step.Fail.Code), "flow "+t.flow.ID+" node "+step.Node, "%s: %s", step.Fail.Code, step.Fail.Message).WithCode(step.Fail.Code)
		}
		if got, err = t.act(ctx, step); err != nil {
			return err
		}
		cursor = step.Cursor
	}
}

func (t *turn) park(c flow.Cursor, reason string) {
	t.status = greentic.TurnWaiting
	t.session.Release, t.session.Flow, t.session.Cursor, t.session.Reason = t.release.Digest(), t.flow.ID, c, reason
}

// act does what a step asks for and says what happened.
func (t *turn) act(ctx context.Context, step flow.Step) (flow.Got, error) {
	output := func(v any) (flow.Got, error) { return flow.Got{What: flow.GotOutput, Value: v}, nil }
	memory := t.state(nil)
	switch step.Do {
	case flow.DoInvoke:
		return t.invoke(ctx, step)
	case flow.DoEmit:
		t.outputs = append(t.outputs, card.Output{Node: step.Node, Payload: step.Payload, Emitted: true})
		return output(step.Payload)
	case flow.DoLog:
		payload, err := json.Marshal(step.Payload)
		if err != nil {
			return flow.Got{}, fault.Wrap("emit.log", err)
		}
		t.runner.deps.Log.Info("flow log", "tenant", t.tenant.Tenant, "flow", t.flow.ID, "node", step.Node, "turn", t.entry.Turn, "payload", string(payload))
		return output(step.Payload)
	case flow.DoStateGet:
		raw, err := memory.Read(ctx, step.Key)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return flow.Got{}, err
		}
		var value any
		if err == nil {
			if uerr := json.Unmarshal(raw, &value); uerr != nil {
				value = string(raw)
			}
		}
		return output(map[string]any{"key": step.Key, "value": value, "found": err == nil})
	case flow.DoStateSet:
		raw, err := json.Marshal(step.Payload)
		if err == nil {
			err = memory.Write(ctx, step.Key, raw)
		}
		if err != nil {
			return flow.Got{}, fault.Wrap("state.set "+step.Key, err)
		}
		return output(map[string]any{"key": step.Key, "value": step.Payload})
	}
	return flow.Got{}, fault.Newf(fault.Internal, "turn", "flow asked for step %d, which the runner does not know", step.Do)
}

// say turns outputs into what the user sees, in the user's language.
func (t *turn) say() []greentic.Reply {
	var list []greentic.Reply
	texts := t.release.texts(t.tenant.Locale)
	for _, r := range card.Replies(t.outputs, card.RouteTo(t.message.Metadata)) {
		reply := greentic.Reply{Kind: "message", Node: r.Node, Flow: t.flow.ID, Turn: t.entry.Turn}
		reply.Text, _ = card.Localise(r.Text, texts, t.message.Metadata).(string)
		if r.Card != nil {
			raw, err := json.Marshal(card.Localise(r.Card, texts, t.message.Metadata))
			if err != nil {
				t.runner.deps.Log.Error("card could not be encoded", "turn", t.entry.Turn, "node", r.Node, "error", err)
				continue
			}
			reply.Card = raw
		}
		list = append(list, reply)
	}
	return list
}

// commit ends the turn in one transaction: inbox entry out; session, state and outbox in.
func (t *turn) commit(ctx context.Context) error {
	s, end := t.session, session.End
	s.Updated = t.runner.deps.Now().UTC()
	if t.status == greentic.TurnWaiting {
		end = session.Save
	}
	outgoing := t.outgoing()
	return t.runner.deps.DB.Update(ctx, t.tenant, func(x kv.Txn) error {
		if err := queue.Consume(x, t.entry, outgoing...); err != nil {
			return err
		}
		if err := end(x, t.tenant, s); err != nil {
			return err
		}
		return t.overlay.Commit(x)
	})
}

// outgoing are the replies as the outbox keeps them; none for a route that only waits in Turn.
func (t *turn) outgoing() []queue.Outgoing {
	if t.runner.deps.Deliver[t.entry.Trigger.Route] == nil {
		return nil
	}
	return t.entry.Outgoing(t.tenant, t.replies)
}
