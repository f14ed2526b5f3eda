package flow

import (
	"maps"
	"slices"

	"greentic.dev/internal/jsonwrite"
)

// AppendJSON appends c as encoding/json writes it. entry is what an earlier call appended for
// c.Entry, which is immutable; nil: there was none. Errors are those of encoding/json.
func (c Cursor) AppendJSON(b []byte, entry []byte) (_ []byte, err error) {
	b = append(b, '{')
	b = jsonwrite.String(jsonwrite.Key(b, "flow"), c.Flow)
	b = jsonwrite.String(jsonwrite.Key(b, "node"), c.Node)
	b = jsonwrite.True(b, "parked", c.Parked)
	b = jsonwrite.True(b, "reroute", c.Reroute)
	b = jsonwrite.Text(b, "on_timeout", c.OnTimeout)
	b = jsonwrite.Int(b, "attempt", c.Attempt)
	b = jsonwrite.Int(b, "steps", c.Steps)
	b = jsonwrite.Int(b, "limit", c.Limit)
	if b = jsonwrite.Key(b, "entry"); entry != nil {
		b = append(b, entry...)
	} else if b, err = jsonwrite.Value(b, c.Entry); err != nil {
		return b, err
	}
	if b, err = jsonwrite.Value(jsonwrite.Key(b, "input"), c.Input); err != nil {
		return b, err
	}
	if b, err = c.appendNodes(b); err != nil {
		return b, err
	}
	if c.Prev != nil {
		if b, err = jsonwrite.Value(jsonwrite.Key(b, "prev"), c.Prev); err != nil {
			return b, err
		}
	}
	b = jsonwrite.Text(b, "last", c.Last)
	b = jsonwrite.Text(b, "entrypoint", c.Entrypoint)
	b = jsonwrite.Int(b, "jumps", c.Jumps)
	b = jsonwrite.Text(b, "asking", c.Asking)
	if len(c.Answers) > 0 {
		if b, err = jsonwrite.Value(jsonwrite.Key(b, "answers"), c.Answers); err != nil {
			return b, err
		}
	}
	if c.Caller != nil {
		if b, err = c.Caller.AppendJSON(jsonwrite.Key(b, "caller"), nil); err != nil {
			return b, err
		}
	}
	if len(c.Compensations) > 0 {
		if b, err = jsonwrite.Value(jsonwrite.Key(b, "compensations"), c.Compensations); err != nil {
			return b, err
		}
	}
	if c.Failure != nil {
		if b, err = jsonwrite.Value(jsonwrite.Key(b, "failure"), c.Failure); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
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
