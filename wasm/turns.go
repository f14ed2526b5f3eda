package wasm

import (
	"context"
	"sync"

	"greentic.dev/greentic/fault"
)

// turns bounds how many invocations of one owner run at once. Those that wait are served in the
// order in which they came. It is safe for concurrent use and remembers only owners that run
// something.
type turns struct {
	most   int
	mu     sync.Mutex
	owners map[string]*queue
}

// queue is the invocations of one owner.
type queue struct {
	running int
	waiting []chan struct{} // closed when its turn has come
}

func newTurns(most int) *turns { return &turns{most: most, owners: map[string]*queue{}} }

// take waits for a turn of owner, which give must return. It is Exhausted when ctx ends first.
func (t *turns) take(ctx context.Context, owner string) error {
	t.mu.Lock()
	q := t.owners[owner]
	if q == nil {
		q = &queue{}
		t.owners[owner] = q
	}
	if q.running < t.most {
		q.running++
		t.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	q.waiting = append(q.waiting, turn)
	t.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, c := range q.waiting {
		if c == turn {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return fault.Newf(fault.Exhausted, "", "%d invocations of this owner run already", t.most)
		}
	}
	t.pass(owner, q) // the turn came at the same moment
	return fault.Wrap("", ctx.Err())
}

// give ends a turn.
func (t *turns) give(owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass(owner, t.owners[owner])
}

func (t *turns) pass(owner string, q *queue) {
	if len(q.waiting) > 0 {
		close(q.waiting[0])
		q.waiting = q.waiting[1:]
		return
	}
	if q.running--; q.running == 0 {
		delete(t.owners, owner)
	}
}
