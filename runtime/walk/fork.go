package walk

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

// fork is the branches of one step while they run. Each is a walk of its own in a goroutine that
// run waits for; what they did is joined in their order, so that it does not matter which was faster.
type fork struct {
	walk  *Walk
	step  flow.Step
	entry queue.Entry // of the walk at the fork; its own changes as it is saved

	mu       sync.Mutex
	progress []*Progress // by branch; nil: not begun
	next     int         // the first branch that has not been looked at
	stop     bool        // begin no more
	changes  int         // of progress
	err      error       // why the turn cannot go on, the first
	unsaved  bool        // with err: the store failed, what happened is to be saved

	saving sync.Mutex
	saved  int // the changes that are saved
}

// fork runs the branches of a step and goes on behind them.
func (w *Walk) fork(ctx context.Context, step flow.Step) error {
	f := &fork{walk: w, step: step, entry: w.Entry, progress: make([]*Progress, len(step.Branches))}
	copy(f.progress, w.branches)
	width := min(step.Concurrency, len(step.Branches))
	if w.Replay != nil {
		width = 1
		w.noteFork(step, f.replayed())
	}
	if width == 1 {
		f.work(ctx)
	} else {
		var group sync.WaitGroup
		for range width {
			group.Go(func() { f.work(ctx) })
		}
		group.Wait()
	}
	if f.err != nil {
		w.branches, w.Unsaved = f.progress, f.unsaved
		return f.err
	}
	w.join(step, f.progress)
	return nil
}

// replayed is how many branches had begun then; all when the record does not say.
func (f *fork) replayed() int {
	begun := len(f.step.Branches)
	if was := f.walk.Replay.step(f.walk.Trail); was != nil && was.Do == "fork" {
		var then struct{ Begun int }
		if json.Unmarshal(was.Output, &then) == nil {
			begun = min(begun, then.Begun)
		}
	}
	f.progress = f.progress[:begun]
	return begun
}

func (w *Walk) noteFork(step flow.Step, begun int) {
	w.note(step, record.Step{Do: "fork", Output: encode(map[string]any{"branches": len(step.Branches), "begun": begun})})
}

// join takes over what the branches did, in their order.
func (w *Walk) join(step flow.Step, progress []*Progress) {
	begun := 0
	for begun < len(progress) && progress[begun] != nil {
		begun++
	}
	if w.Replay == nil {
		w.noteFork(step, begun)
	}
	got := flow.Got{What: flow.GotJoin}
	for _, p := range progress[:begun] {
		got.Branches = append(got.Branches, *p.Result)
		w.Outputs = append(w.Outputs, p.Outputs...)
		w.kept.Outputs = append(w.kept.Outputs, p.Kept.Outputs...)
		w.kept.Events = append(w.kept.Events, w.numbered(len(w.kept.Events), p.Kept.Events)...)
		w.Events = append(w.Events, w.numbered(len(w.Events), p.Events)...)
		w.Overlay.Restore(p.State)
		w.inBranches += p.Steps
		if w.Replay == nil {
			w.Trail = append(w.Trail, p.Trail...)
		}
	}
	w.branches = nil
	w.Cursor, w.Got = step.Cursor, got
}

// work runs one branch after the other until none is left.
func (f *fork) work(ctx context.Context) {
	for {
		f.mu.Lock()
		i := f.next
		begun := i < len(f.progress) && f.progress[i] != nil
		if i >= len(f.progress) || f.err != nil || f.stop && !begun {
			f.mu.Unlock()
			return
		}
		f.next++
		p := f.progress[i]
		if !begun {
			f.progress[i] = &Progress{} // it has begun: also those behind it count it
		}
		f.mu.Unlock()
		if p != nil && p.Result != nil {
			f.ended(p.Result)
			continue
		}
		if err := f.branch(ctx, i, p); err != nil {
			return
		}
	}
}

