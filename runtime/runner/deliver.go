package runner

import (
	"context"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic/fault"
)

// batch is how many replies are read and removed together.
const batch = 32

// deliverLane sends the waiting replies of a lane in order. A reply that fails is tried again
// before any later one of its lane; after the last attempt it is buried and the next follows.
func (r *Runner) deliverLane(ctx context.Context, work task[[]queue.Outgoing]) pace {
	var list []queue.Outgoing
	var err error
	if work.hint != nil { // the lane was idle, so these are all that wait
		list = *work.hint
	} else {
		err = r.deps.DB.View(ctx, work.lane.Ctx(), func(x kv.Reader) (err error) {
			list, err = queue.Pending(x, work.lane.Key, batch)
			return err
		})
	}
	p := pace{}
	if err == nil && len(list) > 0 {
		p, err = r.deliver(ctx, work.lane, list)
	}
	if err != nil && ctx.Err() == nil {
		r.deps.Log.Error("outbox", "tenant", work.lane.Tenant, "key", work.lane.Key, "error", err)
		return pace{more: true, pause: backoff(r.options.Backoff, work.failed+1)}
	}
	return p
}

// deliver sends replies until one fails, then records what happened.
func (r *Runner) deliver(ctx context.Context, l queue.Lane, list []queue.Outgoing) (pace, error) {
	sent, failure := r.send(ctx, list)
	if failure != nil && ctx.Err() != nil {
		failure = nil // interrupted: no attempt that counts
	}
	p := pace{more: len(list) >= batch || failure != nil}
	var unsent queue.Outgoing
	bury := false
	if failure != nil {
		unsent = list[sent]
		unsent.Attempts++
		if bury = final(failure) || unsent.Attempts >= r.options.Attempts; !bury {
			p.pause = backoff(r.options.Backoff, unsent.Attempts)
		}
		r.deps.Log.Warn("reply not delivered", "tenant", l.Tenant, "reply", unsent.ID, "route", unsent.Route, "attempt", unsent.Attempts, "buried", bury, "retry_in", p.pause, "error", failure)
	}
	err := r.deps.DB.Update(context.WithoutCancel(ctx), l.Ctx(), func(x kv.Txn) error {
		if err := queue.Delivered(x, list[:sent]...); err != nil || failure == nil {
			return err
		}
		if bury {
			return queue.Bury(x, unsent, failure.Error())
		}
		return queue.Tried(x, unsent)
	})
	return p, err
}

// send delivers replies in order and says how many arrived and why the next did not.
func (r *Runner) send(ctx context.Context, list []queue.Outgoing) (sent int, failure error) {
	for _, o := range list {
		r.options.Crash("before_deliver")
		if failure = r.sendOne(ctx, o); failure != nil {
			return sent, failure
		}
		r.options.Crash("after_deliver")
		sent++
	}
	return sent, nil
}

// sendOne hands a reply to its connector; a panic of the connector is a failed attempt.
func (r *Runner) sendOne(ctx context.Context, o queue.Outgoing) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.deps.Log.Error("connector panicked", "route", o.Route, "reply", o.ID, "panic", p, "stack", string(debug.Stack()))
			err = fault.Newf(fault.Internal, "deliver", "the connector for route %s panicked", o.Route)
		}
	}()
	d := r.deps.Deliver[o.Route]
	if d == nil {
		return fault.Newf(fault.Unsupported, "deliver", "no connector for route %s", o.Route)
	}
	limited, cancel := context.WithTimeout(ctx, r.options.SendTime)
	defer cancel()
	return d.Deliver(limited, o)
}

// final says that trying again cannot help.
func final(err error) bool {
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Invalid, fault.Denied, fault.Unsupported:
		return true
	}
	return false
}

// backoff doubles from base up to a minute, with half of it random.
func backoff(base time.Duration, attempt int) time.Duration {
	d := min(base<<min(attempt-1, 20), time.Minute)
	return d/2 + rand.N(d/2+1)
}
