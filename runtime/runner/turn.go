package runner

import (
	"context"
	"encoding/json"
	"runtime/debug"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/state"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/lanes"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/walk"
)

// turn is one trigger on its way through a flow. Nothing it does leaves it before it commits.
type turn struct {
	walk.Walk
	runner  *Runner
	session session.Session
	walking bool // Cursor and Got say where to go on
	refused bool // nothing may be done outside: it began with what is no longer so, or nobody knows
	unsure  bool // a commit failed in a way that may have succeeded
	seen    int  // changes by operators when it began

	sent   []queue.Parcel // by its commit
	behind []bool         // others waited before them

	status  string // of a turn that has ended
	stale   bool   // its wait had ended before: nothing happens
	replies []greentic.Reply
	err     error // why it failed
}

// newTurn is a turn that has not begun.
func (r *Runner) newTurn() *turn {
	t := &turn{runner: r, Walk: walk.New(walk.Deps{Clock: r.sched, Log: r.deps.Log, Stand: r.deps.Stand}, r.walks)}
	t.Save = t.checkpoint
	return t
}

// arrival is what is known of the first entry of a lane: the entry and its session as they were
// when it was accepted, or the turn as it stands. A turn may start from it without reading; if
// things are no longer so, its commit is refused.
type arrival struct {
	entry   queue.Entry
	session session.Stored
	read    bool // session is known; it was cached otherwise
	turn    *turn
}

// runLane runs the oldest waiting entry of a lane. A failure to read or commit is tried again
// with growing pauses: the store is away.
func (r *Runner) runLane(ctx context.Context, work lanes.Task[queue.Lane, arrival]) lanes.Pace[arrival] {
	t, err := r.runFirst(ctx, work)
	switch {
	case ctx.Err() != nil:
		return lanes.Pace[arrival]{}
	case err == nil && t != nil && t.Pause > 0:
		p := lanes.Pace[arrival]{More: true, Pause: t.Pause}
		if t.Pause = 0; !t.ended() {
			p.Hint = &arrival{turn: t}
		}
		return p
	case err == nil:
		return lanes.Pace[arrival]{}
	case fault.Is(err, fault.Conflict):
		r.cache.drop(work.Key)
		if !r.beat.works(work.Key.Shard()) {
			return lanes.Pace[arrival]{}
		}
		if _, _, code := fault.Detail(err); code == "fenced" { // somebody else has the shard, which the next heartbeat will say
			return lanes.Pace[arrival]{More: true, Pause: r.backoff(work.Failed + 1)}
		}
		if t == nil || !t.unsure || !t.ended() {
			return lanes.Pace[arrival]{More: true} // somebody changed the session: run again on what is there now
		}
		var did bool
		if did, err = t.committed(ctx); err != nil {
			break
		}
		if did { // it was this very turn that changed the store
			for i := range t.behind {
				t.behind[i] = true // what is stored was made by the earlier attempt
			}
			r.concluded(t, work.Key)
		}
		return lanes.Pace[arrival]{More: true}
	}
	r.deps.Log.Error("turn waits", "tenant", work.Key.Tenant, "key", work.Key.Key, "error", err)
	p := lanes.Pace[arrival]{More: true, Pause: r.backoff(work.Failed + 1)}
	if t != nil { // what it has done is not done again
		t.unsure = true
		p.Hint = &arrival{turn: t}
	}
	return p
}

