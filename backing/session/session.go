package session

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/jsonwrite"
	"greentic.dev/model/flow"
)

// Session is a conversation between two turns.
type Session struct {
	Key      string          `json:"key"`
	Revision uint64          `json:"revision"` // 0 is a session not stored yet
	Release  greentic.Digest `json:"release"`  // the pack it is pinned to
	Flow     string          `json:"flow"`
	Cursor   flow.Cursor     `json:"cursor"`
	Reason   string          `json:"reason,omitempty"` // why it waits
	Due      time.Time       `json:"due,omitzero"`     // when it stops waiting; zero: never
	Origin   Origin          `json:"origin"`
	Began    time.Time       `json:"began"`
	Updated  time.Time       `json:"updated"`

	pinned greentic.Digest // the release of the stored revision
	due    time.Time       // the due time of the stored revision
	entry  []byte          // Cursor.Entry in JSON, once encoded: it never changes
}

// Origin is whom a conversation is with: what a turn that no message starts needs to answer.
type Origin struct {
	Route  string             `json:"route"`
	Tenant greentic.TenantCtx `json:"tenant"`
	From   string             `json:"from,omitempty"` // the user's id on the channel
	Header map[string]string  `json:"header,omitempty"`
}

// lane is the lane a session's triggers wait in.
func (s Session) lane(t greentic.TenantCtx) queue.Lane {
	return queue.Lane{Env: t.Env, Tenant: t.Tenant, Key: s.Key}
}

// wait is the end of the wait of a stored revision.
func (s Session) wait(t greentic.TenantCtx, at time.Time, revision uint64) queue.Due {
	return queue.Due{Lane: s.lane(t), ID: WaitID(revision), At: at}
}

// WaitID names the wait that a session's revision is in, for its due time.
func WaitID(revision uint64) string { return "wait/" + strconv.FormatUint(revision, 10) }

// Timer names the trigger that ends the wait of a stored session. Revisions begin anew with the
// next session of a key and an id is remembered for days, so the due time is part of it.
func (s Session) Timer() string {
	return fmt.Sprintf("%s/%x/%s", WaitID(s.Revision), s.Due.UnixMicro(), greentic.DigestOf([]byte(s.Key)).Hex()[:32])
}

func recordKey(key string) string { return "session/" + key }

// Load reads a session; one that does not exist has revision 0 and only its key.
func Load(r kv.Reader, key string) (Session, error) {
	stored, err := Read(r, key)
	if err != nil {
		return Session{Key: key}, err
	}
	return stored.Open()
}

// Revision is the revision that was read; 0: there is none.
func (st Stored) Revision() uint64 { return st.revision }

// Stored is a session as it lies in the store, not parsed yet.
type Stored struct {
	key      string
	revision uint64
	raw      []byte
}

// Read is Load without parsing, for transactions that others wait for.
func Read(r kv.Reader, key string) (Stored, error) {
	raw, revision, err := read(r, key)
	return Stored{key, revision, raw}, err
}

// Open parses a stored session.
func (st Stored) Open() (Session, error) {
	s := Session{Key: st.key}
	if st.revision == 0 {
		return s, nil
	}
	if err := json.Unmarshal(st.raw, &s); err != nil {
		return s, fault.As(fault.Internal, "session load", err)
	}
	s.Revision, s.pinned, s.due = st.revision, s.Release, s.Due
	return s, nil
}

// read returns a stored session, its revision taken off the front: eight bytes, so that Fence
// need not parse a cursor.
func read(r kv.Reader, key string) ([]byte, uint64, error) {
	raw, err := r.Get(recordKey(key))
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fault.Wrap("session load", err)
	case len(raw) < 8:
		return nil, 0, fault.New(fault.Internal, "session load", "the record is cut short")
	}
	return raw[8:], binary.BigEndian.Uint64(raw), nil
}

// pinKey is the system key that says a release is needed by a session; its value is the
// session's key, which may be too long to be part of it.
func pinKey(tenant greentic.TenantCtx, d greentic.Digest, key string) string {
	return strings.Join([]string{"pin", d.Hex(), string(tenant.Env), string(tenant.Tenant), greentic.DigestOf([]byte(key)).Hex()}, "/")
}

// Want says what Read, Fence, SaveEncoded and End read of a key.
func Want(w *kv.Wanted, key string) { w.Keys = append(w.Keys, recordKey(key)) }

// Fence refuses to go on when the stored revision is not the one that was loaded: fault.Conflict.
func Fence(t kv.Txn, s Session) error {
	_, revision, err := read(t, s.Key)
	if err == nil && revision != s.Revision {
		err = fault.Newf(fault.Conflict, "session save", "revision %d is stored, %d was loaded", revision, s.Revision)
	}
	return err
}

// Save stores s, which was loaded at s.Revision, under the next revision; its pin and its due
// time follow. It returns the session as it is stored now. One that changed meanwhile is
// fault.Conflict.
func Save(t kv.Txn, tenant greentic.TenantCtx, s Session) (Session, error) {
	raw, err := Encode(&s)
	if err != nil {
		return s, err
	}
	return SaveEncoded(t, tenant, s, raw)
}

// Encode is the work of Save that needs no transaction. It notes in s what later calls for the
// same session need not do again.
func Encode(s *Session) (_ []byte, err error) {
	if s.entry == nil || s.Revision == 0 {
		if s.entry, err = jsonwrite.Value(nil, s.Cursor.Entry); err != nil {
			return nil, fault.Wrap("session save", err)
		}
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 1024+2*len(s.entry)), s.Revision+1)
	if b, err = s.appendJSON(b); err != nil {
		return nil, fault.Wrap("session save", err)
	}
	return b, nil
}

