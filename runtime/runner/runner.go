package runner

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/lanes"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/walk"
)

// Deliverer sends an item to its channel. It is called at least once per item with the same ID
// and must make repeats harmless. fault.NotFound, fault.Invalid, fault.Denied and
// fault.Unsupported are final; other failures are tried again, not before Later asks for it.
type Deliverer interface {
	Deliver(ctx context.Context, o queue.Outgoing) error
}

// Later is a failure of a Deliverer that says when to try again: Retry-After.
type Later struct {
	After time.Duration
	Err   error
}

func (l Later) Error() string { return l.Err.Error() }

// Unwrap returns the failure.
func (l Later) Unwrap() error { return l.Err }

// Deps is what a runner works with; those before Scheduler are required.
type Deps struct {
	DB       kv.DB
	Releases *release.Set
	Deliver  map[string]Deliverer // by route; items of other routes go only to whoever waits in Turn
	Log      *slog.Logger
	Now      func() time.Time
	NewID    func() string // unique; letters, digits, '-'

	Scheduler Scheduler     // nil: goroutines and Now
	Shards    *shard.Keeper // nil: this is the only process that works on DB
	Schedules Schedules     // nil: nothing is scheduled

	// Stand answers calls in place of components, as walk.Deps says.
	Stand func(ctx context.Context, r host.Request) (response host.Response, ok bool, err error)
}

// Schedules fires what happens at set times.
type Schedules interface {
	// Fire says which triggers a due time of a schedule starts, and drops or moves it; x is a
	// transaction of its tenant.
	Fire(x kv.Txn, d queue.Due, now time.Time) ([]greentic.Trigger, error)
}

