package queue

import (
	"encoding/binary"
	"encoding/json"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/jsonwrite"
)

// entryForm is the first byte of a stored entry. Behind it stand three parts, the first two with
// their length in front: the entry as JSON, without its number, which is in the key; the body; the
// progress. Those two are JSON already and are not encoded again.
const entryForm = 1

// encode is e as the inbox stores it.
func (e Entry) encode() []byte {
	body, progress := e.Trigger.Body, e.Progress
	head := make([]byte, 0, 512)
	head = append(head, '{')
	e.Trigger.Body = nil
	head = e.Trigger.AppendJSON(jsonwrite.Key(head, "trigger"))
	head = jsonwrite.Text(head, "turn", e.Turn)
	head = jsonwrite.Time(head, "accepted", e.Accepted)
	head = jsonwrite.Int(head, "restarts", e.Restarts)
	head = jsonwrite.Int(head, "attempts", e.Attempts)
	head = jsonwrite.Text(head, "release", e.Release)
	head = jsonwrite.Int(head, "said", e.Said)
	head = jsonwrite.Int(head, "undone", e.Undone)
	head = append(head, '}')

	b := append(make([]byte, 0, len(head)+len(body)+len(progress)+16), entryForm)
	for _, part := range [][]byte{head, body} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	return append(b, progress...)
}

func decodeEntry(raw []byte) (e Entry, err error) {
	if len(raw) == 0 || raw[0] != entryForm {
		return e, fault.New(fault.Internal, "inbox", "the entry has a form this version does not know")
	}
	raw = raw[1:]
	var parts [2][]byte
	for i := range parts {
		n, used := binary.Uvarint(raw)
		if used <= 0 || n > uint64(len(raw)-used) {
			return e, fault.New(fault.Internal, "inbox", "the entry is cut short")
		}
		parts[i], raw = raw[used:used+int(n)], raw[used+int(n):]
	}
	if err := json.Unmarshal(parts[0], &e); err != nil {
		return e, fault.As(fault.Internal, "inbox", err)
	}
	if e.Trigger.Body = parts[1]; len(raw) > 0 {
		e.Progress = raw
	}
	return e, nil
}

// encode is p as the outbox stores it: as encoding/json writes it.
func (p Parcel) encode() (b []byte, err error) {
	b = append(make([]byte, 0, 768), '{')
	b = jsonwrite.Text(b, "turn", p.Turn)
	b = jsonwrite.Int(b, "seq", p.Seq)
	b = jsonwrite.Time(b, "made", p.Made)
	b = jsonwrite.Text(b, "key", p.Key)
	b = p.Tenant.AppendJSON(jsonwrite.Key(b, "tenant"))
	b = jsonwrite.Text(b, "route", p.Route)
	b = jsonwrite.Texts(b, "header", p.Header)
	b = jsonwrite.Int(b, "first", p.First)
	b = append(jsonwrite.Key(b, "items"), '[')
	for i, item := range p.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if item.Reply != nil {
			b = item.Reply.AppendJSON(jsonwrite.Key(b, "reply"))
		}
		if item.Event != nil {
			raw, err := json.Marshal(item.Event)
			if err != nil {
				return nil, fault.Wrap("outbox", err)
			}
			b = jsonwrite.Raw(b, "event", raw)
		}
		b = append(b, '}')
	}
	b = append(b, ']')
	b = jsonwrite.Int(b, "attempts", p.Attempts)
	return append(b, '}'), nil
}
