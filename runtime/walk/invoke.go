package walk

import (
	"context"
	"encoding/json"
	"fmt"

	"greentic.dev/backing/record"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/host"
)

// invoke calls a component for a step and says whether the outside may have changed. Failures of
// the component are the flow's to route; an error is returned only when the turn itself cannot
// go on.
func (w *Walk) invoke(ctx context.Context, step flow.Step) (got flow.Got, effect bool, err error) {
	began := w.deps.Clock.Now()
	if step.Provider != "" || step.ProviderType != "" {
		if step.Component, err = w.Release.Provider(step.Provider, step.ProviderType); err != nil {
			fail := failure(err)
			w.note(step, record.Step{Do: "invoke", Operation: step.Operation, Input: w.Encode(step.Input), Fail: w.failed(fail)})
			return flow.Got{What: flow.GotError, Error: fail}, false, nil
		}
	}
	rec := record.Step{Do: "invoke", Component: step.Component, Operation: step.Operation, Input: w.Encode(step.Input), Config: w.Encode(step.Config)}
	if got, ok := w.recalled(step); ok {
		rec.Fail = w.Encode(got.Error)
		w.note(step, rec)
		if got.Error.Code == deadlineCode {
			return got, false, w.overdue()
		}
		return got, false, nil
	}
	response, err := w.call(ctx, step)
	for _, c := range response.Calls {
		effect = effect || c.Effect
	}
	switch {
	case err != nil && ctx.Err() != nil && !effect:
		rec.Fail, rec.Took = w.Encode(failure(w.overdue())), w.deps.Clock.Now().Sub(began)
		w.note(step, rec)
		return got, false, w.overdue()
	case err != nil:
		got = flow.Got{What: flow.GotError, Error: failure(err)}
	case response.Fail != nil:
		response.Fail.Backoff = response.Backoff
		got = flow.Got{What: flow.GotError, Error: response.Fail}
	default:
		w.Outputs = append(w.Outputs, card.Output{Node: step.Node, Payload: response.Output})
		got = flow.Got{What: flow.GotOutput, Value: response.Output}
		rec.Output = w.Encode(response.Output)
	}
	if got.Error != nil {
		rec.Fail = w.Encode(got.Error)
	}
	rec.Effect, rec.Took = effect, w.deps.Clock.Now().Sub(began)
	if response.Trace != nil {
		rec.Trace = encode(response.Trace)
	}
	if w.Replay != nil && w.Replay.Call == nil && response.Divergence != nil {
		w.Replay.Call, w.Replay.CallStep = response.Divergence, len(w.Trail)
	}
	w.note(step, rec)
	return got, effect, nil
}

// recalled is the failure of a step that is run again, when the record says that there was no
// answer for a reason outside the component: time, a shutdown, a component that did not load.
func (w *Walk) recalled(step flow.Step) (got flow.Got, ok bool) {
	if w.Replay == nil {
		return got, false
	}
	was := w.Replay.step(w.Trail)
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

// call invokes the component of a step.
func (w *Walk) call(ctx context.Context, step flow.Step) (host.Response, error) {
	if step.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, step.Timeout)
		defer cancel()
	}
	if step.Texts {
		step.Input = card.Localise(step.Input, w.Release.Texts(w.Tenant.Locale), nil)
	}
	input := card.Help(step.Input, step.Config, w.Tenant.Locale, w.Release.Asset, w.Release.Archive().Locales())
	who := w.Tenant
	who.IdempotencyKey = fmt.Sprintf("%s%s/%d", w.Entry.Turn, w.path, step.Cursor.Steps) // the same when the turn runs again
	if w.Entry.Undone > 0 {
		who.IdempotencyKey += fmt.Sprintf("/%d", w.Entry.Undone)
	}
	request := host.Request{
		Pack: w.Release.Archive().ID(), Flow: w.in.ID, Node: step.Node,
		Component: step.Component, Operation: step.Operation, Input: input, Config: step.Config, Envelope: wantsEnvelope(step.Config),
		Attempt: uint32(step.Attempt),
		Grants:  w.Release.Grants(step.Component),
		State:   w.state(step.Config),
		Assets:  w.Release.Archive().Assets(),
	}
	if w.deps.Stand != nil {
		if response, ok, err := w.deps.Stand(ctx, request); ok {
			return response, err
		}
	}
	component, err := w.Release.Component(ctx, step.Component)
	if err != nil {
		return host.Response{}, err
	}
	switch {
	case w.Replay != nil:
		if request.Replay, err = w.Replay.trace(w.Trail); err != nil {
			return host.Response{}, err
		}
	case w.Recording():
		request.Record = &host.RecordOptions{Body: w.opts.RecordBody}
	}
	return component.Invoke(ctx, who, request)
}

// wantsEnvelope says whether a component of the lines before 0.6 is configured with
// `input: envelope`: it expects its input wrapped (formats digest 2.6).
func wantsEnvelope(config any) bool {
	settings, _ := config.(map[string]any)
	return settings["input"] == "envelope"
}
