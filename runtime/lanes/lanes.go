package lanes

import (
	"context"
	"slices"
	"sync"
	"time"

	"greentic.dev/backing/queue"
)

// scheduler is where work runs and what waits for it.
type scheduler interface {
	Go(f func())
	After(d time.Duration, f func()) (stop func())
}

// Pace is what a piece of work says about the next one of its lane.
type Pace[H any] struct {
	More  bool          // look again: there may be work that nobody announced
	Pause time.Duration // but not before this has passed
	Hint  *H            // and this is known about it
}

// Task is one attempt at a piece of work. H is what whoever wakes an idle lane knows about it.
type Task[K comparable, H any] struct {
	Key    K
	Hint   *H  // nil: read the store
	Failed int // pauses of this piece so far
}

// Pool runs work for many keys at the same time and for each key one piece after the other.
// Tenants take turns, and none has more than its cap of slots; a lane gives its slot away after
// each piece and while it pauses. Nothing waits in a goroutine.
type Pool[K comparable, H any] struct {
	work    func(ctx context.Context, t Task[K, H]) Pace[H]
	laneOf  func(K) queue.Lane
	sched   scheduler
	workers int // pieces at the same time
	cap     int // of one tenant

	mu      sync.Mutex
	started bool
	closed  bool
	known   map[K]*lane[K, H]
	shares  map[owner]*share[K, H]
	ring    []*share[K, H] // shares that have a piece to run and a slot of their own left
	running int
	idle    chan struct{} // closed when the last piece has ended after stop
	ctx     context.Context
	cancel  context.CancelFunc
}

// owner is whom fairness counts.
type owner struct{ env, tenant string }

// share is the part of one tenant.
type share[K comparable, H any] struct {
	owner   owner
	waiting []*lane[K, H]
	lanes   int // known ones
	running int
	listed  bool // in the ring
}

// lane is a key that has work. It is waiting in its share, running, or pausing.
type lane[K comparable, H any] struct {
	key    K
	share  *share[K, H]
	pieces int // announced and not yet begun
	hint   *H
	failed int
	runs   bool
	stop   func() // ends the pause; nil when it does not pause
}

// New makes a pool of workers, of which one tenant has at most limit; laneOf says whose a key is and
// in which shard. Start begins.
func New[K comparable, H any](sched scheduler, workers, limit int, laneOf func(K) queue.Lane, work func(context.Context, Task[K, H]) Pace[H]) *Pool[K, H] {
	l := &Pool[K, H]{work: work, laneOf: laneOf, sched: sched, workers: workers, cap: limit,
		known: map[K]*lane[K, H]{}, shares: map[owner]*share[K, H]{}, idle: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Start begins with what was announced before.
func (l *Pool[K, H]) Start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started = true
	l.dispatch()
}

// Wake announces n pieces of work for a key: it will work that often, and more when a piece asks
// for it. The hint reaches the first piece if the key is idle, and nobody if it is not.
func (l *Pool[K, H]) Wake(key K, n int, hint *H) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if known, ok := l.known[key]; ok {
		known.pieces += n
		return
	}
	at := l.laneOf(key)
	who := owner{string(at.Env), string(at.Tenant)}
	s := l.shares[who]
	if s == nil {
		s = &share[K, H]{owner: who}
		l.shares[who] = s
	}
	one := &lane[K, H]{key: key, share: s, pieces: n}
	if l.started { // before that, older work may lie in the store
		one.hint = hint
	}
	l.known[key] = one
	s.lanes++
	l.enqueue(one)
	l.dispatch()
}

// WakeIdle announces a piece to a key that has nothing to do.
func (l *Pool[K, H]) WakeIdle(key K) {
	l.mu.Lock()
	_, busy := l.known[key]
	l.mu.Unlock()
	if !busy {
		l.Wake(key, 1, nil)
	}
}

func (l *Pool[K, H]) enqueue(one *lane[K, H]) {
	one.share.waiting = append(one.share.waiting, one)
	l.list(one.share)
}

