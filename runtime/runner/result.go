package runner

import (
	"context"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
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

// Turn accepts a trigger and waits until its turn has committed, here or on another runner.
// Errors are those of Accept; fault.Exists for a duplicate; fault.Unavailable when the runner drains
// before the turn has run: the trigger is stored and runs at the next start.
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
		return TurnResult{Turn: receipt.Turn}, fault.Newf(fault.Exists, "turn", "trigger %s was accepted before, as turn %s", t.ID, receipt.Turn)
	}
	look := time.NewTicker(elsewhere)
	defer look.Stop()
	for {
		select {
		case result := <-done:
			return result, nil
		case <-ctx.Done():
			return TurnResult{Turn: turn}, fault.Wrap("turn", ctx.Err())
		case <-look.C:
			if r.beat.works(queue.LaneOf(t).Shard()) {
				continue
			}
			if result, err := r.Outcome(ctx, t.Tenant, t.Key, receipt.Seq); err == nil {
				return result, nil
			}
		case <-r.drained:
			select {
			case result := <-done:
				return result, nil
			default:
				return TurnResult{Turn: turn}, fault.New(fault.Unavailable, "turn", "the server is shutting down; the message is kept for the next start")
			}
		}
	}
}

// elsewhere is how often Turn looks for the record of a turn that another runner takes.
const elsewhere = 50 * time.Millisecond

// Outcome is what a turn did, from its record. Errors: fault.NotFound (it has not committed, or no
// record is kept), and those of kv.
func (r *Runner) Outcome(ctx context.Context, tenant greentic.TenantCtx, key string, seq uint64) (TurnResult, error) {
	var rec record.Turn
	err := r.deps.DB.View(ctx, tenant, func(x kv.Reader) (err error) {
		rec, err = record.Get(x, key, seq)
		return err
	})
	if err != nil {
		return TurnResult{}, err
	}
	result := TurnResult{Turn: rec.ID, Replies: rec.Replies, Status: rec.Status, Release: rec.Release, Flow: rec.Flow, Duration: rec.Took}
	for _, s := range rec.Steps {
		result.Steps = max(result.Steps, s.N)
		if s.Output != nil {
			result.Output = s.Output
		}
	}
	if rec.Error != nil {
		result.Err = fault.New(failureKind(rec.Error.Code), "turn", rec.Error.Message).WithCode(rec.Error.Code)
	}
	return result, nil
}

func (r *Runner) tell(tenant greentic.TenantCtx, result TurnResult) {
	r.mu.Lock()
	done, ok := r.waiters[result.Turn]
	delete(r.waiters, result.Turn)
	r.mu.Unlock()
	if ok {
		done <- result // capacity one, one result per turn
	}
	if r.options.Turned != nil {
		r.options.Turned(tenant, result)
	}
}
