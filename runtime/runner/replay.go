package runner

import (
	"context"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/backing/session"
	"greentic.dev/backing/state"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/walk"
)

// ReplayOptions says what to run again.
type ReplayOptions struct {
	Release *release.Release // run on this release; nil: on the one each turn ran on
	From    uint64           // the turn from which on differences count; earlier ones only lead there
	Step    int              // of turn From: the step from which on they count, from 0
}

// Replayed is the outcome of running a conversation's record again without effects.
type Replayed struct {
	Session    string             `json:"session"`
	Equal      bool               `json:"equal"`
	Turns      []ReplayedTurn     `json:"turns"`
	Divergence *record.Difference `json:"divergence,omitempty"` // the first
	Release    greentic.Digest    `json:"release,omitempty"`    // with ReplayOptions.Release
}

// ReplayedTurn is one turn that was run again.
type ReplayedTurn struct {
	Turn    string          `json:"turn"`
	Seq     uint64          `json:"seq"`
	Release greentic.Digest `json:"release"` // that it ran on then
	Status  string          `json:"status"`  // then
	Steps   int             `json:"steps"`
	Equal   bool            `json:"equal"`
}

// Replay runs the recorded turns of a conversation again, with what the outside answered then, and
// says where something first differs. Nothing is changed and nothing leaves the process. It begins
// with the oldest session whose beginning is still recorded. Errors: fault.NotFound (no record, or
// none of a session's beginning; a release that is not kept), and those of kv.
func (r *Runner) Replay(ctx context.Context, tenant greentic.TenantCtx, key string, o ReplayOptions) (Replayed, error) {
	out := Replayed{Session: key, Equal: true, Turns: []ReplayedTurn{}}
	if o.Release != nil {
		out.Release = o.Release.Digest()
	}
	var turns []record.Turn
	err := r.deps.DB.View(ctx, tenant, func(x kv.Reader) error {
		turns = nil
		return record.List(x, key, 0, 0, func(t record.Turn) bool {
			if len(turns) > 0 || t.Revision == 0 {
				turns = append(turns, t)
			}
			return true
		})
	})
	if err != nil {
		return out, fault.Wrap("replay", err)
	}
	if len(turns) == 0 {
		return out, fault.Newf(fault.NotFound, "replay "+key, "no record of a session's beginning is kept").WithFix("list conversations with greentic session list, their turns with greentic trace KEY")
	}
	s := session.Session{Key: key}
	for _, rec := range turns {
		var difference *record.Difference
		if s, difference, err = r.replayTurn(ctx, rec, s, o); err != nil {
			return out, err
		}
		if rec.Seq < o.From || difference != nil && rec.Seq == o.From && difference.Step < o.Step {
			difference = nil
		}
		out.Turns = append(out.Turns, ReplayedTurn{rec.ID, rec.Seq, rec.Release, rec.Status, len(rec.Steps), difference == nil})
		if difference != nil {
			out.Equal, out.Divergence = false, difference
			return out, nil
		}
	}
	return out, nil
}

// replayTurn runs one turn again on the session as the turns before left it.
func (r *Runner) replayTurn(ctx context.Context, rec record.Turn, s session.Session, o ReplayOptions) (session.Session, *record.Difference, error) {
	if rec.Revision == 0 {
		s = session.Session{Key: s.Key}
	}
	t := r.newTurn()
	t.Tenant, t.Began, t.session, t.Replay = rec.Trigger.Tenant, rec.Began, s, &walk.Playback{Recorded: rec}
	t.Entry = queue.Entry{Trigger: rec.Trigger, Turn: rec.ID, Seq: rec.Seq, Restarts: rec.Restarts, Attempts: rec.Attempts}
	t.session.Revision = rec.Revision
	t.Tenant.Session, t.Tenant.Attempt = rec.Trigger.Key, uint32(rec.Attempts+1)
	t.Overlay = state.NewOverlay(r.deps.DB, t.Tenant)
	if rec.Release == "" {
		return s, nil, nil // it failed before it had a flow
	}
	release := o.Release
	if release == nil {
		var err error
		if release, err = r.deps.Releases.Pinned(ctx, rec.Release); err != nil {
			return s, nil, err
		}
	}
	if _, err := release.Flow(rec.Flow); err != nil {
		return s, &record.Difference{Turn: rec.ID, Seq: rec.Seq, What: "flow", Recorded: rec.Flow, Now: err.Error()}, nil
	}
	t.Entry.Trigger.Flow, t.Release = rec.Flow, release
	if err := t.run(ctx); err != nil {
		return s, nil, err
	}
	if ctx.Err() != nil {
		return s, nil, fault.Wrap("replay", ctx.Err())
	}
	again := record.Turn{ID: rec.ID, Seq: rec.Seq, Status: t.status, Steps: t.Trail, Replies: t.replies, Events: t.Events}
	difference := record.Compare(rec, again, t.Replay.Call, t.Replay.CallStep)
	if t.status != greentic.TurnWaiting {
		return session.Session{Key: s.Key}, difference, nil
	}
	return t.session, difference, nil
}
