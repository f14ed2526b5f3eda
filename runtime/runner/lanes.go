package runner

import (
	"context"
	"sync"
	"time"

	"greentic.dev/backing/queue"
)

// pace is what a piece of work says about the next one of its lane.
type pace struct {
	more  bool          // look again: there may be work that nobody announced
	pause time.Duration // but not before this has passed
}

// lanes runs work for many keys at the same time and for each key one piece after the other.
// Between two pieces a lane gives its slot away, so that a long lane does not starve others and
// a pausing one holds nobody up. H is what whoever wakes an idle lane knows about its work.
type lanes[H any] struct {
	work  func(ctx context.Context, t task[H]) pace
	slots chan struct{}
	quit  chan struct{} // closed when stop begins

	mu      sync.Mutex
	started bool
	closed  bool
	busy    map[queue.Lane]*news[H] // lanes that have a goroutine
	early   map[queue.Lane]int      // announced before start
	running sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

// news is what was announced to a lane and not yet taken up.
type news[H any] struct {
	pieces int
	hint   *H // of the first piece
}

// task is one attempt at a piece of work.
type task[H any] struct {
	lane   queue.Lane
	hint   *H  // nil: read the store
	failed int // pauses of this piece so far
}

func newLanes[H any](workers int, work func(context.Context, task[H]) pace) *lanes[H] {
	l := &lanes[H]{work: work, slots: make(chan struct{}, workers), quit: make(chan struct{}), busy: map[queue.Lane]*news[H]{}, early: map[queue.Lane]int{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// start begins with what was announced before; later announcements come after it.
func (l *lanes[H]) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started = true
	for lane, n := range l.early {
		l.announce(lane, n, nil)
	}
	l.early = nil
}

// wake announces n pieces of work for a lane: it will work that often, and more when a piece
// asks for it. The hint reaches the first piece if the lane is idle, and nobody if it is not.
func (l *lanes[H]) wake(lane queue.Lane, n int, hint *H) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.started {
		l.early[lane] += n
		return
	}
	l.announce(lane, n, hint)
}

func (l *lanes[H]) announce(lane queue.Lane, n int, hint *H) {
	if l.closed {
		return
	}
	if known, ok := l.busy[lane]; ok {
		known.pieces += n
		return
	}
	l.busy[lane] = &news[H]{n, hint}
	l.running.Go(func() { l.run(lane) })
}

func (l *lanes[H]) run(lane queue.Lane) {
	for {
		t := task[H]{lane: lane}
		var ok bool
		if t.hint, ok = l.take(lane); !ok {
			return
		}
		for p := l.once(t); p.more; p = l.once(t) {
			t.hint = nil
			if p.pause > 0 {
				t.failed++
				l.sleep(p.pause)
			}
		}
	}
}

// take uses up one announced piece; without one, or when work stops, the lane ends.
func (l *lanes[H]) take(lane queue.Lane) (hint *H, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	announced := l.busy[lane]
	if announced.pieces == 0 || l.closed {
		delete(l.busy, lane)
		return nil, false
	}
	announced.pieces--
	hint, announced.hint = announced.hint, nil
	return hint, true
}

// once does one piece of work while it holds a slot; nothing when work stops.
func (l *lanes[H]) once(t task[H]) pace {
	select {
	case <-l.quit:
		return pace{}
	case l.slots <- struct{}{}:
	}
	defer func() { <-l.slots }()
	select {
	case <-l.quit:
		return pace{}
	default:
		return l.work(l.ctx, t)
	}
}

func (l *lanes[H]) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.quit:
	}
}

// stop lets running pieces finish and waits; when ctx ends they are interrupted.
func (l *lanes[H]) stop(ctx context.Context) error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.quit)
	}
	l.mu.Unlock()
	done := make(chan struct{})
	go func() {
		l.running.Wait()
		close(done)
	}()
	defer func() {
		l.cancel()
		<-done
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
