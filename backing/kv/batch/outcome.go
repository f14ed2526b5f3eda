package batch

import (
	"context"
	"time"

	"greentic.dev/greentic/fault"
)

// OutcomeUnknown is the code of the failure of an update that may have been committed.
const OutcomeUnknown = "outcome_unknown"

// Verdict is what a server says of a commit whose answer was lost.
type Verdict int

// The verdicts. The last two are final: the commit has happened, or never will.
const (
	Unknown Verdict = iota // the server does not remember
	Committed
	Aborted
)

// Waiting for a server that went away during a commit.
const (
	askFor   = 5 * time.Second
	askAgain = 100 * time.Millisecond
)

// Resolve finds out how a commit ended whose connection broke with cause: it calls ask, which fails
// as long as the server is away, for five seconds. It returns nil for a committed one and
// fault.Conflict for one that may run again.
func Resolve(cause error, ask func(context.Context) (Verdict, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	for {
		verdict, err := ask(ctx)
		switch {
		case err == nil && verdict == Committed:
			return nil
		case err == nil && verdict == Aborted:
			return fault.As(fault.Conflict, "kv commit", cause)
		case err == nil || ctx.Err() != nil:
			return &fault.Error{Kind: fault.Unavailable, Op: "kv commit", Msg: "it is not known whether the update was committed", Code: OutcomeUnknown, Err: cause}
		}
		select {
		case <-ctx.Done():
		case <-time.After(askAgain):
		}
	}
}
