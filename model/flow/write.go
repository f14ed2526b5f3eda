package flow

import (
	"maps"
	"slices"

	"greentic.dev/internal/jsonwrite"
)

// AppendJSON appends c as encoding/json writes it. entry is what an earlier call appended for
// c.Entry, which is immutable; nil: there was none. Errors are those of encoding/json.
func (c Cursor) AppendJSON(b []byte, entry []byte) (_ []byte, err error) {
	value := func(key string, v any, is bool) {
		if is && err == nil {
			b, err = jsonwrite.Value(jsonwrite.Key(b, key), v)
		}
	}
	b = append(b, '{')
	b = jsonwrite.String(jsonwrite.Key(b, "flow"), c.Flow)
	b = jsonwrite.String(jsonwrite.Key(b, "node"), c.Node)
	b = jsonwrite.True(b, "parked", c.Parked)
	b = jsonwrite.True(b, "reroute", c.Reroute)
	b = jsonwrite.Text(b, "on_timeout", c.OnTimeout)
	b = jsonwrite.Int(b, "attempt", c.Attempt)
	b = jsonwrite.Int(b, "steps", c.Steps)
	b = jsonwrite.Int(b, "limit", c.Limit)
	if entry != nil {
		b = append(jsonwrite.Key(b, "entry"), entry...)
	}
	value("entry", c.Entry, entry == nil)
	value("input", c.Input, true)
	if err == nil {
		b, err = c.appendNodes(b)
	}
	value("prev", c.Prev, c.Prev != nil)
	b = jsonwrite.Text(b, "last", c.Last)
	b = jsonwrite.Text(b, "entrypoint", c.Entrypoint)
	b = jsonwrite.Int(b, "jumps", c.Jumps)
	b = jsonwrite.Text(b, "asking", c.Asking)
	value("slots", c.Slots, len(c.Slots) > 0)
	value("answers", c.Answers, len(c.Answers) > 0)
	if c.Caller != nil && err == nil {
		b, err = c.Caller.AppendJSON(jsonwrite.Key(b, "caller"), nil)
	}
	value("compensations", c.Compensations, len(c.Compensations) > 0)
	value("failure", c.Failure, c.Failure != nil)
	return append(b, '}'), err
}

func (c Cursor) appendNodes(b []byte) (_ []byte, err error) {
	if len(c.Nodes) == 0 {
		return b, nil
	}
	b = append(jsonwrite.Key(b, "nodes"), '{')
	for i, id := range slices.Sorted(maps.Keys(c.Nodes)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsonwrite.String(b, id), ':')
		if b, err = c.Nodes[id].appendJSON(b); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func (o Output) appendJSON(b []byte) (_ []byte, err error) {
	b = append(b, `{"ok":`...)
	if b, err = jsonwrite.Value(b, o.OK); err != nil {
		return b, err
	}
	if b, err = jsonwrite.Value(jsonwrite.Key(b, "payload"), o.Payload); err != nil {
		return b, err
	}
	if o.Meta != nil {
		if b, err = jsonwrite.Value(jsonwrite.Key(b, "meta"), o.Meta); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}
