package queue

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
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
// work and deleted in the one that ends it. A turn and the parcel for where it came from share
// one, which says what it is at present: it stands from the acceptance to the delivery.
type Mark struct {
	Lane
	Route string // of a turn's trigger or a parcel
	ID    string // of a due time

	queue string // "work" or "due"
	kind  byte   // of work: ready or out
	at    int64  // Unix microseconds
	seq   uint64 // of the turn
}

// String is the key of the index. Lane keys may be long, so their digest stands for them.
func (m Mark) String() string {
	var room [1400]byte
	name := append(room[:0], m.Key...)
	name = append(append(append(append(name, 0), m.Route...), 0), m.ID...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(name, m.seq))
	b := append(make([]byte, 0, 96), shardPrefix(m.queue, m.Shard())...)
	b = hex.AppendEncode(b, binary.BigEndian.AppendUint64(room[:0], uint64(max(m.at, 0))))
	for _, part := range [...]string{string(m.Env), string(m.Tenant)} {
		b = append(append(b, '/'), part...)
	}
	return string(hex.AppendEncode(append(b, '/'), sum[:16]))
}

func shardPrefix(queue string, shard int) string {
	return queue + "/" + hex.EncodeToString([]byte{byte(shard)}) + "/"
}

// put stores the mark under key, which is its String.
func (m Mark) put(t kv.Txn, key string) error {
	value := append(make([]byte, 0, len(m.Key)+len(m.Route)+len(m.ID)+3), m.kind)
	value = append(append(append(append(append(value, m.Key...), 0), m.Route...), 0), m.ID...)
	return t.Index(key, value)
}

// readMark is the mark that put has written, but for its number.
func readMark(queue, key string, value []byte) (m Mark, err error) {
	where := strings.Split(key, "/") // queue, shard, time, env, tenant, digest
	what := strings.SplitN(string(value), "\x00", 3)
	if len(where) != 6 || len(what) != 3 || what[0] == "" {
		return m, fault.Newf(fault.Internal, "queue", "the mark %q is none", key)
	}
	at, err := strconv.ParseInt(where[2], 16, 64)
	if err != nil {
		return m, fault.As(fault.Internal, "queue", err)
	}
	return Mark{Lane: Lane{greentic.EnvID(where[3]), greentic.TenantID(where[4]), what[0][1:]}, Route: what[1], ID: what[2], queue: queue, kind: what[0][0], at: at}, nil
}

func (e Entry) mark() Mark {
	return Mark{Lane: e.Lane(), Route: e.Trigger.Route, queue: "work", kind: ready, at: e.Accepted.UnixMicro(), seq: e.Seq}
}

// markKey is the key of the entry's mark, made once the entry has its number.
func (e *Entry) markKey() string {
	if e.marked == "" {
		e.marked = e.mark().String()
	}
	return e.marked
}

// What work is.
const (
	ready = 'r' // an entry of the inbox
	out   = 'o' // a parcel of the outbox
	due   = 'd'
)

// marks reads the index of one shard in the order of time.
func marks(t kv.Reader, queue string, shard int, fn func(key string, m Mark) bool) error {
	from, to := kv.Prefix(shardPrefix(queue, shard))
	var bad error
	err := t.Scan(from, to, 0, func(key string, value []byte) bool {
		m, err := readMark(queue, key, value)
		bad = err
		return bad == nil && fn(key, m)
	})
	return fault.Wrap("queue", errors.Join(err, bad))
}

// WantWork and WantDue say what Work and NextDue read of a shard.
func WantWork(w *kv.Wanted, shard int) { wantMarks(w, "work", shard) }

// WantDue is beside WantWork.
func WantDue(w *kv.Wanted, shard int) { wantMarks(w, "due", shard) }

func wantMarks(w *kv.Wanted, queue string, shard int) {
	from, to := kv.Prefix(shardPrefix(queue, shard))
	w.Ranges = append(w.Ranges, kv.Range{From: from, To: to})
}

// Work reads the work of a shard, oldest first: it calls inbox for the lane of each entry and outbox
// for the destination of each parcel, at most limit times each (0: all) and until it returns false;
// key tells entries and parcels apart.
func Work(t kv.Reader, shard, limit int, inbox func(key string, l Lane) bool, outbox func(key string, d Destination) bool) error {
	left := map[byte]int{ready: limit, out: limit}
	return marks(t, "work", shard, func(key string, m Mark) bool {
		if _, wanted := left[m.kind]; !wanted {
			return true
		}
		more := false
		if m.kind == ready {
			more = inbox(key, m.Lane)
		} else {
			more = outbox(key, Destination{m.Lane, m.Route})
		}
		if left[m.kind]--; !more || left[m.kind] == 0 {
			delete(left, m.kind)
		}
		return len(left) > 0
	})
}

// Due is something that is to happen at a time: the end of a wait, a time of a schedule.
type Due struct {
	Lane
	ID string // unique in its lane
	At time.Time
}

func (d Due) mark() Mark {
	return Mark{Lane: d.Lane, ID: d.ID, queue: "due", kind: due, at: d.At.UnixMicro()}
}

// Put stores d; it is found by NextDue once its time has come. Microseconds count.
func (d Due) Put(t kv.Txn) error { m := d.mark(); return m.put(t, m.String()) }

// Drop forgets d; that it is not there is no error.
func (d Due) Drop(t kv.Txn) error { return t.Index(d.mark().String(), nil) }

// NextDue lists what is due in a shard at now, oldest first, at most limit. next is when to look
// again: now when there is more, zero when nothing waits.
func NextDue(t kv.Reader, shard int, now time.Time, limit int) (list []Due, next time.Time, err error) {
	err = marks(t, "due", shard, func(_ string, m Mark) bool {
		at := time.UnixMicro(m.at).UTC()
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
