package record

import (
	"encoding/binary"
	"encoding/json"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/jsonwrite"
)

// Encode makes what Put stores: as encoding/json writes it, behind the time, so that a sweep
// need not parse.
func (t Turn) Encode() ([]byte, error) {
	size := 512 + 2*len(t.Trigger.Body)
	for i := range t.Steps {
		size += 192 + len(t.Steps[i].Input) + len(t.Steps[i].Output) + len(t.Steps[i].Trace)
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, size), uint64(max(t.Began.UnixMicro(), 0)))
	b, err := t.appendJSON(b)
	return b, fault.Wrap("record", err)
}

func (t *Turn) appendJSON(b []byte) (_ []byte, err error) {
	b = append(b, '{')
	b = jsonwrite.Text(b, "turn", t.ID)
	b = jsonwrite.Int(b, "seq", t.Seq)
	b = t.Trigger.AppendJSON(jsonwrite.Key(b, "trigger"))
	b = jsonwrite.Text(b, "release", t.Release)
	b = jsonwrite.Text(b, "pack", t.Pack)
	b = jsonwrite.Text(b, "flow", t.Flow)
	b = jsonwrite.Int(b, "revision", t.Revision)
	b = jsonwrite.Text(b, "locale", t.Locale)
	b = jsonwrite.Time(b, "began", t.Began)
	b = jsonwrite.Int(b, "took_ns", t.Took)
	b = jsonwrite.Int(b, "restarts", t.Restarts)
	b = jsonwrite.Int(b, "attempts", t.Attempts)
	b = jsonwrite.Text(b, "status", t.Status)
	if t.Error != nil {
		b = append(jsonwrite.Key(b, "error"), '{')
		b = jsonwrite.Text(b, "code", t.Error.Code)
		b = append(jsonwrite.Text(b, "message", t.Error.Message), '}')
	}
	if len(t.Steps) > 0 {
		b = list(jsonwrite.Key(b, "steps"), t.Steps, Step.AppendJSON)
	}
	if len(t.Replies) > 0 {
		b = list(jsonwrite.Key(b, "replies"), t.Replies, greentic.Reply.AppendJSON)
	}
	if len(t.Events) > 0 {
		raw, err := json.Marshal(t.Events)
		if err != nil {
			return b, err
		}
		b = jsonwrite.Raw(b, "events", raw)
	}
	b = jsonwrite.Raw(b, "output", t.Output)
	return append(b, '}'), nil
}

func list[T any](b []byte, all []T, one func(T, []byte) []byte) []byte {
	b = append(b, '[')
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(all[i], b)
	}
	return append(b, ']')
}

// AppendJSON appends s as encoding/json writes it, but without what is zero.
func (s Step) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = jsonwrite.Int(b, "n", s.N)
	b = jsonwrite.Text(b, "node", s.Node)
	b = jsonwrite.Text(b, "branch", s.Branch)
	b = jsonwrite.Text(b, "do", s.Do)
	b = jsonwrite.Text(b, "flow", s.Flow)
	b = jsonwrite.Text(b, "component", s.Component)
	b = jsonwrite.Text(b, "operation", s.Operation)
	b = jsonwrite.Int(b, "attempt", s.Attempt)
	b = jsonwrite.Raw(b, "input", s.Input)
	b = jsonwrite.Raw(b, "config", s.Config)
	b = jsonwrite.Raw(b, "output", s.Output)
	b = jsonwrite.Raw(b, "fail", s.Fail)
	b = jsonwrite.Raw(b, "trace", s.Trace)
	b = jsonwrite.True(b, "effect", s.Effect)
	b = jsonwrite.Int(b, "took_ns", s.Took)
	b = jsonwrite.Text(b, "rule", s.Rule)
	b = jsonwrite.Text(b, "why", s.Why)
	b = jsonwrite.Text(b, "file", s.File)
	b = jsonwrite.Int(b, "line", s.Line)
	b = jsonwrite.Int(b, "col", s.Col)
	return append(b, '}')
}
