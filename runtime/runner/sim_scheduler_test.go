package runner_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// sim runs goroutines one at a time: each goes from one park to the next, and a seeded source
// chooses who goes on. Time is a bubble's and passes only while nobody can go on, so a seed
// decides everything that happens.
type sim struct {
	rng   *rand.Rand
	live  sync.WaitGroup // goroutines that have not ended
	alone chan struct{}  // somebody parked while the scheduler slept

	mu     sync.Mutex
	count  int
	parked []*parked
	alarms []*alarm
	log    []string
	quiet  bool // nothing is noted
}

// parked is a goroutine that waits for its turn.
type parked struct {
	p     *process // nil: it belongs to the world outside
	what  string
	n     int
	until time.Time
	on    chan struct{}
}

// alarm is a function that runs at a time.
type alarm struct {
	p  *process
	n  int
	at time.Time
	do func()
}

func newSim(seed uint64) *sim {
	return &sim{rng: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)), alone: make(chan struct{}, 1)}
}

func (s *sim) chance(percent int) bool { return percent > 0 && s.rng.IntN(100) < percent }

// between is a time from a to b.
func (s *sim) between(a, b time.Duration) time.Duration {
	return a + time.Duration(s.rng.Int64N(int64(b-a)+1))
}

// park gives the turn away, for d at least.
func (s *sim) park(p *process, what string, d time.Duration) { <-s.queue(p, what, d).on }

// queue puts a goroutine among those that wait.
func (s *sim) queue(p *process, what string, d time.Duration) *parked {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	one := &parked{p, what, s.count, time.Now().Add(d), make(chan struct{})}
	s.parked = append(s.parked, one)
	select {
	case s.alone <- struct{}{}:
	default:
	}
	return one
}

// spawn begins a goroutine, which waits for its turn.
func (s *sim) spawn(p *process, what string, f func()) {
	one := s.queue(p, what, 0) // here, so that those of one goroutine have an order
	s.live.Add(1)
	go func() {
		defer s.live.Done()
		<-one.on
		f()
	}()
}

// after runs f in d.
func (s *sim) after(p *process, d time.Duration, f func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	one := &alarm{p, s.count, time.Now().Add(d), f}
	s.alarms = append(s.alarms, one)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.alarms = slices.DeleteFunc(s.alarms, func(a *alarm) bool { return a == one })
	}
}

func (s *sim) note(p *process, format string, args ...any) {
	if s.quiet {
		return
	}
	name := "world"
	if p != nil {
		name = p.name
	}
	s.log = append(s.log, fmt.Sprintf("%8.3f %-5s %s", time.Since(epoch).Seconds(), name, fmt.Sprintf(format, args...)))
}

// epoch is when time begins in a bubble.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// step lets one goroutine go on, or time pass, and returns when nobody runs any more.
func (s *sim) step() {
	defer synctest.Wait()
	synctest.Wait()
	now := time.Now()
	ready, rings, next := s.choices(now)
	if len(ready)+len(rings) == 0 {
		select {
		case <-s.alone:
		default:
		}
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-timer.C:
		case <-s.alone: // a context has ended, say
			timer.Stop()
		}
		return
	}
	// Who parked at the same moment has no order of its own: names come first.
	slices.SortFunc(ready, func(a, b *parked) int {
		return cmp.Or(cmp.Compare(a.p.id(), b.p.id()), cmp.Compare(a.what, b.what), cmp.Compare(a.n, b.n))
	})
	i := s.rng.IntN(len(ready) + len(rings))
	if i < len(ready) {
		one := ready[i]
		s.mu.Lock()
		s.parked = slices.DeleteFunc(s.parked, func(x *parked) bool { return x == one })
		s.mu.Unlock()
		s.note(one.p, "%s", one.what)
		close(one.on)
		return
	}
	a := rings[i-len(ready)]
	s.mu.Lock()
	s.alarms = slices.DeleteFunc(s.alarms, func(x *alarm) bool { return x == a })
	s.mu.Unlock()
	if a.p.gone() {
		return
	}
	s.live.Add(1)
	go func() {
		defer s.live.Done()
		a.do()
	}()
}

// choices are who may go on and what may ring now, and when there will be more.
func (s *sim) choices(now time.Time) (ready []*parked, rings []*alarm, next time.Time) {
	s.mu.Lock() // somebody whom a context woke may have parked beside the scheduler
	defer s.mu.Unlock()
	next = now.Add(time.Minute)
	for _, one := range s.parked {
		if at := one.p.awake(one.until); at.After(now) {
			next = earlier(next, at)
		} else {
			ready = append(ready, one)
		}
	}
	for _, a := range s.alarms {
		if at := a.p.awake(a.at); at.After(now) {
			next = earlier(next, at)
		} else {
			rings = append(rings, a)
		}
	}
	return ready, rings, next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// finish lets everything that still runs come to its end.
func (s *sim) finish() error {
	ended := make(chan struct{})
	go func() {
		s.live.Wait()
		close(ended)
	}()
	for range 20_000 {
		synctest.Wait()
		select {
		case <-ended:
			return nil
		default:
			s.step()
		}
	}
	var list []string
	for _, one := range s.parked {
		list = append(list, one.what)
	}
	return fmt.Errorf("goroutines do not end; parked: %q", list)
}
