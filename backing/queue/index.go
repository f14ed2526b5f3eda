package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func shardOf(l Lane) int { return shard.Of(l.Env, l.Tenant, l.Key) }

// Mark is a key of the system index: it finds work of any tenant by shard and time, so that
// nobody looks through tenants (decisions 17). It is written in the transaction that makes the
// work and deleted in the one that ends it.
type Mark struct {
	Lane
	Route string `json:"route,omitempty"` // of the outbox
	ID    string `json:"id,omitempty"`    // of a due time

	queue string // "ready", "out" or "due"
	at    time.Time
	which string // tells marks of one lane and time apart
}

// String is the key of the index. Lane keys may be long, so their digest stands for them.
func (m Mark) String() string {
	lane := greentic.DigestOf([]byte(m.Key + "\x00" + m.which)).Hex()[:32]
	return fmt.Sprintf("%s%016x/%s/%s/%s", shardPrefix(m.queue, m.Shard()), uint64(max(m.at.UnixMicro(), 0)), m.Env, m.Tenant, lane)
}

func shardPrefix(queue string, shard int) string { return fmt.Sprintf("%s/%02x/", queue, shard) }

func (m Mark) put(t kv.Txn) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fault.Wrap("queue", err)
	}
	return t.Index(m.String(), raw)
}

func (m Mark) drop(t kv.Txn) error { return t.Index(m.String(), nil) }

func (e Entry) ready() Mark {
	return Mark{Lane: e.Lane(), queue: "ready", at: e.Accepted, which: fmt.Sprint(e.Seq)}
}

// marks reads the index of one shard in the order of time, at most limit (0: all).
func marks(t kv.Reader, queue string, shard, limit int, fn func(key string, at time.Time, m Mark) bool) error {
	from, to := kv.Prefix(shardPrefix(queue, shard))
	var bad error
	err := t.Scan(from, to, limit, func(key string, value []byte) bool {
		m := Mark{queue: queue}
		if bad = json.Unmarshal(value, &m); bad != nil {
			return false
		}
		var micros int64
		digits, _, _ := strings.Cut(strings.TrimPrefix(key, from), "/")
		if _, bad = fmt.Sscanf(digits, "%x", &micros); bad != nil {
			return false
		}
		m.at = time.UnixMicro(micros).UTC()
		return fn(key, m.at, m)
	})
	return fault.Wrap("queue", errors.Join(err, bad))
}

// Ready calls fn for the lanes of a shard whose inbox holds entries, oldest first, once for each
// entry; key tells entries apart.
func Ready(t kv.Reader, shard, limit int, fn func(key string, l Lane) bool) error {
	return marks(t, "ready", shard, limit, func(key string, _ time.Time, m Mark) bool { return fn(key, m.Lane) })
}

// Out calls fn for the destinations of a shard whose outbox holds parcels, oldest first, once
// for each parcel; key tells parcels apart.
func Out(t kv.Reader, shard, limit int, fn func(key string, d Destination) bool) error {
	return marks(t, "out", shard, limit, func(key string, _ time.Time, m Mark) bool {
		return fn(key, Destination{m.Lane, m.Route})
	})
}

// Due is something that is to happen at a time: the end of a wait, a time of a schedule.
type Due struct {
	Lane
	ID string // unique in its lane
	At time.Time
}

func (d Due) mark() Mark { return Mark{Lane: d.Lane, ID: d.ID, queue: "due", at: d.At, which: d.ID} }

// Put stores d; it is found by NextDue once its time has come. Microseconds count.
func (d Due) Put(t kv.Txn) error { return d.mark().put(t) }

// Drop forgets d; that it is not there is no error.
func (d Due) Drop(t kv.Txn) error { return d.mark().drop(t) }

// NextDue lists what is due in a shard at now, oldest first, at most limit. next is when to look
// again: now when there is more, zero when nothing waits.
func NextDue(t kv.Reader, shard int, now time.Time, limit int) (list []Due, next time.Time, err error) {
	err = marks(t, "due", shard, limit+1, func(_ string, at time.Time, m Mark) bool {
		switch {
		case at.After(now):
			next = at
			return false
		case len(list) == limit:
			next = now
			return false
		}
		list = append(list, Due{Lane: m.Lane, ID: m.ID, At: at})
		return true
	})
	return list, next, err
}
