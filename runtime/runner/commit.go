package runner

import (
	"context"
	"encoding/json"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/walk"
)

// progress is a turn at a checkpoint: what has happened is not done again.
type progress struct {
	Began   time.Time       `json:"began"`
	Release greentic.Digest `json:"release"`
	Flow    string          `json:"flow"`
	walk.Progress
}

// checkpoint commits the progress of a turn before its next step: it has changed the outside, or
// is about to pause for long.
func (t *turn) checkpoint(ctx context.Context) error {
	raw, err := json.Marshal(progress{t.Began, t.Release.Digest(), t.Flow.ID, t.Progress()})
	if err != nil {
		return fault.Wrap("checkpoint", err)
	}
	t.runner.options.Crash("before_checkpoint")
	entry := t.Entry
	entry.Progress = raw
	if t.session.Revision == 0 { // no session pins it yet
		entry.Release = t.Release.Digest()
	}
	if err := t.save(ctx, entry); err != nil {
		return err
	}
	t.Entry, t.Unsaved = entry, false
	t.runner.options.Crash("after_checkpoint")
	return nil
}

// save stores the entry of a turn that goes on, if its session is still the one it began with: what
// is done from here on may not be undone by somebody who changed it.
func (t *turn) save(ctx context.Context, e queue.Entry) error {
	err := t.runner.deps.DB.Update(context.WithoutCancel(ctx), t.Tenant, func(x kv.Txn) error {
		if err := kv.Prefetch(x, t.wants); err != nil {
			return err
		}
		if err := t.runner.fence(x, e.Lane().Shard()); err != nil {
			return err
		}
		if err := session.Fence(x, t.session); err != nil {
			return err
		}
		return queue.Checkpoint(x, e)
	})
	return fault.Wrap("checkpoint", err)
}

// wants is what save and commit read.
func (t *turn) wants(w *kv.Wanted) {
	t.runner.wantFence(w, t.Entry.Lane().Shard())
	queue.WantFirst(w, t.Entry.Trigger.Key)
	session.Want(w, t.session.Key)
	for _, p := range t.sent {
		queue.WantWaits(w, p.Destination())
	}
}

// restore goes back to the last checkpoint.
func (t *turn) restore(ctx context.Context) error {
	var p progress
	if err := json.Unmarshal(t.Entry.Progress, &p); err != nil {
		return fault.As(fault.Internal, "checkpoint", err)
	}
	release, err := t.runner.deps.Releases.Pinned(ctx, p.Release)
	if err != nil {
		return err
	}
	if t.Flow, err = release.Flow(p.Flow); err != nil {
		return err
	}
	t.Release, t.Began, t.walking = release, p.Began, true
	t.Restore(p.Progress)
	return nil
}

// passing says that the turn failed in a way that may pass and is tried again.
func (t *turn) passing() bool {
	return t.status == greentic.TurnFailed && fault.Is(t.err, fault.Unavailable) && t.Entry.Attempts+1 < t.runner.options.Tries &&
		t.runner.sched.Now().Before(t.Began.Add(t.runner.options.TurnTime))
}

// again counts the attempt and lets the turn run once more from its last checkpoint after a
// pause.
func (t *turn) again(ctx context.Context) error {
	entry := t.Entry
	entry.Attempts++
	if err := t.save(ctx, entry); err != nil {
		return err
	}
	t.Pause = t.runner.backoff(entry.Attempts)
	t.runner.deps.Log.Warn("turn is tried again", "tenant", t.Tenant.Tenant, "turn", entry.Turn, "attempt", entry.Attempts+1, "retry_in", t.Pause, "error", t.err)
	return nil
}

