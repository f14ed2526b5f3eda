package runner

import (
	"context"
	"math/rand/v2"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic/fault"
)

// batch is how many replies are read and removed together.
const batch = 32

// deliverLane sends the waiting replies of a lane in order. A reply that fails is tried again
// before any later one of its lane; after the last attempt it is buried and the next follows.
func (r *Runner) deliverLane(ctx context.Context, l queue.Lane) {
	for !r.outbox.stopping() && ctx.Err() == nil {
		var list []queue.Outgoing
		err := r.deps.DB.View(ctx, l.Ctx(), func(x kv.Reader) (err error) {
			list, err = queue.Pending(x, l.Key, batch)
			return err
		})
		if err == nil && len(list) == 0 {
			return
		}
		pause := r.options.Backoff
		if err == nil {
			pause, err = r.deliver(ctx, l, list)
		}
		if err != nil {
			r.deps.Log.Error("outbox", "tenant", l.Tenant, "key", l.Key, "error", err)
		}
		if pause > 0 && !sleep(ctx, pause) {
			return
		}
	}
}

// deliver sends replies until one fails, then records what happened. It returns how long to
// wait before going on.
func (r *Runner) deliver(ctx context.Context, l queue.Lane, list []queue.Outgoing) (time.Duration, error) {
	sent := 0
	var failed error
	for _, o := range list {
		r.options.Crash("before_deliver")
		d := r.deps.Deliver[o.Route]
		if d == nil {
			failed = fault.Newf(fault.Unsupported, "deliver", "no connector for route %s", o.Route)
		} else {
			failed = d.Deliver(ctx, o)
		}
		if failed != nil {
			break
		}
		r.options.Crash("after_deliver")
		sent++
	}
	if ctx.Err() != nil && sent == 0 {
		return 0, ctx.Err()
	}
	pause := time.Duration(0)
	err := r.deps.DB.Update(context.WithoutCancel(ctx), l.Ctx(), func(x kv.Txn) error {
		if err := queue.Delivered(x, list[:sent]...); err != nil || failed == nil {
			return err
		}
		o := list[sent]
		if o.Attempts++; o.Attempts >= r.options.Attempts || final(failed) {
			pause = 0
			return queue.Bury(x, o, failed.Error())
		}
		pause = backoff(r.options.Backoff, o.Attempts)
		return queue.Tried(x, o)
	})
	if failed != nil {
		r.deps.Log.Warn("reply not delivered", "tenant", l.Tenant, "reply", list[sent].ID, "route", list[sent].Route, "retry_in", pause, "error", failed)
	}
	if err != nil && pause == 0 {
		pause = r.options.Backoff
	}
	return pause, err
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