// appendJSON appends s as encoding/json writes it, but for the revision, which stands in front.
func (s *Session) appendJSON(b []byte) (_ []byte, err error) {
	b = append(b, '{')
	b = jsonwrite.String(jsonwrite.Key(b, "key"), s.Key)
	b = jsonwrite.String(jsonwrite.Key(b, "release"), string(s.Release))
	b = jsonwrite.String(jsonwrite.Key(b, "flow"), s.Flow)
	if b, err = s.Cursor.AppendJSON(jsonwrite.Key(b, "cursor"), s.entry); err != nil {
		return b, err
	}
	b = jsonwrite.Text(b, "reason", s.Reason)
	b = jsonwrite.Time(b, "due", s.Due)
	b = append(jsonwrite.Key(b, "origin"), '{')
	b = jsonwrite.String(jsonwrite.Key(b, "route"), s.Origin.Route)
	b = s.Origin.Tenant.AppendJSON(jsonwrite.Key(b, "tenant"))
	b = jsonwrite.Text(b, "from", s.Origin.From)
	b = append(jsonwrite.Texts(b, "header", s.Origin.Header), '}')
	b = jsonwrite.Time(b, "began", s.Began)
	b = jsonwrite.Time(b, "updated", s.Updated)
	return append(b, '}'), nil
}

// SaveEncoded is Save with what Encode made of s.
func SaveEncoded(t kv.Txn, tenant greentic.TenantCtx, s Session, raw []byte) (Session, error) {
	if err := Fence(t, s); err != nil {
		return s, err
	}
	old := s
	s.Revision++
	s.pinned, s.due = s.Release, s.Due
	if err := t.Put(recordKey(s.Key), raw, 0); err != nil {
		return s, fault.Wrap("session save", err)
	}
	if old.pinned != s.Release {
		if err := unpin(t, tenant, old); err != nil {
			return s, err
		}
		if err := t.Index(pinKey(tenant, s.Release, s.Key), []byte(s.Key)); err != nil {
			return s, fault.Wrap("session save", err)
		}
	}
	if err := undue(t, tenant, old); err != nil || s.Due.IsZero() {
		return s, err
	}
	return s, s.wait(tenant, s.Due, s.Revision).Put(t)
}

// undue drops the due time of the stored revision.
func undue(t kv.Txn, tenant greentic.TenantCtx, s Session) error {
	if s.due.IsZero() {
		return nil
	}
	return s.wait(tenant, s.due, s.Revision).Drop(t)
}

// End removes a session and its pin; one that was never stored is no error.
func End(t kv.Txn, tenant greentic.TenantCtx, s Session) error {
	if err := Fence(t, s); err != nil || s.Revision == 0 {
		return err
	}
	if err := t.Delete(recordKey(s.Key)); err != nil {
		return fault.Wrap("session end", err)
	}
	if err := undue(t, tenant, s); err != nil {
		return err
	}
	return unpin(t, tenant, s)
}

// List calls fn for the sessions of a tenant after the key after ("" from the first), ordered by
// key, at most limit (0: all); fn returning false ends the list.
func List(r kv.Reader, after string, limit int, fn func(Session) bool) error {
	from, to := kv.Prefix(recordKey(""))
	if after != "" {
		from = recordKey(after) + "\x00"
	}
	var bad error
	err := r.Scan(from, to, limit, func(key string, raw []byte) bool {
		if len(raw) < 8 {
			bad = fault.Newf(fault.Internal, "session list", "the record of %q is cut short", key)
			return false
		}
		s, err := Stored{strings.TrimPrefix(key, recordKey("")), binary.BigEndian.Uint64(raw), raw[8:]}.Open()
		bad = err
		return bad == nil && fn(s)
	})
	return errors.Join(err, bad)
}

func unpin(t kv.Txn, tenant greentic.TenantCtx, s Session) error {
	if s.pinned == "" {
		return nil
	}
	return fault.Wrap("session unpin", t.Index(pinKey(tenant, s.pinned, s.Key), nil))
}

// Pinned lists the releases that some session of any tenant needs.
func Pinned(ctx context.Context, db kv.DB) (map[greentic.Digest]bool, error) {
	out := map[greentic.Digest]bool{}
	err := db.System(ctx, func(t kv.Txn) error {
		from, to := kv.Prefix("pin/")
		for {
			next := ""
			err := t.Scan(from, to, 1, func(key string, _ []byte) bool {
				hex, _, _ := strings.Cut(strings.TrimPrefix(key, "pin/"), "/")
				out[greentic.Digest("sha256:"+hex)] = true
				_, next = kv.Prefix("pin/" + hex + "/") // skip the other sessions of this release
				return true
			})
			if err != nil || next == "" {
				return err
			}
			from = next
		}
	})
	return out, fault.Wrap("session pins", err)
}

// Count says how many sessions of a tenant are on which release.
func Count(r kv.Reader) (map[greentic.Digest]int, error) {
	out := map[greentic.Digest]int{}
	from, to := kv.Prefix(recordKey(""))
	var bad error
	err := r.Scan(from, to, 0, func(_ string, raw []byte) bool {
		var s struct {
			Release greentic.Digest `json:"release"`
		}
		if len(raw) >= 8 {
			bad = json.Unmarshal(raw[8:], &s)
		}
		out[s.Release]++
		return bad == nil
	})
	return out, fault.Wrap("session count", errors.Join(err, bad))
}
