package runner

import (
	"context"
	"errors"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/walk"
)

// TurnResult is what one turn did.
type TurnResult struct {
	Turn     string
	Replies  []greentic.Reply
	Status   string // greentic.TurnDone, TurnWaiting or TurnFailed
	Output   any    // what the last node left, JSON-like
	Release  greentic.Digest
	Flow     string
	Steps    int // nodes executed
	Duration time.Duration
	Err      error // with TurnFailed: why, for operators
}

// InvokeRoute is the route of triggers whose sender waits for the outcome instead of a connector.
const InvokeRoute = "invoke"

// BusRoute is the route of events that flows emit.
const BusRoute = "bus"

// Turn accepts a trigger and waits until its turn has committed. Errors are those of Accept and of
// Invocation.Wait; fault.Exists for a duplicate.
func (r *Runner) Turn(ctx context.Context, t greentic.Trigger) (TurnResult, error) {
	i, err := r.Begin(ctx, t, nil)
	if err != nil {
		return TurnResult{}, err
	}
	defer i.Close()
	if i.Receipt.Duplicate {
		return TurnResult{Turn: i.Receipt.Turn}, fault.Newf(fault.Exists, "turn", "trigger %s was accepted before, as turn %s", t.ID, i.Receipt.Turn)
	}
	return i.Wait(ctx)
}

// Invocation is a trigger that was accepted and whose outcome somebody waits for.
type Invocation struct {
	Receipt greentic.Receipt
	runner  *Runner
	turn    string // its own, also of a duplicate
	lane    queue.Lane
	tenant  greentic.TenantCtx
	done    chan TurnResult
}

// Begin accepts a trigger unless guard refuses the session it goes to as it is now; then nothing is
// stored and the error is guard's. A duplicate is not shown to guard, which may be nil. The
// invocation must be closed.
func (r *Runner) Begin(ctx context.Context, t greentic.Trigger, guard func(session.Session) error) (*Invocation, error) {
	turn := r.deps.NewID()
	i := &Invocation{runner: r, turn: turn, lane: queue.LaneOf(t), tenant: t.Tenant, done: make(chan TurnResult, 1)}
	r.mu.Lock()
	r.waiters[turn] = i.done
	r.mu.Unlock()
	var err error
	if i.Receipt, err = r.accept(ctx, t, turn, guard); err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

// Close ends the invocation; the turn goes on.
func (i *Invocation) Close() { i.runner.unwait(i.turn) }

func (r *Runner) unwait(turn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiters, turn)
}

// Wait waits until the turn has committed, in this process or another. Errors: the context's;
// fault.Unavailable when the runner drains before the turn has run: the trigger is stored and runs
// at the next start; fault.NotFound when it ran and its record is not kept.
func (i *Invocation) Wait(ctx context.Context) (TurnResult, error) {
	r, none := i.runner, TurnResult{Turn: i.Receipt.Turn}
	if i.Receipt.Duplicate {
		if rec, err := i.Recorded(ctx); err == nil || !fault.Is(err, fault.Unavailable) {
			return resultOf(rec), err
		}
	}
	look := make(chan struct{}, 1)
	for {
		stop := r.sched.After(r.options.Poll, func() { look <- struct{}{} })
		select {
		case result := <-i.done:
			stop()
			return result, nil
		case <-ctx.Done():
			stop()
			return none, fault.Wrap("turn", ctx.Err())
		case <-r.drained:
			stop()
			select {
			case result := <-i.done:
				return result, nil
			default:
				return none, fault.New(fault.Unavailable, "turn", "the server is shutting down; the message is kept for the next start")
			}
		case <-look:
			if !i.Receipt.Duplicate && r.beat.works(i.lane.Shard()) {
				continue // it will be told
			}
			if rec, err := i.Recorded(ctx); err == nil || !fault.Is(err, fault.Unavailable) {
				return resultOf(rec), err
			}
		}
	}
}

// Recorded reads the record of the turn: fault.Unavailable while it has not run, fault.NotFound when
// it has and none is kept.
func (i *Invocation) Recorded(ctx context.Context) (rec record.Turn, err error) {
	err = i.runner.deps.DB.View(ctx, i.tenant, func(x kv.Reader) error {
		rec, err = record.Get(x, i.lane.Key, i.Receipt.Seq)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		first, waits, bad := queue.First(x, i.lane.Key)
		if bad == nil && waits && first.Seq <= i.Receipt.Seq {
			return fault.New(fault.Unavailable, "turn "+i.Receipt.Turn, "it has not run yet")
		}
		return errors.Join(bad, err)
	})
	return rec, fault.Wrap("outcome", err)
}

// resultOf is what a recorded turn did.
func resultOf(rec record.Turn) TurnResult {
	result := TurnResult{Turn: rec.ID, Replies: rec.Replies, Status: rec.Status, Release: rec.Release, Flow: rec.Flow, Duration: rec.Took}
	if len(rec.Output) > 0 {
		result.Output = rec.Output
	}
	for _, s := range rec.Steps {
		result.Steps = max(result.Steps, s.N)
	}
	if rec.Error != nil {
		result.Err = fault.New(walk.Kind(rec.Error.Code), "", rec.Error.Message).WithCode(rec.Error.Code)
	}
	return result
}

func (r *Runner) tell(result TurnResult) {
	r.mu.Lock()
	done, ok := r.waiters[result.Turn]
	delete(r.waiters, result.Turn)
	r.mu.Unlock()
	if ok {
		done <- result // capacity one, one result per turn
	}
}
