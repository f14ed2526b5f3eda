package dev

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"greentic.dev/devkit/watch"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/operate"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

// Options is what a loop works with. System, Folder, Log and Now are required.
type Options struct {
	System *system.System
	Folder string // the one with pack.yaml
	Log    *slog.Logger
	Now    func() time.Time
	Tell   func(Event) // hears of every event, one at a time; nil: nobody does

	// Build builds the component whose project lies in a folder; nil: sources are not built. Its
	// error says where the source is wrong.
	Build func(ctx context.Context, project string) error
}

// Loop serves a folder. It is safe for concurrent use.
type Loop struct {
	options Options
	folder  *watch.Folder
	hub     hub

	components map[string]Problem // projects that do not build, by folder
	turns      pending[Turn]
	quit       chan struct{}
	once       sync.Once
}

// Open looks at the folder and serves what is in it. An error in the folder is no error: it is told,
// and the loop waits for it to be mended. Errors are those of watch.Open.
func Open(ctx context.Context, o Options) (*Loop, error) {
	if o.Tell == nil {
		o.Tell = func(Event) {}
	}
	folder, err := watch.Open(ctx, o.Folder)
	if err != nil {
		return nil, err
	}
	l := &Loop{options: o, folder: folder, components: map[string]Problem{}, turns: newPending[Turn](), quit: make(chan struct{})}
	l.hub.tell = o.Tell
	l.load(ctx, nil)
	return l, nil
}

// Ended is for system.Options.Ended.
func (l *Loop) Ended(_ greentic.TenantCtx, key string, r runner.TurnResult) {
	t := Turn{Session: key, Turn: r.Turn, Status: r.Status, Flow: r.Flow, Release: r.Release, Steps: r.Steps, DurationMS: float64(r.Duration.Microseconds()) / 1000}
	if r.Err != nil {
		t.Error = r.Err.Error()
	}
	l.turns.add(t)
}

// State is how the folder stands, as it was last told.
func (l *Loop) State() State { return l.hub.last() }

// Run keeps what is served up to the folder until ctx ends, which is no error. The components of the
// folder are built first, for their sources may have changed while nobody looked.
func (l *Loop) Run(ctx context.Context) error {
	var working sync.WaitGroup
	working.Go(func() { l.tellTurns(ctx) })
	defer working.Wait()
	defer l.close()
	if names := l.sources(); len(names) > 0 {
		l.load(ctx, names)
	}
	for {
		names, err := l.folder.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		l.load(ctx, names)
	}
}

// close ends the streams.
func (l *Loop) close() { l.once.Do(func() { close(l.quit) }) }

// load makes what is in the folder what is served, if it is sound. changed is what was saved.
func (l *Loop) load(ctx context.Context, changed []string) {
	began := l.options.Now()
	before := l.hub.last()
	now := State{Phase: Building, Pack: before.Pack, Version: before.Version, Release: before.Release, Changed: changed, Problems: before.Problems}
	l.say(now)
	now.Problems = []Problem{}
	now.Rebuilt = l.rebuild(ctx, changed)
	for _, p := range l.components {
		now.Problems = append(now.Problems, p)
	}
	if !failing(now.Problems) {
		now.Problems = append(now.Problems, l.check(ctx)...)
	}
	if !failing(now.Problems) {
		if _, err := l.options.System.Load(ctx, l.options.Folder); err != nil {
			now.Problems = append(now.Problems, l.problem(err))
		}
	}
	if ctx.Err() != nil {
		return // what was found says nothing
	}
	now.Phase = Ready
	if failing(now.Problems) {
		now.Phase = Broken
	}
	now.Fixed = before.Phase == Broken && now.Phase == Ready
	for _, v := range l.options.System.Served() {
		now.Pack, now.Version, now.Release = v.Pack, v.Version, v.Digest
	}
	now.TookMS = l.options.Now().Sub(began).Milliseconds()
	l.say(now)
	if now.Release != before.Release && before.Release != "" {
		l.follow(ctx)
	}
}

// follow takes open conversations to what is served and says what became of them.
func (l *Loop) follow(ctx context.Context) {
	all, err := l.options.System.Follow(ctx)
	for _, f := range all {
		if f.Became != operate.Busy { // its turn will end, and then it is tried again
			l.hub.publish(Event{Kind: KindFollow, At: l.options.Now(), Follow: &f})
		}
	}
	if err != nil && ctx.Err() == nil {
		l.options.Log.Error("open conversations stay where they are", "error", fault.Wrap("dev", err))
	}
}

// say tells a state.
func (l *Loop) say(s State) {
	l.hub.publish(Event{Kind: KindState, At: l.options.Now(), State: &s})
}

// tellTurns tells of turns, and takes along conversations that were in one when a version came.
func (l *Loop) tellTurns(ctx context.Context) {
	for {
		turns, ok := l.turns.take(ctx)
		if !ok {
			return
		}
		behind := false
		for _, t := range turns {
			l.hub.publish(Event{Kind: KindTurn, At: l.options.Now(), Turn: &t})
			behind = behind || t.Status == greentic.TurnWaiting && t.Release != l.hub.last().Release
		}
		if behind {
			l.follow(ctx)
		}
	}
}
