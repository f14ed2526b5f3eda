package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	Do        string          `json:"do"`             // "invoke", "emit", "log", "state_get", "state_set", "publish", "template", "call", "jump", "return", "retry", "wait", "end" or "fail"
	Flow      string          `json:"flow,omitempty"` // that is called, jumped to or returned to
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

// Put stores what Encode made of the turn seq of a conversation, for a time.
func Put(t kv.Txn, key string, seq uint64, raw []byte, age time.Duration) error {
	return t.Put(Key(key, seq), raw, age)
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

// Find reads the record of a turn by its id, of one that ran more than once the newest. It looks
// through all records of the tenant.
func Find(r kv.Reader, id string) (found Turn, err error) {
	from, to := kv.Prefix("turn/")
	begin, err := json.Marshal(id)
	if err != nil {
		return found, fault.Wrap("record", err)
	}
	begin = append([]byte(`{"turn":`), begin...) // as Encode writes it: others are not parsed
	conversation, bad := "", error(nil)
	err = r.Scan(from, to, 0, func(key string, raw []byte) bool {
		if conversation != "" && !strings.HasPrefix(key, conversation) {
			return false
		}
		if len(raw) > 8 && bytes.HasPrefix(raw[8:], begin) {
			found, bad = decode(raw)
			conversation = prefix(found.Trigger.Key)
		}
		return bad == nil
	})
	err = errors.Join(err, bad)
	if err == nil && found.ID == "" {
		err = fault.Newf(fault.NotFound, "turn "+id, "no record of it is kept")
	}
	return found, err
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
