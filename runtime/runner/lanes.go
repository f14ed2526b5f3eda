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
// a pausing one holds nobody up.
type lanes struct {
	work  func(ctx context.Context, l queue.Lane, failed int) pace // failed: pauses of this piece so far
	slots chan struct{}
	quit  chan struct{} // closed when stop begins

	mu      sync.Mutex
	started bool
	closed  bool
	busy    map[queue.Lane]*int // pieces announced, by lane that has a goroutine
	early   map[queue.Lane]int  // announced before start
	running sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

func newLanes(workers int, work func(context.Context, queue.Lane, int) pace) *lanes {
	l := &lanes{work: work, slots: make(chan struct{}, workers), quit: make(chan struct{}), busy: map[queue.Lane]*int{}, early: map[queue.Lane]int{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *lanes) start() {
	l.mu.Lock()
	early := l.early
	l.started, l.early = true, nil
	l.mu.Unlock()
	for lane, n := range early {
		l.wake(lane, n)
	}
}

// wake announces n pieces of work for a lane: it will work that often, and more when a piece
// asks for it.
func (l *lanes) wake(lane queue.Lane, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch announced, ok := l.busy[lane]; {
	case l.closed || n == 0:
	case !l.started:
		l.early[lane] += n
	case ok:
		*announced += n
	default:
		l.busy[lane] = &n
		l.running.Go(func() { l.run(lane) })
	}
}

func (l *lanes) run(lane queue.Lane) {
	for l.take(lane) {
		failed := 0
		for p := (pace{more: true}); p.more; {
			if p = l.once(lane, failed); p.pause > 0 {
				failed++
				l.sleep(p.pause)
			}
		}
	}
}

// take uses up one announced piece; without one, or when work stops, the lane ends.
func (l *lanes) take(lane queue.Lane) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	announced := l.busy[lane]
	if *announced == 0 || l.closed {
		delete(l.busy, lane)
		return false
	}
	*announced--
	return true
}

// once does one piece of work while it holds a slot; nothing when work stops.
func (l *lanes) once(lane queue.Lane, failed int) pace {
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
		return l.work(l.ctx, lane, failed)
	}
}

func (l *lanes) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.quit:
	}
}

// stop lets running pieces finish and waits; when ctx ends they are interrupted.
func (l *lanes) stop(ctx context.Context) error {
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
