package runner

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Deliverer sends a reply to its channel. It is called at least once per reply with the same
// ID and must make repeats harmless. fault.NotFound, fault.Invalid, fault.Denied and
// fault.Unsupported are final; other failures are tried again.
type Deliverer interface {
	Deliver(ctx context.Context, o queue.Outgoing) error
}

// Deps is what a runner works with; all are required.
type Deps struct {
	DB       kv.DB
	Releases *Releases
	Deliver  map[string]Deliverer // by route; replies of other routes go only to whoever waits in Turn
	Log      *slog.Logger
	Now      func() time.Time
	NewID    func() string // unique; letters, digits, '-'
}

// Options tunes a runner; a zero field means the value named beside it.
type Options struct {
	Workers  int           // turns at the same time; 16
	Steps    int           // nodes per turn; 200
	TurnTime time.Duration // wall time of one turn; 2 minutes
	Locale   string        // of users that name none; "en"
	Flow     string        // the flow new sessions take; empty selects by formats digest 6.2
	Attempts int           // deliveries of one reply before it is buried; 8
	Backoff  time.Duration // before the second delivery, doubled each time up to a minute; 250 ms
	SendTime time.Duration // wall time of one delivery; 30 seconds
	// Crash is called at named points, for tests that end the process there.
	Crash func(point string)
}

func (o Options) orDefault() Options {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.Workers, 16)
	def(&o.Steps, 200)
	def(&o.Attempts, 8)
	if o.TurnTime == 0 {
		o.TurnTime = 2 * time.Minute
	}
	if o.SendTime == 0 {
		o.SendTime = 30 * time.Second
	}
	if o.Backoff == 0 {
		o.Backoff = 250 * time.Millisecond
	}
	if o.Locale == "" {
		o.Locale = "en"
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
	turns   *lanes[arrival]
	outbox  *lanes[[]queue.Outgoing]

	mu       sync.Mutex
	draining bool
	waiters  map[string]chan TurnResult // by turn
	drained  chan struct{}              // closed when no turn will run any more
}

// New makes a runner; Start begins work.
func New(d Deps, o Options) *Runner {
	r := &Runner{deps: d, options: o.orDefault(), waiters: map[string]chan TurnResult{}, drained: make(chan struct{})}
	r.turns = newLanes(r.options.Workers, r.runLane)
	r.outbox = newLanes(r.options.Workers, r.deliverLane)
	return r
}

// Start takes up what an earlier process left behind and begins to work. It returns once the
// waiting work is known. Packs that no session needs are dropped from the store.
func (r *Runner) Start(ctx context.Context) error {
	if err := r.deps.Releases.dropUnused(ctx, r.deps.DB); err != nil {
		r.deps.Log.Warn("unused packs could not be dropped", "error", err)
	}
	waiting, err := queue.Waiting(ctx, r.deps.DB)
	if err != nil {
		return fault.Wrap("runner start", err)
	}
	if err := r.countRestart(ctx, waiting); err != nil {
		return fault.Wrap("runner start", err)
	}
	for _, l := range waiting { // which of the two waits is not known; looking is cheap
		r.outbox.wake(l, 1, nil)
		r.turns.wake(l, 1, nil)
	}
	r.outbox.start() // first, so that what was left behind goes before what turns add
	r.turns.start()
	return nil
}

// countRestart marks the triggers that were first in line when the last process ended.
func (r *Runner) countRestart(ctx context.Context, waiting []queue.Lane) error {
	keys := map[greentic.TenantCtx][]string{}
	seen := map[queue.Lane]bool{}
	for _, l := range waiting {
		if !seen[l] {
			seen[l] = true
			keys[l.Ctx()] = append(keys[l.Ctx()], l.Key)
		}
	}
	for tenant, list := range keys {
		err := r.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
			for _, key := range list {
				if err := queue.Restarted(x, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Drain refuses new triggers, lets running turns and deliveries finish and stops. When ctx
// ends first, running turns are interrupted; they run again at the next start.
func (r *Runner) Drain(ctx context.Context) error {
	r.mu.Lock()
	first := !r.draining
	r.draining = true
	r.mu.Unlock()
	err := r.turns.stop(ctx)
	if first {
		close(r.drained)
	}
	if e := r.outbox.stop(ctx); err == nil {
		err = e
	}
	return fault.Wrap("runner drain", err)
}

// Accept stores a trigger durably and wakes its conversation. A trigger seen before gets the
// earlier receipt, marked as a duplicate. Errors: fault.Invalid (tenant, id, key or body),
// fault.Unavailable (draining, or the store is).
func (r *Runner) Accept(ctx context.Context, t greentic.Trigger) (greentic.Receipt, error) {
	return r.accept(ctx, t, r.deps.NewID())
}

func (r *Runner) accept(ctx context.Context, t greentic.Trigger, turn string) (receipt greentic.Receipt, err error) {
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
	a := &arrival{}
	err = r.deps.DB.Update(ctx, t.Tenant, func(x kv.Txn) (err error) {
		if a.entry, receipt, err = queue.Accept(x, t, turn, r.deps.Now()); err == nil {
			a.session, err = session.Read(x, t.Key)
		}
		return err
	})
	if err != nil {
		return greentic.Receipt{}, fault.Wrap("accept", err)
	}
	r.options.Crash("accepted")
	if receipt.Duplicate {
		a = nil
	}
	r.turns.wake(queue.LaneOf(t), 1, a)
	return receipt, nil
}

// TurnResult is what one turn did.
type TurnResult struct {
	Turn     string
	Replies  []greentic.Reply
	Status   string // greentic.TurnDone, TurnWaiting or TurnFailed
	Steps    int    // nodes executed
	Duration time.Duration
	Err      error // with TurnFailed: why, for operators
}

// Turn accepts a trigger and waits until its turn has committed. Errors are those of Accept;
// fault.Exists for a duplicate; fault.Unavailable when the runner drains before the turn has
// run: the trigger is stored and runs at the next start.
func (r *Runner) Turn(ctx context.Context, t greentic.Trigger) (TurnResult, error) {
	turn, done := r.deps.NewID(), make(chan TurnResult, 1)
	r.mu.Lock()
	r.waiters[turn] = done
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.waiters, turn)
		r.mu.Unlock()
	}()
	receipt, err := r.accept(ctx, t, turn)
	if err != nil {
		return TurnResult{}, err
	}
	if receipt.Duplicate {
		return TurnResult{}, fault.Newf(fault.Exists, "turn", "trigger %s was accepted before, as turn %s", t.ID, receipt.Turn)
	}
	select {
	case result := <-done:
		return result, nil
	case <-ctx.Done():
		return TurnResult{}, fault.Wrap("turn", ctx.Err())
	case <-r.drained:
	}
	select {
	case result := <-done:
		return result, nil
	default:
		return TurnResult{}, fault.New(fault.Unavailable, "turn", "the server is shutting down; the message is kept for the next start")
	}
}

func (r *Runner) tell(result TurnResult) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if done, ok := r.waiters[result.Turn]; ok {
		done <- result // capacity one, one result per turn
		delete(r.waiters, result.Turn)
	}
}
