package queue

import (
	"encoding/json"
	"fmt"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Outgoing is a committed reply on its way to a channel. ID is the same on every attempt, so
// that a channel recognises a repeated one.
type Outgoing struct {
	ID       string             `json:"id"`
	Seq      uint64             `json:"seq"`
	Last     bool               `json:"last,omitempty"` // of its turn
	Key      string             `json:"key"`            // the lane: replies of one session arrive in order
	Tenant   greentic.TenantCtx `json:"tenant"`
	Route    string             `json:"route"` // connector
	Header   map[string]string  `json:"header,omitempty"`
	Reply    greentic.Reply     `json:"reply"`
	Attempts int                `json:"attempts,omitempty"`
}

// Letter is a reply that could not be delivered.
type Letter struct {
	Outgoing Outgoing `json:"outgoing"`
	Reason   string   `json:"reason"`
}

func (o Outgoing) lane() Lane { return Lane{o.Tenant.Env, o.Tenant.Tenant, o.Key} }

func outboxPrefix(key string) string { return "outbox/" + key + "\x00" }
func outboxKey(o Outgoing) string    { return fmt.Sprintf("%s%016x", outboxPrefix(o.Key), o.Seq) }

// maxReplies is how many replies one turn may have: the numbers between two triggers.
const maxReplies = 4096

// Outgoing makes the outbox entries of a turn's replies.
func (e Entry) Outgoing(tenant greentic.TenantCtx, replies []greentic.Reply) []Outgoing {
	list := make([]Outgoing, len(replies))
	for i, reply := range replies {
		list[i] = Outgoing{ID: fmt.Sprintf("%s-%d", e.Turn, i), Seq: e.Seq*maxReplies + uint64(i), Last: i == len(replies)-1, Key: e.Trigger.Key,
			Tenant: tenant, Route: e.Trigger.Route, Header: e.Trigger.Header, Reply: reply}
	}
	return list
}

// Pending reads the oldest replies of a key, at most limit.
func Pending(r kv.Reader, key string, limit int) (list []Outgoing, err error) {
	from, to := kv.Prefix(outboxPrefix(key))
	scanErr := r.Scan(from, to, limit, func(_ string, value []byte) bool {
		var o Outgoing
		if err = json.Unmarshal(value, &o); err != nil {
			return false
		}
		list = append(list, o)
		return true
	})
	if scanErr != nil {
		err = scanErr
	}
	return list, fault.Wrap("outbox", err)
}

// Delivered removes replies that have arrived.
func Delivered(t kv.Txn, list ...Outgoing) error {
	for _, o := range list {
		if err := t.Delete(outboxKey(o)); err != nil {
			return err
		}
		if !o.Last {
			continue
		}
		if err := t.Index(readyKey(o.lane(), o.Seq/maxReplies), nil); err != nil {
			return err
		}
	}
	return nil
}

// Tried records a failed attempt.
func Tried(t kv.Txn, o Outgoing) error { return putJSON(t, outboxKey(o), o, 0) }

// Bury moves a reply to the dead letters.
func Bury(t kv.Txn, o Outgoing, reason string) error {
	if err := Delivered(t, o); err != nil {
		return err
	}
	return putJSON(t, fmt.Sprintf("dead/%016x", o.Seq), Letter{o, reason}, 0)
}

// Letters lists the dead letters of a tenant, oldest first, at most limit (0: all).
func Letters(r kv.Reader, limit int) (list []Letter, err error) {
	from, to := kv.Prefix("dead/")
	scanErr := r.Scan(from, to, limit, func(_ string, value []byte) bool {
		var l Letter
		if err = json.Unmarshal(value, &l); err != nil {
			return false
		}
		list = append(list, l)
		return true
	})
	if scanErr != nil {
		err = scanErr
	}
	return list, fault.Wrap("dead letters", err)
}
