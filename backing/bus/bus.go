package bus

import (
	"context"
	"time"

	"greentic.dev/greentic"
)

// Bus carries events between publishers and subscriptions of one (environment, tenant); team and
// user do not scope it.
//
// Order. Events with the same topic and the same non-empty subject form a lane. A subscription
// is handed the events of a lane one at a time, in the order in which the bus stored them; while
// one waits for its next attempt, the later ones of its lane wait too and no other lane does.
// Nothing is promised between lanes, for events without a subject, and for a dead letter that is
// retried by hand. A repeat after a crash or a lost connection may come late, with its old ID.
//
// Errors: fault.Invalid (a limit, a bad topic, pattern or tenant, named), fault.NotFound (a dead
// letter or its subscription), fault.Exists (the subscription runs here already),
// fault.Exhausted (the tenant's bus is full), fault.Canceled and fault.Timeout (the context),
// fault.Unavailable (closed, or the server does not answer: nothing is known to be stored).
type Bus interface {
	// Publish returns when the event is stored as durably as the backend can. An event whose
	// ID the tenant published within Window is stored once; publishing it again is no error.
	Publish(ctx context.Context, tenant greentic.TenantCtx, e greentic.Event) error
	// Subscribe hands events to handle until stop is called, ctx ends or the bus is closed. A new
	// name begins with the events published from now on; a known one goes on where it was.
	// Processes that subscribe under one name share its events: one is served, the others stand by.
	// stop waits for running handlers, whose context ends with ctx only; what they were not
	// handed is kept for the next subscriber.
	Subscribe(ctx context.Context, tenant greentic.TenantCtx, s Subscription, handle Handler) (stop func(), err error)
	// DeadLetters lists what was given up, oldest first, at most limit (0: all) of one
	// subscription ("": of all).
	DeadLetters(ctx context.Context, tenant greentic.TenantCtx, subscription string, limit int) ([]DeadLetter, error)
	// Retry hands a dead letter to its subscription again, with all attempts, and removes it.
	Retry(ctx context.Context, tenant greentic.TenantCtx, id string) error
	// Drop removes a dead letter for good.
	Drop(ctx context.Context, tenant greentic.TenantCtx, id string) error
	// Close stops every subscription and waits for running handlers; afterwards every call
	// fails as unavailable.
	Close() error
}

// Subscription says what a consumer wants. The zero value of Attempts, Backoff and Parallel is
// the default.
type Subscription struct {
	Name     string        // durable: the place in the stream belongs to it; identifier rule, at most MaxName bytes
	Topics   []string      // patterns, see CheckPattern; at least one
	Attempts int           // before an event is a dead letter; 0: 5
	Backoff  time.Duration // before the second attempt; doubles up to MaxBackoff, less up to half; 0: 500 ms
	Parallel int           // handlers at a time; 0: 8
}

// Delivery is an event in the hands of a handler.
type Delivery struct {
	Event   greentic.Event
	Tenant  greentic.TenantCtx // of the publisher, with its team, user and trace
	Attempt int                // 1 is the first; counted by the process that has it
}

// Handler does the work of an event. Nil settles it. An error of a retryable kind (fault.Kind)
// is tried again after the backoff or the delay that RetryAfter gives; any other kind, and the
// last attempt, make it a dead letter with the error as the reason. A panic is fault.Internal.
// A handler may take as long as it likes: it is not handed the event twice meanwhile.
type Handler func(ctx context.Context, d Delivery) error

// DeadLetter is an event that a subscription gave up.
type DeadLetter struct {
	ID           string             `json:"id"` // for Retry and Drop; unique per tenant
	Subscription string             `json:"subscription"`
	Event        greentic.Event     `json:"event"`
	Tenant       greentic.TenantCtx `json:"tenant"`
	Kind         string             `json:"kind"` // of the last error
	Reason       string             `json:"reason"`
	Attempts     int                `json:"attempts"`
	Time         time.Time          `json:"time"`
}
