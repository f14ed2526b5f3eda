package queue

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Entry is a trigger in the inbox.
type Entry struct {
	Trigger  greentic.Trigger `json:"trigger"`
	Turn     string           `json:"turn"` // identity of the turn it starts, the same on every attempt
	Seq      uint64           `json:"seq"`
	Accepted time.Time        `json:"accepted"`
	Restarts int              `json:"restarts,omitempty"` // processes that ended while this was the first of its lane
	Attempts int              `json:"attempts,omitempty"` // runs that failed in a way that may pass
	Progress json.RawMessage  `json:"progress,omitempty"` // where the turn goes on; the runner's
	Release  greentic.Digest  `json:"release,omitempty"`  // kept until the turn has run, though no session pins it
	Said     int              `json:"said,omitempty"`     // items sent by earlier runs that failed: numbers go on from there
	Undone   int              `json:"undone,omitempty"`   // earlier runs whose outside calls were compensated: they are made anew

	encoded []byte // by Prepare
	marked  string // by markKey: nothing that it depends on changes afterwards
}

// Lane is one ordering key of one tenant: its entries run one after the other.
type Lane struct {
	Env    greentic.EnvID    `json:"env"`
	Tenant greentic.TenantID `json:"tenant"`
	Key    string            `json:"key"`
}

// Ctx is the tenant of the lane.
func (l Lane) Ctx() greentic.TenantCtx { return greentic.TenantCtx{Env: l.Env, Tenant: l.Tenant} }

// Shard is the shard of the lane: who owns it works on the lane.
func (l Lane) Shard() int { return shardOf(l) }

// LaneOf is the lane a trigger waits in.
func LaneOf(t greentic.Trigger) Lane { return Lane{t.Tenant.Env, t.Tenant.Tenant, t.Key} }

// Lane is the lane the entry waits in.
func (e Entry) Lane() Lane { return LaneOf(e.Trigger) }

// Receipt is the proof that the entry is stored.
func (e Entry) Receipt() greentic.Receipt {
	return greentic.Receipt{ID: e.Trigger.ID, Turn: e.Turn, Seq: e.Seq}
}

// seenFor is how long a trigger's id is remembered, laneFor how long the numbers of a lane that
// nothing is accepted for: longer, so that they do not begin anew while work of it waits.
const (
	seenFor = 7 * 24 * time.Hour
	laneFor = 30 * 24 * time.Hour
)

const maxKeyLen, maxIDLen = 600, 600

// Check refuses a trigger whose id, key or route cannot be stored; they come from outside.
func Check(t greentic.Trigger) error {
	switch {
	case t.ID == "" || len(t.ID) > maxIDLen:
		return fault.Newf(fault.Invalid, "accept", "a trigger id has 1 to %d bytes, this one %d", maxIDLen, len(t.ID))
	case t.Key == "" || len(t.Key) > maxKeyLen || strings.ContainsRune(t.Key, 0):
		return fault.Newf(fault.Invalid, "accept", "an ordering key has 1 to %d bytes and no NUL, this one has %d", maxKeyLen, len(t.Key))
	}
	return greentic.CheckID("route", t.Route)
}

func seenKey(t greentic.Trigger) string      { return "seen/" + t.Route + "\x00" + t.ID }
func laneKey(key string) string              { return "lane/" + key }
func inboxPrefix(key string) string          { return "inbox/" + key + "\x00" }
func inboxKey(key string, seq uint64) string { return numbered(inboxPrefix(key), seq) }

// numbered is prefix and n in 16 hexadecimal digits, which order as the numbers do.
func numbered(prefix string, n uint64) string {
	b := append(make([]byte, 0, len(prefix)+16), prefix...)
	return string(hex.AppendEncode(b, binary.BigEndian.AppendUint64(nil, n)))
}

// number is what numbered has put behind the prefix.
func number(digits string) (uint64, error) {
	n, err := strconv.ParseUint(digits, 16, 64)
	return n, fault.As(fault.Internal, "inbox", err)
}

// next counts up the triggers of a lane. The number is the lane's own: a tenant's would make
// strangers wait for each other.
func next(t kv.Txn, key string) (uint64, error) {
	raw, err := t.Get(laneKey(key))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return 0, err
	}
	n := uint64(1)
	if len(raw) == 8 {
		n += binary.BigEndian.Uint64(raw)
	}
	return n, t.Put(laneKey(key), binary.BigEndian.AppendUint64(nil, n), laneFor)
}

func putJSON(t kv.Txn, key string, v any, ttl time.Duration) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fault.Wrap("queue", err)
	}
	return t.Put(key, raw, ttl)
}

// Accept stores a trigger once: the entry, the memory of its id, the index that finds it. A
// trigger whose id was seen gets the first receipt again, marked as a duplicate, and no entry.
func Accept(t kv.Txn, trigger greentic.Trigger, turn string, now time.Time) (e Entry, r greentic.Receipt, err error) {
	if e, err = Prepare(trigger, turn, now); err != nil {
		return e, r, err
	}
	return Admit(t, e)
}

// Prepare is the part of Accept that needs no transaction.
func Prepare(trigger greentic.Trigger, turn string, now time.Time) (Entry, error) {
	e := Entry{Trigger: trigger, Turn: turn, Accepted: now, Release: trigger.Release}
	if err := Check(trigger); err != nil {
		return e, err
	}
	e.encoded = e.encode()
	return e, nil
}

// WantAdmit says what Admit reads.
func (e Entry) WantAdmit(w *kv.Wanted) {
	w.Keys = append(w.Keys, seenKey(e.Trigger), laneKey(e.Trigger.Key))
}

