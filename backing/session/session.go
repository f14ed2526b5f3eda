package session

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
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
	Updated  time.Time       `json:"updated"`

	pinned greentic.Digest // the release of the stored revision
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
	s.Revision, s.pinned = st.revision, s.Release
	return s, nil
}

// read returns a stored session, its revision taken off the front: eight bytes, so that fence
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

// fence refuses to go on when the stored revision is not the one that was loaded.
func fence(t kv.Txn, s Session) error {
	_, revision, err := read(t, s.Key)
	if err == nil && revision != s.Revision {
		err = fault.Newf(fault.Conflict, "session save", "revision %d is stored, %d was loaded", revision, s.Revision)
	}
	return err
}

// Save stores s, which was loaded at s.Revision, under the next revision and moves its pin.
// A session that changed meanwhile is fault.Conflict.
func Save(t kv.Txn, tenant greentic.TenantCtx, s Session) error {
	if err := fence(t, s); err != nil {
		return err
	}
	s.Revision++
	raw, err := json.Marshal(s)
	if err != nil {
		return fault.Wrap("session save", err)
	}
	if err := t.Put(recordKey(s.Key), append(binary.BigEndian.AppendUint64(nil, s.Revision), raw...), 0); err != nil {
		return fault.Wrap("session save", err)
	}
	if s.pinned == s.Release {
		return nil
	}
	if err := unpin(t, tenant, s); err != nil {
		return err
	}
	return fault.Wrap("session save", t.Index(pinKey(tenant, s.Release, s.Key), []byte(s.Key)))
}

// End removes a session and its pin; one that was never stored is no error.
func End(t kv.Txn, tenant greentic.TenantCtx, s Session) error {
	if err := fence(t, s); err != nil || s.Revision == 0 {
		return err
	}
	if err := t.Delete(recordKey(s.Key)); err != nil {
		return fault.Wrap("session end", err)
	}
	return unpin(t, tenant, s)
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
