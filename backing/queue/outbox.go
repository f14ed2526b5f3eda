package queue

import (
	"encoding/json"
	"strconv"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Destination is where parcels go, in the order of their turns: a conversation on a route.
type Destination struct {
	Lane
	Route string // connector, or "bus"
}

// Item is one thing to deliver: a reply for people or an event for the bus.
type Item struct {
	Reply *greentic.Reply `json:"reply,omitempty"`
	Event *greentic.Event `json:"event,omitempty"`
}

// Parcel is what one turn sends to one destination.
type Parcel struct {
	Turn     string             `json:"turn"`
	Seq      uint64             `json:"seq"`  // of its turn in its lane
	Made     time.Time          `json:"made"` // when its turn was accepted: with Seq and Route the same for both
	Key      string             `json:"key"`
	Tenant   greentic.TenantCtx `json:"tenant"`
	Route    string             `json:"route"`
	Header   map[string]string  `json:"header,omitempty"`
	First    int                `json:"first,omitempty"` // number of Items[0] in its turn
	Items    []Item             `json:"items"`
	Attempts int                `json:"attempts,omitempty"` // deliveries of Items[0] that failed

	encoded []byte // by Encoded
	marked  string // by Encoded
}

// Outgoing is one item on its way. ID is the same on every attempt, so that a channel recognises
// a repeated one.
type Outgoing struct {
	ID       string
	Key      string // the lane: items of one lane and route arrive in order
	Tenant   greentic.TenantCtx
	Route    string
	Header   map[string]string
	Reply    greentic.Reply  // zero with Event
	Event    *greentic.Event // nil: a reply
	Attempts int
}

// Outgoing is item i of the parcel.
func (p Parcel) Outgoing(i int) Outgoing {
	o := Outgoing{ID: p.Turn + "-" + strconv.Itoa(p.First+i), Key: p.Key, Tenant: p.Tenant, Route: p.Route, Header: p.Header, Event: p.Items[i].Event}
	if r := p.Items[i].Reply; r != nil {
		o.Reply = *r
	}
	if i == 0 {
		o.Attempts = p.Attempts
	}
	return o
}

// Destination is where the parcel goes.
func (p Parcel) Destination() Destination {
	return Destination{Lane{p.Tenant.Env, p.Tenant.Tenant, p.Key}, p.Route}
}

func (p Parcel) mark() Mark {
	d := p.Destination()
	return Mark{Lane: d.Lane, Route: p.Route, queue: "work", kind: out, at: p.Made.UnixMicro(), seq: p.Seq}
}

// markKey is the key of the parcel's mark.
func (p Parcel) markKey() string {
	if p.marked != "" {
		return p.marked
	}
	return p.mark().String()
}

func outboxPrefix(route, key string) string { return "outbox/" + route + "/" + key + "\x00" }
func (p Parcel) key() string                { return numbered(outboxPrefix(p.Route, p.Key), p.Seq) }

// MaxItems is how many items one parcel may have.
const MaxItems = 4096

// Send puts a parcel behind all earlier ones of its destination. More than 4096 items are
// fault.Invalid.
func Send(t kv.Txn, p Parcel) error {
	if err := p.put(t); err != nil {
		return err
	}
	return p.mark().put(t, p.markKey())
}

func (p Parcel) put(t kv.Txn) error {
	if len(p.Items) > MaxItems {
		return fault.Newf(fault.Invalid, "outbox", "a turn has %d replies, at most %d are allowed", len(p.Items), MaxItems)
	}
	raw := p.encoded
	if raw == nil {
		var err error
		if raw, err = p.encode(); err != nil {
			return err
		}
	}
	return t.Put(p.key(), raw, 0)
}

// Encoded is p with the work of Send that needs no transaction done; nothing of it may change
// afterwards.
func (p Parcel) Encoded() (Parcel, error) {
	var err error
	p.marked = p.mark().String()
	p.encoded, err = p.encode()
	return p, err
}

// Pending reads the oldest parcels of a destination, at most limit.
func Pending(r kv.Reader, d Destination, limit int) (list []Parcel, err error) {
	from, to := kv.Prefix(outboxPrefix(d.Route, d.Key))
	scanErr := r.Scan(from, to, limit, func(_ string, value []byte) bool {
		var p Parcel
		if err = json.Unmarshal(value, &p); err != nil {
			return false
		}
		list = append(list, p)
		return true
	})
	if scanErr != nil {
		err = scanErr
	}
	return list, fault.Wrap("outbox", err)
}

// WantWaits says what Waits reads.
func WantWaits(w *kv.Wanted, d Destination) {
	from, to := kv.Prefix(outboxPrefix(d.Route, d.Key))
	w.Ranges = append(w.Ranges, kv.Range{From: from, To: to, Limit: 1})
}

// Waits says whether a parcel waits for a destination.
func Waits(r kv.Reader, d Destination) (waits bool, err error) {
	from, to := kv.Prefix(outboxPrefix(d.Route, d.Key))
	err = r.Scan(from, to, 1, func(string, []byte) bool { waits = true; return false })
	return waits, fault.Wrap("outbox", err)
}

// Delivered removes parcels whose items have all arrived.
func Delivered(t kv.Txn, list ...Parcel) error {
	for _, p := range list {
		if err := t.Delete(p.key()); err != nil {
			return err
		}
		if err := t.Index(p.markKey(), nil); err != nil {
			return fault.Wrap("outbox", err)
		}
	}
	return nil
}

// Tried stores a parcel again: fewer items, another count of attempts. One that has left the
// outbox is fault.Conflict: somebody else delivered it.
func Tried(t kv.Txn, p Parcel) error {
	_, err := t.Get(p.key())
	switch {
	case fault.Is(err, fault.NotFound):
		return fault.New(fault.Conflict, "outbox", "the parcel is not there any more")
	case err != nil:
		return err
	}
	p.encoded = nil
	return p.put(t)
}