// commit ends the turn in one transaction: inbox entry out; session, state, outbox, record in.
// It returns the session as stored (revision 0: none).
func (t *turn) commit(ctx context.Context) (session.Session, error) {
	r := t.runner
	now := r.sched.Now().UTC()
	parcels, err := t.parcels()
	if err != nil {
		return session.Session{}, err
	}
	t.sent, t.behind = parcels, make([]bool, len(parcels))
	s, waits := t.session, t.status == greentic.TurnWaiting
	s.Updated = now
	var encoded []byte
	if waits {
		if encoded, err = session.Encode(&s); err != nil {
			return s, err
		}
	}
	rec, err := t.record(now)
	if err != nil {
		return s, err
	}
	var stored session.Session
	err = r.deps.DB.Update(ctx, t.Tenant, func(x kv.Txn) error {
		stored = session.Session{}
		if err := kv.Prefetch(x, t.wants); err != nil {
			return err
		}
		if err := r.fence(x, t.Entry.Lane().Shard()); err != nil {
			return err
		}
		for i, p := range parcels {
			if t.behind[i], err = queue.Waits(x, p.Destination()); err != nil {
				return err
			}
		}
		if err := queue.Consume(x, t.Entry, parcels...); err != nil {
			return err
		}
		switch {
		case t.stale:
			return nil
		case waits:
			if stored, err = session.SaveEncoded(x, t.Tenant, s, encoded); err != nil {
				return err
			}
		default:
			if err := session.End(x, t.Tenant, s); err != nil {
				return err
			}
		}
		if rec != nil {
			if err := record.Put(x, t.Entry.Trigger.Key, t.Entry.Seq, t.Entry.Turn, rec, r.options.RecordAge); err != nil {
				return err
			}
		}
		if t.status == greentic.TurnFailed {
			if err := queue.Bury(x, t.letter(now)); err != nil {
				return err
			}
		}
		return t.Overlay.Commit(x)
	})
	if err == nil {
		r.recorded(t.Tenant, len(rec))
	}
	return stored, err
}

// ship announces what the turn has sent. A parcel that older ones wait before is not handed over:
// whoever delivers reads them all.
func (t *turn) ship() {
	for i := range t.sent {
		hint := &t.sent[i]
		if t.behind[i] {
			hint = nil
		}
		t.runner.outbox.Wake(t.sent[i].Destination(), 1, hint)
	}
}

// committed says whether a commit that seemed to fail has succeeded.
func (t *turn) committed(ctx context.Context) (bool, error) {
	waits := false
	err := t.runner.deps.DB.View(ctx, t.Tenant, func(x kv.Reader) (err error) {
		waits, err = queue.Has(x, t.Entry)
		return err
	})
	return err == nil && !waits, err
}

// letter is what operators find of a turn that failed.
func (t *turn) letter(now time.Time) queue.Letter {
	e := t.Entry
	e.Said += len(t.replies) + len(t.Events)
	if t.Undoing {
		e.Undone++
		e.Progress, e.Release = nil, e.Trigger.Release
	}
	return queue.Letter{ID: e.Turn, Kind: "turn", At: now, Reason: t.err.Error(), Code: walk.Code(t.err), Entry: &e}
}

// parcels are the replies and events as the outbox keeps them; no replies for a route that only
// waits in Turn.
func (t *turn) parcels() (list []queue.Parcel, err error) {
	trigger := t.Entry.Trigger
	p := queue.Parcel{Turn: t.Entry.Turn, Seq: t.Entry.Seq, First: t.Entry.Said, Made: t.Entry.Accepted, Key: trigger.Key, Tenant: t.Tenant, Route: trigger.Route, Header: trigger.Header}
	if len(t.replies) > 0 && t.runner.deps.Deliver[trigger.Route] != nil {
		p.Items = make([]queue.Item, len(t.replies))
		for i := range t.replies {
			p.Items[i].Reply = &t.replies[i]
		}
		list = append(list, p)
	}
	if len(t.Events) > 0 {
		p.Route, p.Header, p.First, p.Items = BusRoute, nil, t.Entry.Said+len(t.replies), make([]queue.Item, len(t.Events))
		for i := range t.Events {
			p.Items[i].Event = &t.Events[i]
		}
		list = append(list, p)
	}
	for i := range list {
		if list[i], err = list[i].Encoded(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
