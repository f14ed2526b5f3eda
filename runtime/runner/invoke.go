package runner

import (
	"context"
	"encoding/json"
	"fmt"

	"greentic.dev/backing/record"
	"greentic.dev/backing/state"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/host"
)

// invoke calls a component for a step and says whether the outside may have changed. Failures of
// the component are the flow's to route; an error is returned only when the turn itself cannot
// go on.
func (t *turn) invoke(ctx context.Context, step flow.Step) (got flow.Got, effect bool, err error) {
	began := t.runner.sched.Now()
	rec := record.Step{Do: "invoke", Component: step.Component, Operation: step.Operation, Input: t.encode(step.Input), Config: t.encode(step.Config)}
	if got, ok := t.recalled(step); ok {
		rec.Fail = t.encode(got.Error)
		t.note(step, rec)
		if got.Error.Code == deadlineCode {
			return got, false, t.late()
		}
		return got, false, nil
	}
	response, err := t.call(ctx, step)
	for _, c := range response.Calls {
		effect = effect || c.Effect
	}
	switch {
	case err != nil && ctx.Err() != nil && !effect:
		rec.Fail, rec.Took = t.encode(failure(t.late())), t.runner.sched.Now().Sub(began)
		t.note(step, rec)
		return got, false, t.late()
	case err != nil:
		got = flow.Got{What: flow.GotError, Error: failure(err)}
	case response.Fail != nil:
		response.Fail.Backoff = response.Backoff
		got = flow.Got{What: flow.GotError, Error: response.Fail}
	default:
		t.outputs = append(t.outputs, card.Output{Node: step.Node, Payload: response.Output})
		got = flow.Got{What: flow.GotOutput, Value: response.Output}
		rec.Output = t.encode(response.Output)
	}
	if got.Error != nil {
		rec.Fail = t.encode(got.Error)
	}
	rec.Effect, rec.Took = effect, t.runner.sched.Now().Sub(began)
	if response.Trace != nil {
		rec.Trace = encode(response.Trace)
	}
	if t.replay != nil && t.replay.call == nil && response.Divergence != nil {
		t.replay.call, t.replay.callStep = response.Divergence, len(t.trail)
	}
	t.note(step, rec)
	return got, effect, nil
}

// deadlineCode is the code of a turn that takes too long.
const deadlineCode = "turn_deadline"

// late is the failure of a turn that takes too long.
func (t *turn) late() error {
	return fault.Newf(fault.Timeout, "turn", "it took longer than %v", t.runner.options.TurnTime).WithCode(deadlineCode)
}

// recalled is the failure of a step that is run again, when the record says that there was no
// answer for a reason outside the component: time, a shutdown, a component that did not load.
func (t *turn) recalled(step flow.Step) (got flow.Got, ok bool) {
	if t.replay == nil {
		return got, false
	}
	was := t.replay.step(t.trail)
	if was == nil || was.Do != "invoke" || was.Node != step.Node || was.Fail == nil || was.Trace != nil && !timely(was.Fail) {
		return got, false
	}
	fail := &flow.NodeFail{}
	if json.Unmarshal(was.Fail, fail) != nil {
		return got, false
	}
	return flow.Got{What: flow.GotError, Error: fail}, true
}

// timely says whether a recorded failure is one of time.
func timely(raw json.RawMessage) bool {
	var fail flow.NodeFail
	return json.Unmarshal(raw, &fail) == nil && (fail.Kind == fault.Timeout.String() || fail.Kind == fault.Canceled.String())
}

// codeOf is the code of an error, or its kind when it has none.
func codeOf(err error) string {
	if _, _, code := fault.Detail(err); code != "" {
		return code
	}
	return fault.KindOf(err).String()
}

// failure is an error of a component's call as the flow sees it.
func failure(err error) *flow.NodeFail {
	kind := fault.KindOf(err)
	return &flow.NodeFail{Code: codeOf(err), Kind: kind.String(), Message: err.Error(), Retryable: kind.Retryable() || kind == fault.Timeout}
}

// call invokes the component of a step.
func (t *turn) call(ctx context.Context, step flow.Step) (host.Response, error) {
	if step.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, step.Timeout)
		defer cancel()
	}
	component, err := t.release.Component(ctx, step.Component)
	if err != nil {
		return host.Response{}, err
	}
	input := card.Help(step.Input, step.Config, t.tenant.Locale, t.release.Asset, t.release.Archive().Locales())
	who := t.tenant
	who.IdempotencyKey = fmt.Sprintf("%s/%d", t.entry.Turn, step.Cursor.Steps) // the same when the turn runs again
	if t.entry.Undone > 0 {
		who.IdempotencyKey += fmt.Sprintf("/%d", t.entry.Undone)
	}
	request := host.Request{
		Pack: t.release.Archive().ID(), Flow: t.flow.ID, Node: step.Node,
		Component: step.Component, Operation: step.Operation, Input: input, Config: step.Config, Envelope: wantsEnvelope(step.Config),
		Attempt: uint32(step.Attempt),
		Grants:  t.release.Grants(step.Component),
		State:   t.state(step.Config),
		Assets:  t.release.Archive().Assets(),
	}
	switch {
	case t.replay != nil:
		if request.Replay, err = t.replay.trace(t.trail); err != nil {
			return host.Response{}, err
		}
	case t.recording():
		request.Record = &host.RecordOptions{Body: t.runner.options.RecordBody}
	}
	return component.Invoke(ctx, who, request)
}

// state is the working memory of this pack for a component: the conversation's, unless the
// component's configuration says `state: user` or `state: tenant` (decisions 18).
func (t *turn) state(config any) state.Scoped {
	scope := state.Conversation(t.entry.Trigger.Key)
	settings, _ := config.(map[string]any)
	switch settings["state"] {
	case "tenant":
		scope = state.Tenant
	case "user":
		if t.message.From != nil && t.message.From.ID != "" {
			scope = state.User(t.entry.Trigger.Route, t.message.From.ID)
		}
	}
	return t.overlay.In(t.release.Archive().ID(), scope)
}

// wantsEnvelope says whether a component of the lines before 0.6 is configured with
// `input: envelope`: it expects its input wrapped (formats digest 2.6).
func wantsEnvelope(config any) bool {
	settings, _ := config.(map[string]any)
	return settings["input"] == "envelope"
}