// Admit is the rest of Accept, for what Prepare has made.
func Admit(t kv.Txn, e Entry) (Entry, greentic.Receipt, error) {
	seen := seenKey(e.Trigger)
	raw, err := t.Get(seen)
	if err == nil {
		r, err := receipt(e.Trigger.ID, raw)
		return Entry{}, r, fault.Wrap("accept", err)
	}
	if !fault.Is(err, fault.NotFound) {
		return Entry{}, greentic.Receipt{}, err
	}
	if err := Enqueue(t, &e); err != nil {
		return Entry{}, greentic.Receipt{}, err
	}
	r := e.Receipt()
	return e, r, t.Put(seen, append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(r.Turn)), r.Seq), r.Turn...), seenFor)
}

// receipt is what the memory of an id says: eight bytes of its number, then its turn.
func receipt(id string, raw []byte) (greentic.Receipt, error) {
	if len(raw) < 8 {
		return greentic.Receipt{}, fault.New(fault.Internal, "inbox", "the memory of an id is cut short")
	}
	return greentic.Receipt{ID: id, Turn: string(raw[8:]), Seq: binary.BigEndian.Uint64(raw), Duplicate: true}, nil
}

// Enqueue puts an entry behind all others of its lane and gives it its number. Whether its
// trigger was seen is not asked: it is how a dead letter comes back.
func Enqueue(t kv.Txn, e *Entry) (err error) {
	if e.Seq, err = next(t, e.Trigger.Key); err != nil {
		return err
	}
	e.marked = "" // of an earlier number
	err = e.put(t)
	if e.encoded = nil; err != nil {
		return err
	}
	return e.mark().put(t, e.markKey())
}

// pinKey is the system key that says a release is needed by an entry (package session).
func (e Entry) pinKey() string {
	tenant := e.Trigger.Tenant
	return strings.Join([]string{"pin", e.Release.Hex(), string(tenant.Env), string(tenant.Tenant), greentic.DigestOf([]byte("turn " + e.Turn)).Hex()}, "/")
}

func (e Entry) put(t kv.Txn) error {
	if e.Release != "" {
		if err := t.Index(e.pinKey(), []byte(e.Trigger.Key)); err != nil {
			return fault.Wrap("inbox", err)
		}
	}
	raw := e.encoded
	if raw == nil {
		raw = e.encode()
	}
	return t.Put(inboxKey(e.Trigger.Key, e.Seq), raw, 0)
}

// WantFirst says what First, Hold, Checkpoint and Consume read of a key.
func WantFirst(w *kv.Wanted, key string) {
	from, to := kv.Prefix(inboxPrefix(key))
	w.Ranges = append(w.Ranges, kv.Range{From: from, To: to, Limit: 1})
}

// First reads the oldest entry of a key; ok is false when nothing waits.
func First(r kv.Reader, key string) (e Entry, ok bool, err error) {
	from, to := kv.Prefix(inboxPrefix(key))
	var bad error
	err = r.Scan(from, to, 1, func(k string, value []byte) bool {
		ok = true
		if e, bad = decodeEntry(value); bad == nil {
			e.Seq, bad = number(k[len(from):])
		}
		return false
	})
	if err == nil {
		err = bad
	}
	return e, ok, fault.Wrap("inbox", err)
}

// Hold refuses to go on unless e is the oldest entry of its key: fault.Conflict says that
// somebody else ran it, or that it would run too early.
func Hold(r kv.Reader, e Entry) error {
	oldest := ""
	from, to := kv.Prefix(inboxPrefix(e.Trigger.Key))
	if err := r.Scan(from, to, 1, func(k string, _ []byte) bool { oldest = k; return false }); err != nil {
		return err
	}
	if oldest != inboxKey(e.Trigger.Key, e.Seq) {
		return fault.New(fault.Conflict, "inbox", "the entry is not the oldest of its key")
	}
	return nil
}

// Has says whether e still waits.
func Has(r kv.Reader, e Entry) (bool, error) {
	_, err := r.Get(inboxKey(e.Trigger.Key, e.Seq))
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Checkpoint stores what has become of the oldest entry of its key: Progress, Restarts,
// Attempts. Errors as Hold.
func Checkpoint(t kv.Txn, e Entry) error {
	if err := Hold(t, e); err != nil {
		return err
	}
	return e.put(t)
}

// Consume ends the oldest entry of a key, which has run: it leaves the inbox, and what its turn
// sends goes into the outbox. Errors as Hold and Send.
func Consume(t kv.Txn, e Entry, sends ...Parcel) error {
	if err := Hold(t, e); err != nil {
		return err
	}
	if err := t.Delete(inboxKey(e.Trigger.Key, e.Seq)); err != nil {
		return err
	}
	if e.Release != "" {
		if err := t.Index(e.pinKey(), nil); err != nil {
			return fault.Wrap("inbox", err)
		}
	}
	mark, inherited := e.markKey(), false
	for _, p := range sends {
		if err := Send(t, p); err != nil {
			return err
		}
		inherited = inherited || p.markKey() == mark
	}
	if inherited {
		return nil
	}
	return fault.Wrap("inbox", t.Index(mark, nil))
}

// Waiting counts the entries of a key from number seq on, at most limit (0: all).
func Waiting(r kv.Reader, key string, seq uint64, limit int) (n int, err error) {
	_, to := kv.Prefix(inboxPrefix(key))
	err = r.Scan(inboxKey(key, seq), to, limit, func(string, []byte) bool { n++; return true })
	return n, fault.Wrap("inbox", err)
}
