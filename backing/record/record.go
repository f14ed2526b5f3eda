package record

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Turn is the record of one turn.
type Turn struct {
	ID       string           `json:"turn"`
	Seq      uint64           `json:"seq"` // in its conversation
	Trigger  greentic.Trigger `json:"trigger"`
	Release  greentic.Digest  `json:"release,omitempty"` // digest of the pack it ran
	Pack     string           `json:"pack,omitempty"`    // id@version
	Flow     string           `json:"flow,omitempty"`
	Revision uint64           `json:"revision"`         // of the session before; 0: a new one
	Locale   string           `json:"locale,omitempty"` // the user's
	Began    time.Time        `json:"began"`
	Took     time.Duration    `json:"took_ns"`
	Restarts int              `json:"restarts,omitempty"` // processes that ended while it was first in line
	Attempts int              `json:"attempts,omitempty"` // runs that failed in a way that may pass
	Status   string           `json:"status"`             // greentic.TurnDone, TurnWaiting or TurnFailed
	Error    *Failure         `json:"error,omitempty"`    // with TurnFailed
	Steps    []Step           `json:"steps"`
	Replies  []greentic.Reply `json:"replies,omitempty"`
	Events   []greentic.Event `json:"events,omitempty"`
	Output   json.RawMessage  `json:"output,omitempty"` // what the last node left, of a trigger that somebody waits for
}

// Failure says why a turn failed, for operators.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Step is one thing a flow did.
type Step struct {
	N         int             `json:"n"` // nodes executed so far in the turn
	Node      string          `json:"node"`
	Branch    string          `json:"branch,omitempty"` // of parallel or for_each, those within each other with / between
	Do        string          `json:"do"`               // "invoke", "emit", "log", "state_get", "state_set", "publish", "template", "call", "jump", "fork", "return", "retry", "wait", "end", "fail" or "late": the turn's time was over
	Flow      string          `json:"flow,omitempty"`   // that is called, jumped to or returned to
	Component string          `json:"component,omitempty"`
	Operation string          `json:"operation,omitempty"`
	Attempt   int             `json:"attempt,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	Config    json.RawMessage `json:"config,omitempty"`
	Output    json.RawMessage `json:"output,omitempty"`
	Fail      json.RawMessage `json:"fail,omitempty"`
	Trace     json.RawMessage `json:"trace,omitempty"` // host calls of an invocation
	Effect    bool            `json:"effect,omitempty"`
	Took      time.Duration   `json:"took_ns,omitempty"`
	Reason
}

// Reason is why the flow came to a step, with the place in the flow's source that says so.
type Reason struct {
	Rule string `json:"rule,omitempty"`
	Why  string `json:"why,omitempty"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

func prefix(key string) string { return "turn/" + key + "\x00" }

// Key is where the record of a turn lies.
func Key(key string, seq uint64) string { return fmt.Sprintf("%s%016x", prefix(key), seq) }

// Put stores what Encode made of the turn id, number seq of a conversation, for a time.
func Put(t kv.Txn, key string, seq uint64, id string, raw []byte, age time.Duration) error {
	if err := t.Put(placeKey(id), place(key, seq), age); err != nil {
		return err
	}
	return t.Put(Key(key, seq), raw, age)
}

// drop removes the record that lies at a Key, and what finds it, unless that is of a later run.
func drop(t kv.Txn, at string) error {
	raw, err := t.Get(at)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	rec, err := decode(raw)
	if err != nil {
		return err
	}
	found, err := t.Get(placeKey(rec.ID))
	if err == nil && bytes.Equal(found, place(rec.Trigger.Key, rec.Seq)) {
		err = t.Delete(placeKey(rec.ID))
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return t.Delete(at)
}

func decode(raw []byte) (t Turn, err error) {
	if len(raw) < 8 {
		return t, fault.New(fault.Internal, "record", "it is cut short")
	}
	err = json.Unmarshal(raw[8:], &t)
	return t, fault.Wrap("record", err)
}

// Get reads the record of one turn; fault.NotFound when none is kept.
func Get(r kv.Reader, key string, seq uint64) (Turn, error) {
	raw, err := r.Get(Key(key, seq))
	if fault.Is(err, fault.NotFound) {
		return Turn{}, fault.Newf(fault.NotFound, "record", "no record of turn %d of %q is kept", seq, key)
	}
	if err != nil {
		return Turn{}, fault.Wrap("record", err)
	}
	return decode(raw)
}

// List calls fn for the turns of a conversation from number seq on, oldest first, at most limit
// (0: all); fn returning false ends the list.
func List(r kv.Reader, key string, seq uint64, limit int, fn func(Turn) bool) error {
	_, to := kv.Prefix(prefix(key))
	return scan(r, Key(key, seq), to, limit, fn)
}

// placeKey is where it says in which conversation a turn is and which number it has.
func placeKey(id string) string { return "record/" + id }

// place of a record: its key, with the number first.
func place(key string, seq uint64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, seq), key...)
}

// Find reads the record of a turn by its id, of one that ran more than once the newest; fault.NotFound
// when none is kept.
func Find(r kv.Reader, id string) (Turn, error) {
	raw, err := r.Get(placeKey(id))
	if err == nil && len(raw) > 8 {
		return Get(r, string(raw[8:]), binary.BigEndian.Uint64(raw))
	}
	if err == nil || fault.Is(err, fault.NotFound) {
		return Turn{}, fault.Newf(fault.NotFound, "turn "+id, "no record of it is kept")
	}
	return Turn{}, fault.Wrap("record", err)
}

func scan(r kv.Reader, from, to string, limit int, fn func(Turn) bool) error {
	var bad error
	err := r.Scan(from, to, limit, func(_ string, raw []byte) bool {
		t, err := decode(raw)
		bad = err
		return bad == nil && fn(t)
	})
	return errors.Join(err, bad)
}
