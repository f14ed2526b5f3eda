package walk

import (
	"encoding/json"

	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/jsonwrite"
	"greentic.dev/model/flow"
	"greentic.dev/model/trace"
	"greentic.dev/runtime/host"
)

// Recording says whether the walk keeps a trail.
func (w *Walk) Recording() bool { return w.opts.Record || w.Replay != nil }

// note adds a step to the record.
func (w *Walk) note(step flow.Step, s record.Step) {
	if !w.Recording() {
		return
	}
	s.Branch = w.label
	s.N, s.Node, s.Attempt = step.Cursor.Steps, step.Node, step.Attempt
	s.Reason = record.Reason{Rule: step.Rule, Why: step.Why, File: w.in.File, Line: step.At.Line, Col: step.At.Col}
	w.Trail = append(w.Trail, s)
}

// Encode is v for the record, or a digest of it when it is large; nil when nothing is recorded.
func (w *Walk) Encode(v any) json.RawMessage {
	if v == nil || !w.Recording() {
		return nil
	}
	raw := encode(v)
	if len(raw) > w.opts.RecordBody {
		return encode(map[string]any{"digest": greentic.DigestOf(raw), "bytes": len(raw)})
	}
	return raw
}

// failed is a failure for the record; nil for none.
func (w *Walk) failed(fail *flow.NodeFail) json.RawMessage {
	if fail == nil {
		return nil
	}
	return w.Encode(fail)
}

// encode is v as JSON; what a flow holds can always be encoded.
func encode(v any) json.RawMessage {
	raw, err := jsonwrite.Value(nil, v)
	if err != nil {
		return nil
	}
	return raw
}

// Playback is what a turn that is run again takes from its record instead of doing it.
type Playback struct {
	Recorded record.Turn
	Call     *trace.Divergence // where a component first asked for something else
	CallStep int               // the step of Call
}

// step is the record of the step that is about to be noted; nil when there is none.
func (p *Playback) step(trail []record.Step) *record.Step {
	if len(trail) >= len(p.Recorded.Steps) {
		return nil
	}
	return &p.Recorded.Steps[len(trail)]
}

// trace is what the host answered in the step that is about to be noted. Without a record of it
// the component cannot be asked.
func (p *Playback) trace(trail []record.Step) (*trace.Trace, error) {
	was := p.step(trail)
	if was == nil || was.Do != "invoke" || was.Trace == nil {
		return nil, fault.New(fault.Conflict, "replay", "the record has no such step").WithCode(host.CodeDiverged)
	}
	var recorded trace.Trace
	err := json.Unmarshal(was.Trace, &recorded)
	return &recorded, fault.Wrap("replay", err)
}
