package queue

import (
	"encoding/json"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// Letter is work that was given up: a turn that failed, or an item that could not be delivered.
type Letter struct {
	ID     string    `json:"id"`   // the turn's, or the item's
	Kind   string    `json:"kind"` // "turn", "reply" or "event"
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Code   string    `json:"code"` // kind of failure, or the flow's code
	Entry  *Entry    `json:"entry,omitempty"`
	Parcel *Parcel   `json:"parcel,omitempty"` // of one item
}

// letterFor is how long a letter is kept.
const letterFor = 90 * 24 * time.Hour

func letterKey(id string) string { return "dead/" + id }

// Bury stores a letter.
func Bury(t kv.Txn, l Letter) error { return putJSON(t, letterKey(l.ID), l, letterFor) }

// Letters lists the dead letters of a tenant after the one with that id ("" from the first), in
// the order of their ids, at most limit (0: all).
func Letters(r kv.Reader, after string, limit int) (list []Letter, err error) {
	from, to := kv.Prefix("dead/")
	if after != "" {
		from = letterKey(after) + "\x00"
	}
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

// LetterOf reads one; fault.NotFound when there is none.
func LetterOf(r kv.Reader, id string) (l Letter, err error) {
	raw, err := r.Get(letterKey(id))
	if err == nil {
		err = json.Unmarshal(raw, &l)
	}
	if fault.Is(err, fault.NotFound) {
		return l, fault.Newf(fault.NotFound, "dead letter "+id, "there is none")
	}
	return l, fault.Wrap("dead letter "+id, err)
}

// Drop removes a letter; fault.NotFound when there is none.
func Drop(t kv.Txn, id string) error {
	if _, err := LetterOf(t, id); err != nil {
		return err
	}
	return t.Delete(letterKey(id))
}

// Revive puts a letter's work back behind all other of its lane, with a fresh count of attempts
// and what progress it had, and removes the letter. The turn keeps its identity, and so do its
// idempotency keys: what it did outside is not done again. Errors as LetterOf.
func Revive(t kv.Txn, id string, now time.Time) (l Letter, err error) {
	if l, err = LetterOf(t, id); err != nil {
		return l, err
	}
	switch {
	case l.Entry != nil:
		l.Entry.Restarts, l.Entry.Attempts, l.Entry.Accepted = 0, 0, now
		err = Enqueue(t, l.Entry)
	case l.Parcel != nil:
		l.Parcel.Attempts, l.Parcel.Made = 0, now
		if l.Parcel.Seq, err = next(t, l.Parcel.Key); err == nil {
			err = Send(t, *l.Parcel)
		}
	}
	if err != nil {
		return l, err
	}
	return l, t.Delete(letterKey(id))
}
