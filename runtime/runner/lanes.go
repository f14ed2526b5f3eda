package runner

import (
	"context"
	"sync"

	"greentic.dev/backing/queue"
)

// lanes runs work for many keys at the same time and for each key one piece after the other.
// A lane that is woken while it works, works again afterwards, so that no wake is lost.
type lanes struct {
	work  func(ctx context.Context, l queue.Lane)
	slots chan struct{}

	mu      sync.Mutex
	started bool
	closed  bool
	again   map[queue.Lane]bool // lanes at work; true: woken since
	early   []queue.Lane        // woken before start
	running sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

func newLanes(workers int, work func(context.Context, queue.Lane)) *lanes {
	l := &lanes{work: work, slots: make(chan struct{}, workers), again: map[queue.Lane]bool{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *lanes) start() {
	l.mu.Lock()
	l.started = true
	early := l.early
	l.early = nil
	l.mu.Unlock()
	for _, lane := range early {
		l.wake(lane)
	}
}

// wake makes sure that the lane works from now on at least once.
func (l *lanes) wake(lane queue.Lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch _, busy := l.again[lane]; {
	case l.closed:
	case !l.started:
		l.early = append(l.early, lane)
	case busy:
		l.again[lane] = true
	default:
		l.again[lane] = false
		l.running.Go(func() { l.run(lane) })
	}
}

func (l *lanes) run(lane queue.Lane) {
	for {
		select {
		case l.slots <- struct{}{}:
			l.work(l.ctx, lane)
			<-l.slots
		case <-l.ctx.Done():
		}
		l.mu.Lock()
		if !l.again[lane] || l.closed {
			delete(l.again, lane)
			l.mu.Unlock()
			return
		}
		l.again[lane] = false
		l.mu.Unlock()
	}
}

// stopping says whether work should end at its next safe place.
func (l *lanes) stopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// stop lets running work come to a safe place and waits; when ctx ends it is interrupted.
func (l *lanes) stop(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
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