// list puts a share into the ring if it could run something.
func (l *Pool[K, H]) list(s *share[K, H]) {
	if !s.listed && len(s.waiting) > 0 && s.running < l.cap {
		s.listed = true
		l.ring = append(l.ring, s)
	}
}

// dispatch gives free slots to the tenants in turn.
func (l *Pool[K, H]) dispatch() {
	for l.started && !l.closed && l.running < l.workers && len(l.ring) > 0 {
		s := l.ring[0]
		l.ring = l.ring[1:]
		one := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.listed = false
		s.running++
		l.running++
		l.list(s)
		t := Task[K, H]{Key: one.key, Hint: one.hint, Failed: one.failed}
		one.pieces--
		one.hint, one.runs = nil, true
		l.sched.Go(func() { l.settle(one, l.work(l.ctx, t)) })
	}
}

// settle puts a lane where the outcome of its piece sends it.
func (l *Pool[K, H]) settle(one *lane[K, H], p Pace[H]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	one.share.running--
	one.runs = false
	switch {
	case l.closed, l.known[one.key] != one: // stopped, or forgotten meanwhile
	case p.More && p.Pause > 0:
		one.pieces, one.hint, one.failed = one.pieces+1, p.Hint, one.failed+1
		one.stop = l.sched.After(p.Pause, func() { l.resume(one) })
	case p.More:
		one.pieces, one.hint = one.pieces+1, p.Hint
		l.enqueue(one)
	case one.pieces > 0:
		one.failed = 0
		l.enqueue(one)
	default:
		l.drop(one)
	}
	l.list(one.share)
	l.dispatch()
	if l.closed && l.running == 0 {
		close(l.idle)
	}
}

// drop forgets a lane, and its tenant with the last one.
func (l *Pool[K, H]) drop(one *lane[K, H]) {
	delete(l.known, one.key)
	if one.share.lanes--; one.share.lanes == 0 && one.share.running == 0 {
		delete(l.shares, one.share.owner)
	}
}

func (l *Pool[K, H]) resume(one *lane[K, H]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.stop = nil; l.closed || l.known[one.key] != one {
		return
	}
	l.enqueue(one)
	l.dispatch()
}

// Forget drops what is announced for the keys of shards that are somebody else's now; pieces
// that run are not waited for.
func (l *Pool[K, H]) Forget(gone func(shard int) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, one := range l.known {
		if gone(l.laneOf(key).Shard()) {
			l.remove(one)
		}
	}
}

// Park drops what is announced for the keys of shards that are to go, and adds the shards in
// which a piece still runs to busy.
func (l *Pool[K, H]) Park(goes func(shard int) bool, busy map[int]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, one := range l.known {
		switch s := l.laneOf(key).Shard(); {
		case !goes(s):
		case one.runs:
			one.pieces, busy[s] = 0, true
		default:
			l.remove(one)
		}
	}
}

// remove takes a lane out, wherever it is.
func (l *Pool[K, H]) remove(one *lane[K, H]) {
	l.drop(one)
	if one.stop != nil {
		one.stop()
	}
	s := one.share
	s.waiting = slices.DeleteFunc(s.waiting, func(w *lane[K, H]) bool { return w == one })
	if s.listed && len(s.waiting) == 0 {
		s.listed = false
		l.ring = slices.DeleteFunc(l.ring, func(r *share[K, H]) bool { return r == s })
	}
}

// Stop lets running pieces finish and waits; when ctx ends they are interrupted.
func (l *Pool[K, H]) Stop(ctx context.Context) error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		for _, one := range l.known {
			if one.stop != nil {
				one.stop()
			}
		}
		if l.running == 0 {
			close(l.idle)
		}
	}
	l.mu.Unlock()
	defer func() {
		l.cancel()
		<-l.idle
	}()
	select {
	case <-l.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Load says how many pieces run and how many keys have work.
func (l *Pool[K, H]) Load() (running, known int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running, len(l.known)
}