func (f *fork) ended(r *flow.Branched) {
	if r.Fail != nil && !f.step.Continue && f.walk.Replay == nil { // a replay runs those that ran
		f.mu.Lock()
		f.stop = true
		f.mu.Unlock()
	}
}

// branch runs a branch to its end, from where p left it. The error is why the turn cannot go on.
func (f *fork) branch(ctx context.Context, i int, p *Progress) (err error) {
	b := f.walk.child(f.step, i, f.entry)
	if p != nil && p.Cursor.Flow != "" {
		b.Restore(*p)
		b.Cursor = b.Cursor.Rejoin(f.step.Branches[i].Within)
	}
	b.Save = func(ctx context.Context) error {
		err := f.save(ctx, f.put(i, b.Progress()))
		b.Unsaved = err != nil
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = f.fail(fault.Newf(fault.Internal, "turn", "panic in branch %s: %v", f.step.Names[i], r), false)
		}
	}()
	for {
		step, err := b.Go(ctx)
		if away := b.Overlay.Away(); away != nil {
			f.mu.Lock()
			f.walk.Overlay.Missed(away)
			f.mu.Unlock()
		}
		switch {
		case err != nil && step.Do == flow.DoFail, err == nil && b.Pause == 0:
			result := step.Branched()
			done := b.Progress()
			done.Result, done.Steps, done.Cursor, done.Got = &result, b.Steps+b.inBranches, flow.Cursor{}, flow.Got{}
			if b.Undoing {
				done.Kept.Outputs, done.Kept.Events = append(done.Kept.Outputs, b.Outputs...), append(done.Kept.Events, b.Events...)
			}
			if f.put(i, done); b.Replay != nil {
				f.walk.Trail = b.Trail
			}
			f.ended(&result)
			return nil
		case err != nil:
			f.put(i, b.Progress())
			return f.fail(err, b.Unsaved)
		}
		b.rest(ctx)
	}
}

// rest waits for the pause of a branch to be over, or for its time.
func (w *Walk) rest(ctx context.Context) {
	limited, cancel := w.Within(ctx)
	defer cancel()
	pause := time.NewTimer(w.Pause)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-limited.Done():
	}
	w.Pause = 0
}

// fail notes why the turn cannot go on.
func (f *fork) fail(err error, unsaved bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err, f.unsaved = err, unsaved
	}
	return err
}

// put keeps how far a branch got and says which change that is.
func (f *fork) put(i int, p Progress) int {
	p.State = maps.Clone(p.State) // the branch goes on while others store this
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress[i] = &p
	f.changes++
	return f.changes
}

// save stores how far all branches got, unless somebody has stored a change of then already: who
// waits for the store together is stored together.
func (f *fork) save(ctx context.Context, change int) error {
	f.saving.Lock()
	defer f.saving.Unlock()
	if f.saved >= change {
		return nil
	}
	f.mu.Lock()
	progress, changes := slices.Clone(f.progress), f.changes
	f.mu.Unlock()
	f.walk.branches = progress
	if err := f.walk.Save(ctx); err != nil {
		return err
	}
	f.saved = changes
	return nil
}

// child is the walk of a branch that has not begun.
func (w *Walk) child(step flow.Step, i int, entry queue.Entry) *Walk {
	b := &Walk{Entry: entry, Tenant: w.Tenant, Message: w.Message, Release: w.Release, Flow: w.Flow, Began: w.Began, Replay: w.Replay, late: w.late, deps: w.deps, opts: w.opts}
	b.Overlay = w.Overlay.Branch()
	b.Cursor, b.Got = step.Branches[i], flow.Got{What: flow.GotStart}
	b.path = fmt.Sprintf("%s/%d.%d", w.path, step.Cursor.Steps, i)
	b.label = step.Names[i]
	if w.label != "" {
		b.label = w.label + "/" + b.label
	}
	if w.Replay != nil {
		b.Trail = slices.Clip(w.Trail) // a replay knows a step by its place in the whole
	}
	return b
}
