package state

import (
	"context"
	"maps"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Scope is whom a value belongs to inside its tenant.
type Scope string

// Conversation is the scope of one session key.
func Conversation(key string) Scope { return Scope("c/" + key) }

// User is the scope of one user of a channel, over all conversations.
func User(route, id string) Scope { return Scope("u/" + route + "/" + id) }

// Tenant is the scope that everybody of the tenant shares.
const Tenant Scope = "t"

// storeKey is where kv keeps a value. Owner and scope come from outside and may be long; then
// their digest stands for them.
func storeKey(owner string, s Scope, key string) string {
	where := string(s) + "\x00" + owner
	if len(where) > 400 {
		where = "#" + greentic.DigestOf([]byte(where)).Hex()
	}
	return "state/" + where + "\x00" + key
}

// maxKey leaves room for the scope in front.
const maxKey = 512

// Overlay is the state as one turn sees it: the store below, the turn's own writes above. It
// serves one goroutine. Errors are those of kv, and fault.Invalid for a key that is empty or
// longer than 512 bytes.
type Overlay struct {
	db     kv.DB
	tenant greentic.TenantCtx
	writes map[string]*[]byte // by store key; nil deletes
	below  map[string]*[]byte // of a branch: what the turn had written when it began
	away   error
}

// NewOverlay begins a turn without writes.
func NewOverlay(db kv.DB, tenant greentic.TenantCtx) *Overlay {
	return &Overlay{db: db, tenant: tenant, writes: map[string]*[]byte{}}
}

// Branch is the state as one branch of the turn sees it: what o holds now, and its own writes, which
// Restore brings back to o. Branches do not see each other's.
func (o *Overlay) Branch() *Overlay {
	b := NewOverlay(o.db, o.tenant)
	b.below = maps.Clone(o.below)
	if b.below == nil {
		b.below = map[string]*[]byte{}
	}
	maps.Copy(b.below, o.writes)
	return b
}

// Away is the failure of the first read that found the store away; nil: none did. What such a turn
// makes of the failure is not worth keeping.
func (o *Overlay) Away() error { return o.away }

// Missed notes that a branch found the store away.
func (o *Overlay) Missed(err error) {
	if o.away == nil {
		o.away = err
	}
}

// Reset drops the writes.
func (o *Overlay) Reset() { o.writes = map[string]*[]byte{} }

// Commit writes the overlay into the transaction that ends the turn.
func (o *Overlay) Commit(t kv.Txn) error {
	for key, value := range o.writes {
		var err error
		if value == nil {
			err = t.Delete(key)
		} else {
			err = t.Put(key, *value, 0)
		}
		if err != nil {
			return fault.Wrap("state commit", err)
		}
	}
	return nil
}

// Writes is what the turn wrote so far, nil for what it deleted, by a key that only Restore
// understands: a checkpoint of the overlay. It stays the overlay's.
func (o *Overlay) Writes() map[string]*[]byte { return o.writes }

// Restore puts writes of a checkpoint of the same turn back.
func (o *Overlay) Restore(writes map[string]*[]byte) {
	for key, value := range writes {
		o.writes[key] = value
	}
}

// In is the state of one owner (a pack id) in one scope; it implements what component hosts ask
// for. Owners do not see each other's values.
func (o *Overlay) In(owner string, s Scope) Scoped { return Scoped{o, owner, s} }

// Scoped is an overlay bound to an owner and a scope.
type Scoped struct {
	overlay *Overlay
	owner   string
	scope   Scope
}

func (s Scoped) key(key string) (string, error) {
	if key == "" || len(key) > maxKey {
		return "", fault.Newf(fault.Invalid, "state", "a key has 1 to %d bytes, this one %d", maxKey, len(key))
	}
	return storeKey(s.owner, s.scope, key), nil
}

// Read returns the value of key; fault.NotFound when there is none.
func (s Scoped) Read(ctx context.Context, key string) (value []byte, err error) {
	full, err := s.key(key)
	if err != nil {
		return nil, err
	}
	w, written := s.overlay.writes[full]
	if !written {
		w, written = s.overlay.below[full]
	}
	if written {
		if w == nil {
			return nil, fault.Newf(fault.NotFound, "state", "no key %q", key)
		}
		return append([]byte{}, *w...), nil
	}
	err = s.overlay.db.View(ctx, s.overlay.tenant, func(r kv.Reader) error {
		value, err = r.Get(full)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Newf(fault.NotFound, "state", "no key %q", key)
	}
	if fault.Is(err, fault.Unavailable) && s.overlay.away == nil {
		s.overlay.away = err
	}
	return value, err
}

// Write sets key when the turn commits; later reads of the turn see it at once.
func (s Scoped) Write(_ context.Context, key string, value []byte) error {
	full, err := s.key(key)
	if err != nil {
		return err
	}
	if err := kv.CheckPut(full, value); err != nil {
		return err
	}
	kept := append([]byte{}, value...)
	s.overlay.writes[full] = &kept
	return nil
}

// Delete removes key when the turn commits.
func (s Scoped) Delete(_ context.Context, key string) error {
	full, err := s.key(key)
	if err != nil {
		return err
	}
	s.overlay.writes[full] = nil
	return nil
}
