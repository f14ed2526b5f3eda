package walk

import (
	"context"

	"greentic.dev/backing/record"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

// deadlineCode is the code of a turn that takes too long.
const deadlineCode = "turn_deadline"

// overdue is the failure of a turn that takes too long.
func (w *Walk) overdue() error {
	return fault.Newf(fault.Timeout, "turn", "it took longer than %v", w.opts.TurnTime).WithCode(deadlineCode)
}

// Within is ctx for as long as the walk may take: its time, and once that is over as much again to undo
// what it did.
func (w *Walk) Within(ctx context.Context) (context.Context, context.CancelFunc) {
	if w.Replay != nil { // the record says what came too late
		return context.WithCancel(ctx)
	}
	from := w.Began
	if !w.late.IsZero() {
		from = w.late
	}
	return context.WithTimeout(ctx, from.Add(w.opts.TurnTime).Sub(w.deps.Clock.Now()))
}

// outran says whether the walk's time is over before a step that was not begun.
func (w *Walk) outran(limited context.Context) bool {
	if w.Replay != nil {
		was := w.Replay.step(w.Trail)
		return was != nil && was.Do == "late"
	}
	return limited.Err() != nil
}

// acts says whether a step does something, rather than end, wait or go to another flow.
func acts(step flow.Step) bool {
	switch step.Do {
	case flow.DoWait, flow.DoEnd, flow.DoFail, flow.DoCall, flow.DoReturn, flow.DoJump:
		return false
	}
	return true
}

// hasten says whether a step is left out because the walk's time is over: it then undoes what it did,
// for which it has its time once more. An error: that is over, too.
func (w *Walk) hasten(limited context.Context, step flow.Step) (left bool, err error) {
	over, late := w.outran(limited), !w.late.IsZero()
	if !acts(step) || !over && !late {
		return false, nil
	}
	if over && (late || !step.Cursor.Undoing()) {
		w.note(step, record.Step{Do: "late"})
	}
	if over && late {
		return false, w.overdue()
	}
	return w.abort(step), nil
}

// abort ends the run that was about to do a step, unless the step undoes something.
func (w *Walk) abort(step flow.Step) bool {
	if w.late.IsZero() {
		w.late = w.deps.Clock.Now()
	}
	if step.Cursor.Undoing() {
		return false
	}
	fail := failure(w.overdue())
	fail.Retryable = false
	w.Cursor, w.Got = step.Cursor, flow.Got{What: flow.GotAbort, Error: fail}
	return true
}
