package runner

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// How often the parts of a beat are done, in real processes and simulations alike.
const (
	leaseEvery  = 4               // parts of a TTL between heartbeats
	alonePoll   = 5 * time.Second // between looks for forgotten work, when nobody else accepts
	dueHorizon  = 5 * time.Second // between looks into a shard that has nothing due
	pollMarks   = 2048            // marks looked at per shard and poll
	fireBatch   = 256             // due times fired in one transaction
	loadHalving = 30 * time.Second
)

// beat is what a runner does without being asked: it keeps its leases, finds work that other
// processes accepted or that a former owner left, and fires what is due.
type beat struct {
	runner *Runner
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped bool
	timers  map[string]func() // stops of the parts that wait
	running sync.WaitGroup
	due     [shard.Count]time.Time // when to look for due times; zero: now
	leaving map[int]bool
	orphans map[queue.Lane]bool  // lanes whose owner died, not yet looked at
	load    [shard.Count]float64 // turns, fading
	faded   time.Time
}

func newBeat(r *Runner) *beat {
	b := &beat{runner: r, timers: map[string]func(){}, leaving: map[int]bool{}, orphans: map[queue.Lane]bool{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// first takes shards and announces the work in them.
func (b *beat) first(ctx context.Context) error { return b.lease(ctx) }

// start begins the parts, each with its own pace.
func (b *beat) start() {
	r := b.runner
	poll := r.options.Poll
	if r.deps.Shards.Exclusive() { // an idle machine writes nothing
		poll = max(poll, alonePoll)
	} else {
		b.every("lease", func() time.Duration { return r.deps.Shards.TTL() / leaseEvery }, b.lease)
	}
	b.every("poll", func() time.Duration { return poll }, b.poll)
	b.every("due", b.untilDue, b.fire)
}

// every runs a part again and again, each time after what pause says.
func (b *beat) every(name string, pause func() time.Duration, part func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return
	}
	if stop := b.timers[name]; stop != nil {
		stop() // there is one of each
	}
	b.timers[name] = b.runner.sched.After(pause(), func() {
		b.mu.Lock()
		if b.stopped {
			b.mu.Unlock()
			return
		}
		b.running.Add(1)
		b.mu.Unlock()
		if err := part(b.ctx); err != nil && b.ctx.Err() == nil {
			b.runner.deps.Log.Error("runner", "doing", name, "error", err)
		}
		b.running.Done()
		b.every(name, pause, part)
	})
}

// do runs a job of its own beside the parts.
func (b *beat) do(job func(context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return
	}
	b.running.Add(1)
	b.runner.sched.Go(func() {
		defer b.running.Done()
		job(b.ctx)
	})
}

// stop ends the parts and waits for what runs.
func (b *beat) stop() {
	b.mu.Lock()
	b.stopped = true
	for _, stop := range b.timers {
		stop()
	}
	b.mu.Unlock()
	b.running.Wait()
	b.cancel()
}

// lease shows that this runner is alive and follows what becomes of its shards.
func (b *beat) lease(ctx context.Context) error {
	r := b.runner
	change, err := r.deps.Shards.Tick(ctx, b.loadOf)
	b.lose(change.Lost)
	if err != nil {
		return err
	}
	b.mu.Lock()
	for _, s := range change.Leaving {
		b.leaving[s] = true
	}
	for _, l := range change.Gained {
		delete(b.leaving, l.Shard)
	}
	b.mu.Unlock()
	if err := b.take(ctx, change.Gained); err != nil {
		return err
	}
	return b.handOver(ctx)
}

// lose forgets the work of shards that are somebody else's now.
func (b *beat) lose(shards []int) {
	if len(shards) == 0 {
		return
	}
	lost := map[int]bool{}
	b.mu.Lock()
	for _, s := range shards {
		lost[s] = true
		delete(b.leaving, s)
	}
	maps.DeleteFunc(b.orphans, func(l queue.Lane, _ bool) bool { return lost[l.Shard()] })
	b.mu.Unlock()
	gone := func(s int) bool { return lost[s] }
	b.runner.turns.forget(gone)
	b.runner.outbox.forget(gone)
	b.runner.cache.forget(gone)
	b.runner.deps.Log.Warn("shards lost", "shards", shards)
}

// handOver gives back the shards that are to leave and have no work under way. What waits in
// the store is the next owner's.
func (b *beat) handOver(ctx context.Context) error {
	b.mu.Lock()
	leaving := maps.Clone(b.leaving)
	b.mu.Unlock()
	if len(leaving) == 0 {
		return nil
	}
	r := b.runner
	goes := func(s int) bool { return leaving[s] }
	busy := map[int]bool{}
	r.turns.park(goes, busy)
	r.outbox.park(goes, busy)
	var quiet []int
	for s := range leaving {
		if !busy[s] {
			quiet = append(quiet, s)
		}
	}
	if len(quiet) == 0 {
		return nil
	}
	slices.Sort(quiet)
	if err := r.deps.Shards.Release(ctx, quiet...); err != nil {
		return err
	}
	b.mu.Lock()
	for _, s := range quiet {
		delete(b.leaving, s)
	}
	b.mu.Unlock()
	r.cache.forget(func(s int) bool { return leaving[s] })
	return nil
}

// works says whether work of a shard may begin here.
func (b *beat) works(s int) bool {
	b.mu.Lock()
	leaving := b.leaving[s]
	b.mu.Unlock()
	return !leaving && b.runner.deps.Shards.Owned(s)
}

// take announces the work of shards that are this runner's from now on.
func (b *beat) take(ctx context.Context, list []shard.Lease) error {
	if len(list) == 0 {
		return nil
	}
	b.mu.Lock()
	for _, l := range list {
		b.due[l.Shard] = time.Time{}
	}
	b.mu.Unlock()
	var found, orphans marks
	err := b.runner.deps.DB.System(ctx, func(x kv.Txn) error {
		found, orphans = marks{}, marks{}
		for _, l := range list {
			to := &found
			if l.Orphan {
				to = &orphans
			}
			if err := to.read(x, l.Shard, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	for _, l := range orphans.lanes {
		b.orphans[l] = true
	}
	b.mu.Unlock()
	for _, m := range []marks{orphans, found} {
		for _, d := range m.outs {
			b.runner.outbox.wake(d, 1, nil)
		}
		for _, lane := range m.lanes {
			b.runner.turns.wake(lane, 1, nil)
		}
	}
	b.hurry()
	return nil
}

// marks is the work that the index of some shards knows: what waits may be in the inbox of the
// lane or in the outbox of the destination.
type marks struct {
	lanes []queue.Lane
	outs  []queue.Destination
}

func (m *marks) read(x kv.Reader, s, limit int) error {
	return queue.Work(x, s, limit, func(_ string, d queue.Destination) bool {
		m.lanes, m.outs = append(m.lanes, d.Lane), append(m.outs, d)
		return true
	})
}

// poll finds work that nobody announced here: other processes accepted it.
func (b *beat) poll(ctx context.Context) error {
	r := b.runner
	var found marks
	err := r.deps.DB.System(ctx, func(x kv.Txn) error {
		found = marks{}
		for s := range shard.Count {
			if !b.works(s) {
				continue
			}
			if err := found.read(x, s, pollMarks); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range found.outs {
		r.outbox.wakeIdle(d)
	}
	for _, l := range found.lanes {
		r.turns.wakeIdle(l)
	}
	return nil
}

// orphan says, once, that the former owner of a lane died and that its first entry may be what
// killed it.
func (b *beat) orphan(l queue.Lane) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	is := b.orphans[l]
	delete(b.orphans, l)
	return is
}

// ran counts a turn of a shard.
func (b *beat) ran(s int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.load[s]++
}

// loadOf is how much work a shard was lately; it fades.
func (b *beat) loadOf(s int) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.runner.sched.Now()
	if now.Sub(b.faded) > loadHalving {
		b.faded = now
		for i := range b.load {
			b.load[i] /= 2
		}
	}
	return b.load[s]
}

// dueAt says that something is due in a shard at a time.
func (b *beat) dueAt(s int, at time.Time) {
	b.mu.Lock()
	sooner := b.due[s].After(at)
	if sooner {
		b.due[s] = at
	}
	b.mu.Unlock()
	if sooner {
		b.hurry()
	}
}

// hurry looks anew when something is due.
func (b *beat) hurry() {
	b.mu.Lock()
	started := b.timers["due"] != nil
	b.mu.Unlock()
	if started {
		b.every("due", b.untilDue, b.fire)
	}
}

// untilDue is how long nothing is due in any shard.
func (b *beat) untilDue() time.Duration {
	now := b.runner.sched.Now()
	next := now.Add(dueHorizon)
	for s, at := range b.due {
		if at.Before(next) && b.runner.deps.Shards.Owned(s) {
			next = at
		}
	}
	return max(next.Sub(now), time.Millisecond)
}

// fire turns what is due into triggers.
func (b *beat) fire(ctx context.Context) error {
	r := b.runner
	now := r.sched.Now()
	var list []queue.Due
	looked := map[int]time.Time{}
	err := r.deps.DB.System(ctx, func(x kv.Txn) error {
		list = nil
		for s := range shard.Count {
			b.mu.Lock()
			skip := b.due[s].After(now)
			b.mu.Unlock()
			if skip || !b.works(s) {
				continue
			}
			some, next, err := queue.NextDue(x, s, now, fireBatch)
			if err != nil {
				return err
			}
			if looked[s] = now.Add(dueHorizon); !next.IsZero() && next.Before(looked[s]) {
				looked[s] = next
			}
			list = append(list, some...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	for s, next := range looked {
		b.due[s] = next
	}
	b.mu.Unlock()
	if err := b.fireAll(ctx, list, now); err != nil {
		b.mu.Lock()
		for s := range looked {
			b.due[s] = time.Time{} // look again
		}
		b.mu.Unlock()
		return err
	}
	return nil
}

// fireAll fires due times, those of one tenant together.
func (b *beat) fireAll(ctx context.Context, list []queue.Due, now time.Time) error {
	groups := map[greentic.TenantCtx][]queue.Due{}
	var order []greentic.TenantCtx
	for _, d := range list {
		tenant := d.Ctx()
		if groups[tenant] == nil {
			order = append(order, tenant)
		}
		groups[tenant] = append(groups[tenant], d)
	}
	for _, tenant := range order {
		for some := range slices.Chunk(groups[tenant], fireBatch) {
			if err := b.fireGroup(ctx, tenant, some, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// fireGroup drops due times and accepts their triggers in one transaction: each fires once,
// whoever else tries.
func (b *beat) fireGroup(ctx context.Context, tenant greentic.TenantCtx, list []queue.Due, now time.Time) error {
	r := b.runner
	var woken []queue.Lane
	err := r.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		woken = nil
		last := -1
		for _, d := range list { // by shard
			if s := d.Shard(); s != last {
				if err := r.fence(x, s); err != nil {
					return err
				}
				last = s
			}
			triggers, err := r.triggersOf(x, d, now)
			if err != nil {
				return err
			}
			for _, t := range triggers {
				if _, _, err := queue.Accept(x, t, r.deps.NewID(), now); err != nil {
					return err
				}
				woken = append(woken, queue.LaneOf(t))
			}
		}
		return nil
	})
	if err != nil {
		return fault.Wrap("due", err)
	}
	for _, l := range woken {
		r.woken(l, nil)
	}
	return nil
}

// triggersOf drops a due time and says what it starts: the end of a wait that still waits, or
// what a schedule says.
func (r *Runner) triggersOf(x kv.Txn, d queue.Due, now time.Time) ([]greentic.Trigger, error) {
	if err := d.Drop(x); err != nil {
		return nil, err
	}
	stored, err := session.Read(x, d.Key)
	if err != nil {
		return nil, err
	}
	if d.ID != session.WaitID(stored.Revision()) {
		if r.deps.Schedules == nil || strings.HasPrefix(d.ID, "wait/") {
			return nil, nil // the session has gone on
		}
		return r.deps.Schedules.Fire(x, d, now)
	}
	s, err := stored.Open()
	if err != nil {
		return nil, err
	}
	return []greentic.Trigger{{ID: d.ID + "/" + d.Key, Tenant: s.Origin.Tenant, Kind: greentic.KindTimer, Route: s.Origin.Route, Key: d.Key,
		Body: []byte(`{"wait":"` + d.ID + `"}`), Header: s.Origin.Header}}, nil
}