// runFirst takes the oldest entry of a lane, if there is one, through its turn or to where it
// pauses.
func (r *Runner) runFirst(ctx context.Context, work lanes.Task[queue.Lane, arrival]) (*turn, error) {
	t, err := r.first(ctx, work)
	if err != nil || t == nil {
		return nil, err
	}
	if r.beat.orphan(work.Key) { // what ended its owner is counted before it runs again
		t.Entry.Restarts++
		if err := t.save(ctx, t.Entry); err != nil {
			return nil, err
		}
	}
	if !t.ended() {
		err := t.run(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err() // interrupted: the entry stays and runs again
		case r.elsewhere(err):
			return nil, err // begins anew, with its time
		case err != nil || t.Pause > 0:
			return t, err
		}
		if err := t.Overlay.Away(); err != nil {
			return nil, err // no fault of the flow's: it runs again, however long it takes
		}
		if t.passing() {
			if err := t.again(ctx); err != nil {
				return nil, err // whether the attempt is counted is what the store says
			}
			return t, nil
		}
	}
	r.options.Crash("before_commit")
	stored, err := t.commit(ctx)
	if fault.Is(err, fault.Invalid) { // too large to be stored; it would be at every attempt
		t.fail(err)
		stored, err = t.commit(ctx)
	}
	if err != nil {
		return t, err
	}
	if r.options.Crash("after_commit"); stored.Revision > 0 {
		r.cache.put(work.Key, stored, t.seen)
	} else {
		r.cache.drop(work.Key)
	}
	r.concluded(t, work.Key)
	return t, nil
}

// concluded announces what follows from a commit: when its wait ends, its result, what it sends.
func (r *Runner) concluded(t *turn, lane queue.Lane) {
	if t.status == greentic.TurnWaiting && !t.session.Due.IsZero() {
		r.beat.dueAt(lane.Shard(), t.session.Due)
	}
	r.done(t, lane)
	t.ship()
}

// done tells everybody who wants to know that a turn has committed.
func (r *Runner) done(t *turn, lane queue.Lane) {
	r.beat.ran(lane.Shard())
	result := TurnResult{Turn: t.Entry.Turn, Replies: t.replies, Status: t.status, Output: t.Last, Steps: t.Steps, Duration: r.sched.Now().Sub(t.Began), Err: t.err}
	if t.Release != nil {
		result.Release = t.Release.Digest()
	}
	if t.Flow != nil {
		result.Flow = t.Flow.ID
	}
	r.log(t, result)
	r.tell(result)
	r.options.Ended(t.Tenant, lane.Key, result)
}

// first is the oldest entry of a lane with its session; nil when none waits.
func (r *Runner) first(ctx context.Context, work lanes.Task[queue.Lane, arrival]) (t *turn, err error) {
	a, found, assumed := work.Hint, true, true
	if a != nil && a.turn != nil {
		return a.turn, nil
	}
	seen := r.cache.seen()
	kept, cached := r.cache.get(work.Key)
	if a == nil || !a.read && !cached { // it has left the cache meanwhile
		a, cached, assumed = &arrival{}, false, false
		err = r.deps.DB.View(ctx, work.Key.Ctx(), func(x kv.Reader) (err error) {
			if err := kv.Prefetch(x, func(w *kv.Wanted) {
				queue.WantFirst(w, work.Key.Key)
				session.Want(w, work.Key.Key)
			}); err != nil {
				return err
			}
			if a.entry, found, err = queue.First(x, work.Key.Key); err == nil && found {
				a.session, err = session.Read(x, work.Key.Key)
			}
			return err
		})
		r.cache.drop(work.Key)
	}
	if err != nil || !found {
		return nil, err
	}
	t = r.newTurn()
	t.Entry, t.Tenant, t.Began, t.seen, t.session = a.entry, a.entry.Trigger.Tenant, r.sched.Now(), seen, kept
	t.Tenant.Session = work.Key.Key
	t.Tenant.Attempt = uint32(a.entry.Attempts + 1)
	t.Overlay = state.NewOverlay(r.deps.DB, t.Tenant)
	t.Sure = func(ctx context.Context) error { return t.sure(ctx, assumed) }
	if !cached {
		t.session, err = a.session.Open()
		t.session.Key = work.Key.Key
	}
	return t, err
}

// sure looks, before a component may change the outside, what a commit would refuse too late: whether the
// shard stays with this runner, and where that was only assumed, whether the turn is the next of its
// conversation and its session what it began with. What was accepted here is run without looking, and
// another process may have accepted something before it.
func (t *turn) sure(ctx context.Context, assumed bool) error {
	t.refused = !t.runner.beat.works(t.Entry.Lane().Shard())
	if t.refused {
		return fault.New(fault.Conflict, "turn", "its shard goes to another runner")
	}
	if !assumed {
		return nil
	}
	err := t.runner.deps.DB.View(ctx, t.Tenant, func(x kv.Reader) error {
		first, found, err := queue.First(x, t.Entry.Trigger.Key)
		if err != nil {
			return err
		}
		s, err := session.Read(x, t.Entry.Trigger.Key)
		if err == nil && (!found || first.Turn != t.Entry.Turn || s.Revision() != t.session.Revision) {
			err = fault.New(fault.Conflict, "turn", "others come before it, or its session has gone on")
		}
		return err
	})
	t.refused = err != nil
	return fault.Wrap("turn", err)
}

