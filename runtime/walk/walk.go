package walk

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/backing/state"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/release"
)

// Clock is the time of a walk.
type Clock interface{ Now() time.Time }

// Deps is what a walk works with; the first two are required.
type Deps struct {
	Clock Clock
	Log   *slog.Logger
	// Stand answers a call in place of its component, unless ok is false: for tests of flows. nil:
	// components answer for themselves.
	Stand func(ctx context.Context, r host.Request) (response host.Response, ok bool, err error)
}

// Options bounds a walk.
type Options struct {
	TurnTime   time.Duration // wall time of the whole turn; what it has done is then undone, for which it has as long again
	Record     bool          // keep a trail
	RecordBody int           // bytes of one recorded body, larger ones are recorded as digests
	Bus        bool          // events that are published go somewhere
	Jitter     func(d time.Duration) time.Duration
}

// Walk is one trigger on its way through the flows of a pack. What it collects is the caller's to
// store; it serves one goroutine.
type Walk struct {
	Entry   queue.Entry
	Tenant  greentic.TenantCtx
	Message greentic.Message
	Release *release.Release
	Flow    *flow.Flow // that the run began with; the cursor says which one it is in
	Overlay *state.Overlay
	Began   time.Time
	Cursor  flow.Cursor // with Got: where to go on
	Got     flow.Got
	Save    func(ctx context.Context) error // stores how far the walk got; it clears Unsaved
	Sure    func(ctx context.Context) error // before the first call of a component: whether the walk may act outside; nil: it may
	Replay  *Playback                       // a turn that is run again without effects; else nil

	Pause   time.Duration // after Go: how long to leave it alone before the next Go; 0: it is over
	Unsaved bool          // a checkpoint is due before the next step
	Undoing bool          // the flow has failed and undoes what it did: what that says and keeps stays

	Outputs []card.Output
	Events  []greentic.Event
	Trail   []record.Step
	Steps   int // nodes executed
	Last    any // what the last node left

	kept       Said
	branches   []*Progress // of the fork that Cursor and Got lead to, as far as they got
	path       string      // of a branch: the steps that forked, for idempotency keys
	label      string      // of a branch, for the record
	inBranches int         // nodes executed in branches

	in   *flow.Flow // where the step of now happens
	late time.Time  // when its time was over; zero: it is not
	deps Deps
	opts Options
}

// New is a walk that has not begun.
func New(d Deps, o Options) Walk { return Walk{deps: d, opts: o} }

// memoryPause is the longest pause before a retry that a restart may repeat from the last
// checkpoint; before a longer one the attempts made so far are stored.
const memoryPause = time.Second

// Go follows the flow from Cursor and Got until it ends, waits or pauses: a step that is DoEnd or
// DoWait, or Pause is set. The error is the turn's failure; with Unsaved it is the store's, and
// what happened is to be saved before anything else.
func (w *Walk) Go(ctx context.Context) (flow.Step, error) {
	limited, cancel := w.Within(ctx)
	defer func() { cancel() }()
	for {
		if w.Unsaved {
			if err := w.Save(ctx); err != nil {
				return flow.Step{}, err
			}
		}
		if ctx.Err() != nil {
			return flow.Step{}, w.overdue()
		}
		var err error
		if w.in, err = w.flow(w.Cursor.Flow); err != nil {
			return flow.Step{}, err
		}
		step, err := w.in.Next(w.Cursor, w.Got)
		if err != nil {
			return step, fault.Wrap("flow "+w.in.ID, err)
		}
		late := w.late
		left, err := w.hasten(limited, step)
		if err != nil {
			return step, err
		}
		if w.late != late {
			cancel()
			limited, cancel = w.Within(ctx)
		}
		if left {
			continue
		}
		w.Steps = max(w.Steps, step.Cursor.Steps+w.inBranches)
		w.Last = step.Cursor.Prev
		if step.Cursor.Failure != nil && step.Cursor.Caller == nil && !w.Undoing {
			w.Undoing = true
			w.Forget()
		}
		switch step.Do {
		case flow.DoWait:
			w.note(step, record.Step{Do: "wait"})
			return step, nil
		case flow.DoEnd:
			w.note(step, record.Step{Do: "end"})
			return step, nil
		case flow.DoFail:
			w.note(step, record.Step{Do: "fail", Fail: encode(step.Fail)})
			return step, fault.Newf(Kind(step.Fail.Code), "flow "+w.in.ID+" node "+step.Node, "%s: %s", step.Fail.Code, step.Fail.Message).WithCode(step.Fail.Code)
		case flow.DoRetry:
			if paused, err := w.retry(ctx, step); paused || err != nil {
				return step, err
			}
			continue
		case flow.DoFork:
			if err := w.fork(ctx, step); err != nil {
				return step, err
			}
			continue
		case flow.DoCall, flow.DoJump, flow.DoReturn:
			w.change(step)
			continue
		}
		got, effect, err := w.act(limited, step)
		switch {
		case err == nil:
			w.Cursor, w.Got, w.Unsaved = step.Cursor, got, effect && w.Replay == nil
		case Code(err) != deadlineCode || !w.late.IsZero():
			return step, err
		}
	}
}

// flow is a flow of the pack.
func (w *Walk) flow(id string) (*flow.Flow, error) {
	if id == w.Flow.ID {
		return w.Flow, nil
	}
	return w.Release.Flow(id)
}

// change goes on in another flow, or in the one that called this one. A flow that does not exist is a
// failure of the node that named it.
func (w *Walk) change(step flow.Step) {
	to := step.Cursor.Flow
	if step.Do == flow.DoReturn {
		w.note(step, record.Step{Do: "return", Flow: to, Output: w.Encode(step.Payload), Fail: w.failed(step.Fail)})
		w.Cursor, w.Got = step.Cursor, flow.Got{What: flow.GotOutput, Value: step.Payload}
		if step.Fail != nil {
			w.Got = flow.Got{What: flow.GotError, Error: step.Fail}
		}
		return
	}
	do := "call"
	from := step.Cursor.Caller
	if step.Do == flow.DoJump {
		do, from = "jump", &w.Cursor
	}
	_, err := w.flow(to)
	rec := record.Step{Do: do, Flow: to, Input: w.Encode(step.Input)}
	w.Got = flow.Got{What: flow.GotStart}
	if w.Cursor = step.Cursor; err != nil {
		w.Cursor = *from
		w.Got = flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: flow.FlowMissing, Message: err.Error()}}
		rec.Fail = w.failed(w.Got.Error)
	}
	w.note(step, rec)
}

// retry gets ready for another try, and says whether the walk pauses before it.
func (w *Walk) retry(ctx context.Context, step flow.Step) (paused bool, err error) {
	w.note(step, record.Step{Do: "retry"})
	w.Cursor, w.Got = step.Cursor, flow.Got{What: flow.GotRetry}
	if w.Replay != nil {
		return false, nil
	}
	delay := step.Delay + w.opts.Jitter(step.Delay/4)
	if w.Unsaved = delay >= memoryPause; w.Unsaved {
		if err := w.Save(ctx); err != nil {
			return false, err
		}
	}
	w.Pause = delay
	return delay > 0, nil
}

// Forget drops what the flow said and kept, except what compensations said that have run already.
func (w *Walk) Forget() {
	w.Outputs, w.Events = slices.Clip(w.kept.Outputs), slices.Clip(w.kept.Events)
	w.Overlay.Reset()
}
