package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// weather is how often things go wrong, in percent.
type weather struct {
	away, unknown, conflict, twice, slow int // of the store's calls
	fail, unsure, later, hang            int // of deliveries
}

// simStore is the store as one process sees it: calls take turns with everything else, and fail
// as a real one's may.
type simStore struct {
	kv.DB
	p *process
}

var errAway = fault.New(fault.Unavailable, "kv", "the store is away")

// call is one call of the store. rehearse runs its function for nothing, as a store that
// retries a transaction does.
func (s simStore) call(what string, write bool, do func(rehearse bool) error) error {
	p, sim, sky := s.p, s.p.w.sim, s.p.w.sky
	sim.park(p, what, 0)
	p.w.struck(p, what)
	if sim.chance(sky.slow) {
		sim.park(p, what+" slow", sim.between(time.Millisecond, 3*time.Second))
	}
	switch {
	case p.dead:
		return errDead
	case p.cut.After(time.Now()), sim.chance(sky.away):
		sim.note(p, "%s: away", what)
		return errAway
	case !write:
		return do(false)
	case sim.chance(sky.conflict):
		sim.note(p, "%s: conflict", what)
		return fault.New(fault.Conflict, "kv", "it gave up")
	case sim.chance(sky.twice):
		_ = do(true)
	}
	w := p.w
	if w.writes++; w.writes == w.dieAt && !w.how.late {
		return w.strike(p)
	}
	err := do(false)
	if w.writes == w.dieAt && w.how.late {
		err = w.strike(p)
	}
	sim.note(p, "%s: %v", what, err)
	if err == nil && sim.chance(sky.unknown) {
		sim.note(p, "%s: answer lost", what)
		err = errAway
	}
	p.w.struck(p, what+" done")
	sim.park(p, what+" done", 0)
	if p.dead {
		return errDead
	}
	return err
}

var errRehearsal = errors.New("only a rehearsal")

func (s simStore) View(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Reader) error) error {
	return s.call("view", false, func(bool) error { return s.DB.View(ctx, tenant, fn) })
}

func (s simStore) Update(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Txn) error) error {
	return s.update("update", fn, func(fn func(kv.Txn) error) error { return s.DB.Update(ctx, tenant, fn) })
}

func (s simStore) System(ctx context.Context, fn func(kv.Txn) error) error {
	return s.update("system", fn, func(fn func(kv.Txn) error) error { return s.DB.System(ctx, fn) })
}

func (s simStore) update(what string, fn func(kv.Txn) error, commit func(func(kv.Txn) error) error) error {
	return s.call(what, true, func(rehearse bool) error {
		var x *simTxn
		err := commit(func(t kv.Txn) error {
			x = &simTxn{Txn: t, mutant: s.p.w.mutant}
			err := fn(x)
			if err == nil && rehearse {
				err = errRehearsal
			}
			return err
		})
		if err == nil && x != nil {
			if x.owners && len(x.fences) == 0 {
				s.p.w.report(fmt.Errorf("%s commits work without a fence", s.p.name))
			}
			for turn := range x.saved {
				s.p.w.outside.saved[turn] = true
			}
			if s.p.w.fenced(s.p, x.fences); x.stale {
				s.p.w.report(fmt.Errorf("%s commits to a shard that another owns: %q", s.p.name, x.fences))
			}
		}
		return err
	})
}

// simTxn sees the fences of a transaction and lets a mutant spoil it.
type simTxn struct {
	kv.Txn
	mutant mutant
	fences []string        // key and value
	stale  bool            // one of them was not true
	saved  map[string]bool // turns that are at a checkpoint now
	owners bool            // it changes what only the owner of a shard may
}

// owned says whether a key is changed only by the owner of its shard: an entry that leaves the inbox or
// goes on in it, as a checkpoint does, and everything in the outbox.
func (x *simTxn) owned(key string) {
	entered := func() bool { _, err := x.Txn.Get(key); return err == nil }
	x.owners = x.owners || strings.HasPrefix(key, "outbox/") || strings.HasPrefix(key, "inbox/") && entered()
}

func (x *simTxn) Require(key string, value []byte) error {
	x.fences = append(x.fences, key, string(value))
	err := x.Txn.Require(key, value)
	if err != nil && x.mutant.unfenced {
		x.stale = true
		return nil
	}
	return err
}

func (x *simTxn) Put(key string, value []byte, ttl time.Duration) error {
	x.owned(key)
	if e := (queue.Entry{}); strings.HasPrefix(key, "inbox/") && json.Unmarshal(value, &e) == nil && e.Progress != nil {
		if x.saved == nil {
			x.saved = map[string]bool{}
		}
		x.saved[e.Turn] = true
	}
	if x.mutant.drops(x.mutant.put, key) {
		return nil
	}
	return x.Txn.Put(key, value, ttl)
}

func (x *simTxn) Delete(key string) error {
	if x.owned(key); x.mutant.drops(x.mutant.delete, key) {
		return nil
	}
	return x.Txn.Delete(key)
}

func (x *simTxn) Index(key string, value []byte) error {
	prefix := x.mutant.index
	if value == nil {
		prefix = x.mutant.unindex
	}
	if x.mutant.drops(prefix, key) {
		return nil
	}
	return x.Txn.Index(key, value)
}

// death is what happens at one write: before it, or late, when nobody learns of it; the process
// ends, or lives on.
type death struct{ late, lives bool }

// strike makes the planned failure of a write.
func (w *world) strike(p *process) error {
	if w.how.lives {
		return errAway
	}
	w.crash(p)
	w.sim.after(nil, 300*time.Millisecond, w.join)
	return errDead
}

// mutant is a defect put into the world on purpose: calls of the store that do nothing, or a
// connector that lies.
type mutant struct {
	name                        string
	put, delete, index, unindex string // prefixes of the keys whose call is dropped
	unfenced                    bool
	newIDs                      bool // items change their id with every attempt
	overtakes                   bool // a connector reports success before the item has arrived
	unaccepted                  bool // a message is acknowledged and not stored
}

func (m mutant) drops(prefix, key string) bool { return prefix != "" && strings.HasPrefix(key, prefix) }

// fenced checks that of all owners a shard ever had only the latest commits.
func (w *world) fenced(p *process, fences []string) {
	for i := 0; i < len(fences); i += 2 {
		var l struct {
			Owner string
			Epoch uint64
		}
		if err := json.Unmarshal([]byte(fences[i+1]), &l); err != nil {
			w.report(fmt.Errorf("fence %s=%s: %w", fences[i], fences[i+1], err))
			continue
		}
		if !strings.HasPrefix(l.Owner, p.name+"#") {
			w.report(fmt.Errorf("%s commits with the lease of %s", p.name, l.Owner))
		}
		if last := w.epochs[fences[i]]; l.Epoch < last {
			w.report(fmt.Errorf("%s commits to %s with epoch %d after somebody did with epoch %d", p.name, fences[i], l.Epoch, last))
		}
		w.epochs[fences[i]] = max(w.epochs[fences[i]], l.Epoch)
	}
}
