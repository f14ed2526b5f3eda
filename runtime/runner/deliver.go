package runner

import (
	"context"
	"errors"
	"runtime/debug"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/lanes"
)

// batch is how many parcels are read and removed together.
const batch = 32

// deliverLane sends the waiting parcels of a destination in order. An item that fails is tried
// again before any later one; after the last attempt it is buried and the next follows.
func (r *Runner) deliverLane(ctx context.Context, work lanes.Task[queue.Destination, queue.Parcel]) lanes.Pace[queue.Parcel] {
	var list []queue.Parcel
	var err error
	if work.Hint != nil { // all that waits
		list = []queue.Parcel{*work.Hint}
	} else {
		err = r.deps.DB.View(ctx, work.Key.Ctx(), func(x kv.Reader) (err error) {
			list, err = queue.Pending(x, work.Key, batch)
			return err
		})
	}
	p := lanes.Pace[queue.Parcel]{}
	if err == nil && len(list) > 0 {
		p, err = r.deliver(ctx, work.Key, list)
	}
	switch {
	case err == nil, ctx.Err() != nil:
		return p
	case fault.Is(err, fault.Conflict) && !r.beat.works(work.Key.Shard()): // its parcels are somebody else's
		return lanes.Pace[queue.Parcel]{}
	case fault.Is(err, fault.Conflict): // somebody else was here, but is not any more
		return lanes.Pace[queue.Parcel]{More: true, Pause: r.backoff(work.Failed + 1)}
	}
	r.deps.Log.Error("outbox", "tenant", work.Key.Tenant, "key", work.Key.Key, "error", err)
	return lanes.Pace[queue.Parcel]{More: true, Pause: r.backoff(work.Failed + 1)}
}

// deliver sends parcels until an item fails, then records what happened.
func (r *Runner) deliver(ctx context.Context, d queue.Destination, list []queue.Parcel) (lanes.Pace[queue.Parcel], error) {
	sent, item := 0, 0
	var failure error
	for sent < len(list) && failure == nil {
		if !r.deps.Shards.Owned(d.Shard()) { // this process stood still, say: somebody else sends them
			return lanes.Pace[queue.Parcel]{}, fault.New(fault.Conflict, "deliver", "the shard is not this runner's any more").WithCode("fenced")
		}
		if item, failure = r.send(ctx, list[sent]); failure == nil {
			sent++
		}
	}
	if failure != nil && ctx.Err() != nil {
		failure = nil // interrupted: no attempt that counts
	}
	p := lanes.Pace[queue.Parcel]{More: len(list) >= batch || failure != nil}
	var rest *queue.Parcel
	var letter *queue.Letter
	if sent < len(list) {
		rest = &list[sent]
		if item > 0 {
			rest.First, rest.Items, rest.Attempts = rest.First+item, rest.Items[item:], 0
		}
		if failure != nil {
			rest.Attempts++
			p.Pause = r.backoff(rest.Attempts)
			var later Later
			if errors.As(failure, &later) {
				p.Pause = max(p.Pause, later.After)
			}
			if final(failure) || rest.Attempts >= r.options.Attempts && !patient(rest, failure) {
				letter, p.Pause = r.giveUp(rest, failure), 0
			}
			r.deps.Log.Warn("item not delivered", "tenant", d.Tenant, "turn", rest.Turn, "route", d.Route, "buried", letter != nil, "retry_in", p.Pause, "error", failure)
		}
	}
	err := r.deps.DB.Update(context.WithoutCancel(ctx), d.Ctx(), func(x kv.Txn) error {
		if err := r.fence(x, d.Shard()); err != nil {
			return err
		}
		if err := queue.Delivered(x, list[:sent]...); err != nil {
			return err
		}
		if letter != nil {
			if err := queue.Bury(x, *letter); err != nil {
				return err
			}
		}
		switch {
		case rest == nil:
			return nil
		case len(rest.Items) == 0:
			return queue.Delivered(x, *rest)
		}
		return queue.Tried(x, *rest)
	})
	return p, err
}

// giveUp makes the letter of the first item of a parcel and takes it out.
func (r *Runner) giveUp(p *queue.Parcel, failure error) *queue.Letter {
	one := *p
	one.Items = p.Items[:1]
	letter := &queue.Letter{ID: p.Outgoing(0).ID, Kind: "reply", At: r.sched.Now().UTC(), Reason: failure.Error(), Code: fault.KindOf(failure).String(), Parcel: &one}
	if one.Items[0].Event != nil {
		letter.Kind = "event"
	}
	p.First, p.Items, p.Attempts = p.First+1, p.Items[1:], 0
	return letter
}

// send delivers the items of a parcel in order and says how many arrived and why the next did
// not.
func (r *Runner) send(ctx context.Context, p queue.Parcel) (sent int, failure error) {
	for i := range p.Items {
		r.options.Crash("before_deliver")
		if failure = r.sendOne(ctx, p.Outgoing(i)); failure != nil {
			return i, failure
		}
		r.options.Crash("after_deliver")
	}
	return len(p.Items), nil
}

// sendOne hands an item to its connector; a panic of the connector is a failed attempt.
func (r *Runner) sendOne(ctx context.Context, o queue.Outgoing) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.deps.Log.Error("connector panicked", "route", o.Route, "item", o.ID, "panic", p, "stack", string(debug.Stack()))
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

// patient says that the first item waits however long it takes: an event for a bus that is away.
func patient(p *queue.Parcel, failure error) bool {
	return p.Items[0].Event != nil && fault.KindOf(failure).Retryable()
}

// final says that trying again cannot help.
func final(err error) bool {
	switch fault.KindOf(err) {
	case fault.NotFound, fault.Invalid, fault.Denied, fault.Unsupported:
		return true
	}
	return false
}