// elsewhere says that a turn failed for want of a release that another process on the store may
// have: it waits until this one gets it or its shard goes to who has it.
func (r *Runner) elsewhere(err error) bool {
	_, _, code := fault.Detail(err)
	return code == release.CodeMissing && !r.deps.Shards.Exclusive()
}

// walk follows the flow to where it ends, waits or pauses.
func (t *turn) walk(ctx context.Context) error {
	step, err := t.Go(ctx)
	switch {
	case err != nil || t.Pause > 0:
		return err
	case step.Do == flow.DoWait:
		t.park(step)
	default:
		t.status = greentic.TurnDone
	}
	return nil
}

func (t *turn) ended() bool { return t.status != "" }

func (r *Runner) log(t *turn, result TurnResult) {
	if result.Err == nil && !r.deps.Log.Enabled(context.Background(), -4) {
		return
	}
	attrs := []any{"turn", result.Turn, "env", t.Tenant.Env, "tenant", t.Tenant.Tenant, "status", result.Status, "steps", result.Steps,
		"duration_ms", result.Duration.Milliseconds(), "replies", len(result.Replies)}
	if t.Flow != nil {
		attrs = append(attrs, "flow", t.Flow.ID, "release", t.Release.Digest().Short())
	}
	if result.Err != nil {
		r.deps.Log.Error("turn failed", append(attrs, "error", result.Err)...)
		return
	}
	r.deps.Log.Debug("turn", attrs...)
}

// maxRestarts is how often a process may end while a trigger is first in line.
const maxRestarts = 8

// run executes the flow to its end or to a pause. A failure of the flow is the turn's outcome,
// and a panic of ours is one too, so that a poisoned message cannot stop its conversation. An
// error means that the store does not keep what happened.
func (t *turn) run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.fail(fault.Newf(fault.Internal, "turn", "panic: %v\n%s", p, debug.Stack()))
			err = nil
		}
	}()
	failure := t.conduct(ctx)
	switch {
	case t.Unsaved || t.Pause > 0 || t.refused || t.runner.elsewhere(failure):
		return failure
	case failure != nil:
		t.fail(failure)
		return nil
	}
	t.replies = t.say()
	return nil
}

// conduct takes the trigger to the end of its turn.
func (t *turn) conduct(ctx context.Context) error {
	if t.walking {
		return t.walk(ctx)
	}
	if t.Entry.Restarts > maxRestarts {
		return fault.Newf(fault.Exhausted, "turn", "given up after %d restarts of the process", t.Entry.Restarts)
	}
	if err := t.read(); err != nil {
		return err
	}
	t.locale()
	limited, cancel := t.Within(ctx)
	defer cancel()
	if t.Entry.Progress != nil {
		if err := t.restore(limited); err != nil {
			return err
		}
		return t.walk(ctx)
	}
	if t.stale {
		t.status = greentic.TurnDone
		return nil
	}
	if err := t.resolve(limited); err != nil {
		return err
	}
	if t.shortcut() {
		return nil
	}
	t.begin()
	return t.walk(ctx)
}

// fail makes the failure the outcome: what was said and kept so far is dropped, the session
// ends, the user gets an apology. What compensations said and kept stays.
func (t *turn) fail(err error) {
	t.status, t.err, t.Pause = greentic.TurnFailed, err, 0
	var said []greentic.Reply
	if t.Undoing {
		said = t.say()
	} else {
		t.Forget()
	}
	if k := t.Entry.Trigger.Kind; k == greentic.KindEvent || k == greentic.KindHTTP {
		t.replies = nil // nobody to apologise to
		return
	}
	reply := greentic.Reply{Kind: "message", Text: apology(t.Tenant.Locale, t.Entry.Turn), Turn: t.Entry.Turn}
	if t.Flow != nil {
		reply.Flow = t.Flow.ID
	}
	t.replies = append(said, reply)
}

