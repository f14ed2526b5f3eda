package runner

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
)

// How often the parts of a beat are done, in real processes and simulations alike.
const (
	leaseEvery    = 4                     // parts of a TTL between heartbeats
	alonePoll     = 5 * time.Second       // between looks for forgotten work, when nobody else accepts
	handOverEvery = 20 * time.Millisecond // between looks whether the last work of a shard that leaves is done
	dueHorizon    = 5 * time.Second       // between looks into a shard that has nothing due
	pollMarks     = 2048                  // marks looked at per shard and poll
	fireBatch     = 256                   // due times fired in one transaction
	loadHalving   = 30 * time.Second
	failedPause   = 250 * time.Millisecond // at least, after a part failed: what is away is not asked at full speed
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
	busy    map[string]bool   // the parts that run
	ticked  time.Time         // when the last heartbeat was begun
	failed  map[string]int    // how often a part did in a row
	moved   bool              // shards change hands: the next lease is not to wait
	running sync.WaitGroup
	due     [shard.Count]time.Time // when to look for due times; zero: now
	missed  int                    // looks in a row that failed
	leaving map[int]bool
	orphans map[queue.Lane]bool  // lanes whose owner died, not yet looked at
	load    [shard.Count]float64 // turns, fading
	faded   time.Time
}

func newBeat(r *Runner) *beat {
	b := &beat{runner: r, timers: map[string]func(){}, busy: map[string]bool{}, failed: map[string]int{}, leaving: map[int]bool{}, orphans: map[queue.Lane]bool{}}
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
		b.every("lease", b.untilLease, b.lease)
	}
	b.every("poll", func() time.Duration { return poll }, b.poll)
	b.every("due", b.untilDue, b.fire)
}

// every runs a part again and again, each time after what pause says.
func (b *beat) every(name string, pause func() time.Duration, part func(context.Context) error) {
	b.again(name, 0, pause, part)
}

func (b *beat) again(name string, atLeast time.Duration, pause func() time.Duration, part func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped || b.busy[name] { // one that runs asks for its pause at its end
		return
	}
	if stop := b.timers[name]; stop != nil {
		stop() // there is one of each
	}
	b.timers[name] = b.runner.sched.After(max(pause(), atLeast), func() {
		b.mu.Lock()
		if b.stopped || b.busy[name] {
			b.mu.Unlock()
			return
		}
		b.busy[name] = true
		b.running.Add(1)
		b.mu.Unlock()
		atLeast := time.Duration(0)
		err := part(b.ctx)
		b.mu.Lock()
		b.busy[name] = false
		b.failed[name]++
		failed := b.failed[name]
		if err == nil || b.ctx.Err() != nil {
			failed, b.failed[name] = 0, 0
		}
		b.mu.Unlock()
		if failed > 0 {
			atLeast = failedPause
		}
		if failed&(failed-1) == 0 && failed > 0 { // the first, and ever fewer: an outage may last
			b.runner.deps.Log.Error("runner", "doing", name, "failed", failed, "error", err)
		}
		b.running.Done()
		b.again(name, atLeast, pause, part)
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

// untilLease is how long no lease is to be looked at.
func (b *beat) untilLease() time.Duration {
	switch {
	case b.moved:
		return 0
	case len(b.leaving) > 0:
		return handOverEvery
	}
	return b.runner.deps.Shards.TTL() / leaseEvery
}

// lease shows that this runner is alive and follows what becomes of its shards. Between heartbeats it
// only looks whether the last work of a shard that leaves is done.
func (b *beat) lease(ctx context.Context) error {
	r, now := b.runner, b.runner.sched.Now()
	b.mu.Lock()
	between := !b.moved && now.Sub(b.ticked).Abs() < r.deps.Shards.TTL()/leaseEvery
	b.moved = false
	b.mu.Unlock()
	if between {
		return b.handOver(ctx)
	}
	change, err := r.deps.Shards.Tick(ctx, b.loadOf)
	b.lose(change.Lost)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.ticked = now
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
	b.runner.turns.Forget(gone)
	b.runner.outbox.Forget(gone)
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
	r.turns.Park(goes, busy)
	r.outbox.Park(goes, busy)
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
		if err := kv.Prefetch(x, func(w *kv.Wanted) {
			for _, l := range list {
				queue.WantWork(w, l.Shard)
			}
		}); err != nil {
			return err
		}
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
			b.runner.outbox.Wake(d, 1, nil)
		}
		for _, lane := range m.lanes {
			b.runner.turns.Wake(lane, 1, nil)
		}
	}
	b.hurry()
	return nil
}

// marks is the work that the index of some shards knows.
type marks struct {
	lanes []queue.Lane
	outs  []queue.Destination
}

func (m *marks) read(x kv.Reader, s, limit int) error {
	return queue.Work(x, s, limit, func(_ string, l queue.Lane) bool { m.lanes = append(m.lanes, l); return true },
		func(_ string, d queue.Destination) bool { m.outs = append(m.outs, d); return true })
}

// poll finds work that nobody announced here: other processes accepted it. It also sees that shards
// change hands, so that a taker need not wait for its next heartbeat.
func (b *beat) poll(ctx context.Context) error {
	r := b.runner
	var found marks
	moved := false
	err := r.deps.DB.System(ctx, func(x kv.Txn) (err error) {
		found = marks{}
		if !r.deps.Shards.Exclusive() {
			if moved, err = r.deps.Shards.Moved(x); err != nil {
				return err
			}
		}
		var mine []int
		for s := range shard.Count {
			if b.works(s) {
				mine = append(mine, s)
			}
		}
		if err := kv.Prefetch(x, func(w *kv.Wanted) {
			for _, s := range mine {
				queue.WantWork(w, s)
			}
		}); err != nil {
			return err
		}
		for _, s := range mine {
			if err := found.read(x, s, pollMarks); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if moved {
		b.mu.Lock()
		b.moved = true
		b.mu.Unlock()
		b.every("lease", b.untilLease, b.lease)
	}
	for _, d := range found.outs {
		r.outbox.WakeIdle(d)
	}
	for _, l := range found.lanes {
		r.turns.WakeIdle(l)
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