// Options tunes a runner; a zero field means the value named beside it.
type Options struct {
	Workers  int           // turns at the same time; 16
	Cap      int           // of them for one tenant; Workers
	Steps    int           // nodes per turn; 200
	TurnTime time.Duration // wall time of one turn, pauses before a retry included; 2 minutes
	Tries    int           // runs of a turn that fails as unavailable before it is given up; 3
	Locale   string        // of users that name none; "en"
	Flow     string        // the flow new sessions take; empty selects by formats digest 6.2
	Attempts int           // deliveries of one item before it is buried; 8
	Backoff  time.Duration // before the second delivery or run, doubled each time up to a minute; 250 ms
	SendTime time.Duration // wall time of one delivery; 30 seconds
	Patience time.Duration // how long Accept waits for a store that is away; 0: it refuses at once

	RecordAge   time.Duration // how long turn records are kept; 7 days; negative: none is made
	RecordBytes int64         // of turn records per tenant; 256 MiB
	RecordBody  int           // bytes of one recorded body, larger ones are recorded as digests; 64 KiB

	Poll   time.Duration                                        // how often to look for what other processes accepted; 100 ms
	Jitter func(d time.Duration) time.Duration                  // between 0 and d; random
	Ended  func(t greentic.TenantCtx, key string, r TurnResult) // called after each commit of a turn here; must return at once
	Crash  func(point string)                                   // called at named points, for tests that end the process there
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (o Options) orDefault() Options {
	def(&o.Workers, 16)
	def(&o.Cap, o.Workers)
	def(&o.Steps, 200)
	def(&o.Attempts, 8)
	def(&o.Tries, 3)
	def(&o.TurnTime, 2*time.Minute)
	def(&o.SendTime, 30*time.Second)
	def(&o.Backoff, 250*time.Millisecond)
	def(&o.Locale, "en")
	def(&o.RecordAge, 7*24*time.Hour)
	def(&o.RecordBytes, 256<<20)
	def(&o.RecordBody, 64<<10)
	def(&o.Poll, 100*time.Millisecond)
	if o.Jitter == nil {
		o.Jitter = func(d time.Duration) time.Duration { return rand.N(d + 1) }
	}
	if o.Ended == nil {
		o.Ended = func(greentic.TenantCtx, string, TurnResult) {}
	}
	if o.Crash == nil {
		o.Crash = func(string) {}
	}
	return o
}

// Runner runs turns. It is safe for concurrent use.
type Runner struct {
	deps    Deps
	options Options
	sched   Scheduler
	walks   walk.Options
	turns   *lanes.Pool[queue.Lane, arrival]
	outbox  *lanes.Pool[queue.Destination, queue.Parcel]
	beat    *beat
	cache   *sessions
	records recordSizes
	floor   []byte // see heapFloor

	mu       sync.Mutex
	draining bool
	waiters  map[string]chan TurnResult // by turn
	drained  chan struct{}              // closed when no turn will run any more
}

// heapFloor is memory that a started runner holds and never touches, so that it is not resident:
// the collector counts it and lets as much garbage wait. A turn leaves 25 KiB of it, and beside a heap
// of a few MiB the collector would run every hundred turns and take a fifth of the processor.
const heapFloor = 32 << 20

// New makes a runner; Start begins work.
func New(d Deps, o Options) *Runner {
	r := &Runner{deps: d, options: o.orDefault(), sched: d.Scheduler, waiters: map[string]chan TurnResult{}, drained: make(chan struct{}), cache: newSessions()}
	if r.sched == nil {
		r.sched = goroutines{d.Now}
	}
	if r.deps.Shards == nil {
		r.deps.Shards = shard.New(d.DB, shard.Options{Name: "runner", Now: r.sched.Now, NewID: d.NewID, Exclusive: true})
	}
	r.walks = walk.Options{TurnTime: r.options.TurnTime, Record: r.options.RecordAge > 0, RecordBody: r.options.RecordBody, Bus: d.Deliver[BusRoute] != nil, Jitter: r.options.Jitter}
	r.turns = lanes.New(r.sched, r.options.Workers, r.options.Cap, func(l queue.Lane) queue.Lane { return l }, r.runLane)
	r.outbox = lanes.New(r.sched, r.options.Workers, r.options.Cap, func(d queue.Destination) queue.Lane { return d.Lane }, r.deliverLane)
	r.beat = newBeat(r)
	return r
}

// Start takes up what an earlier process left behind and begins to work. It returns once the
// waiting work of the shards it got is known. Packs that no session needs are dropped from the
// store.
func (r *Runner) Start(ctx context.Context) error {
	if err := r.deps.Releases.DropUnused(ctx, r.deps.DB); err != nil {
		r.deps.Log.Warn("unused packs could not be dropped", "error", err)
	}
	if err := r.beat.first(ctx); err != nil {
		return fault.Wrap("runner start", err)
	}
	r.floor = make([]byte, heapFloor)
	r.outbox.Start() // first, so that what was left behind goes before what turns add
	r.turns.Start()
	r.beat.start()
	return nil
}

// Drain refuses new triggers, lets running turns and deliveries finish, gives its shards back and
// stops. When ctx ends first, running turns are interrupted; they run again at the next start.
func (r *Runner) Drain(ctx context.Context) error {
	r.mu.Lock()
	first := !r.draining
	r.draining = true
	r.mu.Unlock()
	r.beat.stop()
	err := r.turns.Stop(ctx)
	if first {
		close(r.drained)
	}
	if e := r.outbox.Stop(ctx); err == nil {
		err = e
	}
	if first {
		if e := r.deps.Shards.Leave(context.WithoutCancel(ctx)); e != nil {
			r.deps.Log.Warn("shards were not given back; others take them over when they expire", "error", e)
		}
	}
	return fault.Wrap("runner drain", err)
}

// Accept stores a trigger durably and wakes its conversation. A trigger seen before gets the
// earlier receipt, marked as a duplicate. Errors: fault.Invalid (tenant, id, key or body),
// fault.Unavailable (draining, or the store is).
func (r *Runner) Accept(ctx context.Context, t greentic.Trigger) (greentic.Receipt, error) {
	return r.accept(ctx, t, r.deps.NewID(), nil)
}

// accept stores a trigger unless it is a duplicate or guard, which may be nil, refuses the session
// it would go to; then nothing is stored.
func (r *Runner) accept(ctx context.Context, t greentic.Trigger, turn string, guard func(session.Session) error) (receipt greentic.Receipt, err error) {
	r.mu.Lock()
	draining := r.draining
	r.mu.Unlock()
	if draining {
		return receipt, fault.New(fault.Unavailable, "accept", "the server is shutting down")
	}
	if err := t.Tenant.Check(); err != nil {
		return receipt, fault.Wrap("accept", err)
	}
	if !json.Valid(t.Body) {
		return receipt, fault.New(fault.Invalid, "accept", "the body is not JSON")
	}
	prepared, err := queue.Prepare(t, turn, r.sched.Now())
	if err != nil {
		return receipt, err
	}
	lane := queue.LaneOf(t)
	a := &arrival{}
	cached := r.cache.has(lane)
	err = r.patiently(ctx, func() error {
		return r.deps.DB.Update(ctx, t.Tenant, func(x kv.Txn) (err error) {
			a.read = !cached || guard != nil
			if err := kv.Prefetch(x, func(w *kv.Wanted) {
				if prepared.WantAdmit(w); a.read {
					session.Want(w, t.Key)
				}
			}); err != nil {
				return err
			}
			if a.entry, receipt, err = queue.Admit(x, prepared); err != nil || receipt.Duplicate || !a.read {
				return err
			}
			if a.session, err = session.Read(x, t.Key); err != nil || guard == nil {
				return err
			}
			s, err := a.session.Open()
			if err != nil {
				return err
			}
			return guard(s)
		})
	})
	if err != nil {
		return greentic.Receipt{}, fault.Wrap("accept", err)
	}
	r.options.Crash("accepted")
	if receipt.Duplicate {
		a = nil
	}
	r.woken(lane, a)
	return receipt, nil
}

// patiently repeats do while the store is away, for as long as the options allow.
func (r *Runner) patiently(ctx context.Context, do func() error) error {
	until := r.sched.Now().Add(r.options.Patience)
	for n := 1; ; n++ {
		err := do()
		if !fault.Is(err, fault.Unavailable) || !r.sched.Now().Before(until) {
			return err
		}
		t := time.NewTimer(r.backoff(n))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		case <-r.drained:
			t.Stop()
			return err
		}
	}
}

// woken announces an accepted entry, if its shard is this process's to work on.
func (r *Runner) woken(lane queue.Lane, a *arrival) {
	if r.beat.works(lane.Shard()) {
		r.turns.Wake(lane, 1, a)
	}
}

// backoff doubles from the base up to a minute, with half of it random.
func (r *Runner) backoff(attempt int) time.Duration {
	d := min(r.options.Backoff<<min(attempt-1, 20), time.Minute)
	return d/2 + r.options.Jitter(d/2)
}

// wantFence says what fence reads.
func (r *Runner) wantFence(w *kv.Wanted, s int) {
	if key, _, ok := r.deps.Shards.Fence(s); ok {
		w.System = append(w.System, key)
	}
}

// fence makes a commit depend on this process still owning the shard.
func (r *Runner) fence(x kv.Txn, s int) error {
	key, value, ok := r.deps.Shards.Fence(s)
	if !ok {
		return fault.Newf(fault.Conflict, "shard", "shard %d is not this runner's any more", s).WithCode("fenced")
	}
	return x.Require(key, value)
}