// locale settles the user's language: the message's metadata, the trigger's, the default.
func (t *turn) locale() {
	for _, l := range []string{t.Message.Metadata["locale"], t.Tenant.Locale, t.runner.options.Locale} {
		if l != "" {
			t.Tenant.Locale = l
			break
		}
	}
	if t.Message.Metadata == nil {
		t.Message.Metadata = map[string]string{}
	}
	t.Message.Metadata["locale"] = t.Tenant.Locale
}

// read makes the message of the trigger. One that ends a wait has none; the conversation's
// origin stands in.
func (t *turn) read() error {
	trigger := t.Entry.Trigger
	switch trigger.Kind {
	case greentic.KindTimer:
		origin := t.session.Origin
		t.stale = trigger.ID != t.session.Timer()
		t.Message = greentic.Message{Channel: origin.Route, Conversation: trigger.Key}
		if origin.From != "" {
			t.Message.From = &greentic.Actor{ID: origin.From}
		}
	case greentic.KindMessage:
		if err := json.Unmarshal(trigger.Body, &t.Message); err != nil {
			return fault.As(fault.Invalid, "turn", err)
		}
	default:
		t.Message = greentic.Message{ID: trigger.ID, Channel: trigger.Route, Conversation: trigger.Key, CorrelationID: trigger.Tenant.CorrelationID}
	}
	return nil
}

// resolve finds release and flow: the session's own, or for a new session those the trigger
// names, or the newest.
func (t *turn) resolve(ctx context.Context) (err error) {
	if t.Replay != nil {
		t.Flow, err = t.Release.Flow(t.Entry.Trigger.Flow)
		return err
	}
	if t.session.Revision == 0 {
		explicit := t.Entry.Trigger.Flow
		if explicit == "" {
			explicit = t.runner.options.Flow
		}
		t.Release, t.Flow, err = t.runner.deps.Releases.Choose(ctx, t.Entry.Trigger.Pack, explicit, t.Entry.Trigger.Release)
		return err
	}
	if d := t.Entry.Trigger.Release; d != "" && d != t.session.Release {
		return fault.Newf(fault.Conflict, "turn", "it is to run on %s, and the session is on %s", d, t.session.Release).WithCode("release_mismatch")
	}
	if t.Release, err = t.runner.deps.Releases.Pinned(ctx, t.session.Release); err != nil {
		return err
	}
	t.Flow, err = t.Release.Flow(t.session.Flow)
	return err
}

// shortcut answers with a card the message names, without running the flow (formats digest 6.8).
// A conversation that waits for a button's action gets it itself.
func (t *turn) shortcut() bool {
	payload, name, ok := card.Shortcut(t.Message.Metadata, t.session.Revision > 0, t.Release.Asset)
	if !ok {
		return false
	}
	t.Outputs = []card.Output{{Node: name, Payload: payload, Emitted: true}}
	t.status = greentic.TurnDone
	if t.session.Revision > 0 {
		t.status = greentic.TurnWaiting
	}
	return true
}

// say turns outputs into what the user sees, in the user's language.
func (t *turn) say() []greentic.Reply {
	if t.Release == nil {
		return nil
	}
	var list []greentic.Reply
	texts := t.Release.Texts(t.Tenant.Locale)
	for _, r := range card.Replies(t.Outputs, card.RouteTo(t.Message.Metadata)) {
		reply := greentic.Reply{Kind: "message", Node: r.Node, Flow: t.Flow.ID, Turn: t.Entry.Turn}
		reply.Text, _ = card.Localise(r.Text, texts, t.Message.Metadata).(string)
		if r.Card != nil {
			raw, err := json.Marshal(card.Localise(r.Card, texts, t.Message.Metadata))
			if err != nil {
				t.runner.deps.Log.Error("card could not be encoded", "turn", t.Entry.Turn, "node", r.Node, "error", err)
				continue
			}
			reply.Card = raw
		}
		list = append(list, reply)
	}
	return list
}
