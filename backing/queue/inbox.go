package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
}

// Lane is one ordering key of one tenant: its entries run one after the other.
type Lane struct {
	Env    greentic.EnvID    `json:"env"`
	Tenant greentic.TenantID `json:"tenant"`
	Key    string            `json:"key"`
}

// Ctx is the tenant of the lane.
func (l Lane) Ctx() greentic.TenantCtx { return greentic.TenantCtx{Env: l.Env, Tenant: l.Tenant} }

// LaneOf is the lane a trigger waits in.
func LaneOf(t greentic.Trigger) Lane { return Lane{t.Tenant.Env, t.Tenant.Tenant, t.Key} }

// seenFor is how long a trigger's id is remembered.
const seenFor = 7 * 24 * time.Hour

const maxKeyLen, maxIDLen = 600, 600

// check refuses what cannot be a key; both come from outside.
func check(t greentic.Trigger) error {
	switch {
	case t.ID == "" || len(t.ID) > maxIDLen:
		return fault.Newf(fault.Invalid, "accept", "a trigger id has 1 to %d bytes, this one %d", maxIDLen, len(t.ID))
	case t.Key == "" || len(t.Key) > maxKeyLen || strings.ContainsRune(t.Key, 0):
		return fault.Newf(fault.Invalid, "accept", "an ordering key has 1 to %d bytes and no NUL, this one has %d", maxKeyLen, len(t.Key))
	}
	return greentic.CheckID("route", t.Route)
}

func seenKey(t greentic.Trigger) string      { return "seen/" + t.Route + "\x00" + t.ID }
func inboxPrefix(key string) string          { return "inbox/" + key + "\x00" }
func inboxKey(key string, seq uint64) string { return fmt.Sprintf("%s%016x", inboxPrefix(key), seq) }

// readyPrefix begins the index of waiting work: one system key for each trigger, from Accept
// until its last reply is delivered. Shard 0 is the only one so far.
const readyPrefix = "ready/0/"

func readyKey(l Lane, seq uint64) string {
	return fmt.Sprintf("%s%016x/%s/%s", readyPrefix, seq, l.Env, l.Tenant)
}

// next counts up the triggers of the tenant.
func next(t kv.Txn) (uint64, error) {
	const key = "seq/inbox"
	var n uint64
	raw, err := t.Get(key)
	if err == nil {
		err = json.Unmarshal(raw, &n)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return 0, err
	}
	n++
	return n, putJSON(t, key, n, 0)
}

func putJSON(t kv.Txn, key string, v any, ttl time.Duration) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fault.Wrap("queue", err)
	}
	return t.Put(key, raw, ttl)
}

// Receipt is the proof that the entry is stored.
func (e Entry) Receipt() greentic.Receipt {
	return greentic.Receipt{ID: e.Trigger.ID, Turn: e.Turn, Seq: e.Seq}
}

// Accept stores a trigger once: the entry, the memory of its id, the index that finds it. A
// trigger whose id was seen gets the first receipt again, marked as a duplicate, and no entry.
func Accept(t kv.Txn, trigger greentic.Trigger, turn string, now time.Time) (e Entry, r greentic.Receipt, err error) {
	if err := check(trigger); err != nil {
		return e, r, err
	}
	raw, err := t.Get(seenKey(trigger))
	if err == nil {
		err = json.Unmarshal(raw, &r)
		r.Duplicate = true
		return e, r, fault.Wrap("accept", err)
	}
	if !fault.Is(err, fault.NotFound) {
		return e, r, err
	}
	e = Entry{Trigger: trigger, Turn: turn, Accepted: now}
	if e.Seq, err = next(t); err != nil {
		return e, r, err
	}
	r = e.Receipt()
	if err := putJSON(t, seenKey(trigger), r, seenFor); err != nil {
		return e, r, err
	}
	if err := putJSON(t, inboxKey(trigger.Key, e.Seq), e, 0); err != nil {
		return e, r, err
	}
	raw, err = json.Marshal(LaneOf(trigger))
	if err != nil {
		return e, r, fault.Wrap("accept", err)
	}
	return e, r, t.Index(readyKey(LaneOf(trigger), e.Seq), raw)
}

// First reads the oldest entry of a key; ok is false when nothing waits.
func First(r kv.Reader, key string) (e Entry, ok bool, err error) {
	from, to := kv.Prefix(inboxPrefix(key))
	err = r.Scan(from, to, 1, func(_ string, value []byte) bool {
		ok = true
		err = json.Unmarshal(value, &e)
		return false
	})
	return e, ok, fault.Wrap("inbox", err)
}

// Consume ends the oldest entry of a key, which has run: it leaves the inbox, its replies, as
// Entry.Outgoing made them, enter the outbox behind all earlier ones of the key. An entry that is gone
// or not the oldest is fault.Conflict: somebody else ran it, or it ran too early. More than 4096
// replies are fault.Invalid.
func Consume(t kv.Txn, e Entry, replies ...Outgoing) error {
	if len(replies) > maxReplies {
		return fault.Newf(fault.Invalid, "outbox", "a turn has %d replies, at most %d are allowed", len(replies), maxReplies)
	}
	oldest, key := "", inboxKey(e.Trigger.Key, e.Seq)
	from, to := kv.Prefix(inboxPrefix(e.Trigger.Key))
	if err := t.Scan(from, to, 1, func(k string, _ []byte) bool { oldest = k; return false }); err != nil {
		return err
	}
	if oldest != key {
		return fault.New(fault.Conflict, "inbox", "the entry is not the oldest of its key")
	}
	if err := t.Delete(key); err != nil {
		return err
	}
	for _, o := range replies {
		if err := putJSON(t, outboxKey(o), o, 0); err != nil {
			return err
		}
	}
	if len(replies) > 0 {
		return nil
	}
	return t.Index(readyKey(LaneOf(e.Trigger), e.Seq), nil)
}

// Restarted counts a restart on the oldest entry of a key. An entry that was first at many of
// them may be what ends the process.
func Restarted(t kv.Txn, key string) error {
	e, ok, err := First(t, key)
	if err != nil || !ok {
		return err
	}
	e.Restarts++
	return putJSON(t, inboxKey(key, e.Seq), e, 0)
}

// Waiting lists the lanes that have entries in the inbox or replies in the outbox, once for
// each trigger that is not done, oldest first, for a process that begins.
func Waiting(ctx context.Context, db kv.DB) (list []Lane, err error) {
	err = db.System(ctx, func(t kv.Txn) error {
		list = nil
		from, to := kv.Prefix(readyPrefix)
		var bad error
		err := t.Scan(from, to, 0, func(_ string, value []byte) bool {
			var l Lane
			if bad = json.Unmarshal(value, &l); bad == nil {
				list = append(list, l)
			}
			return bad == nil
		})
		return errors.Join(err, bad)
	})
	return list, fault.Wrap("queue", err)
}
