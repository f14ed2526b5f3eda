package systemtest_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// answerTime is how long any conversation may take.
const answerTime = 90 * time.Second

// talkers is how many conversations are held at the same time.
const talkers = 24

// storm is one kill test: processes that are killed and started again, conversations with them,
// a sink that records what becomes of it.
type storm struct {
	*testing.T
	seed   uint64
	slots  int           // processes at the same time
	length time.Duration // at least
	kills  int           // at least

	keys, cache, pack string
	data              string   // folder of the only process
	log               *os.File // of all processes
	settings          func(slot int) map[string]string
	sink              *sink
	http              *http.Client

	mu      sync.Mutex
	running []*server // by slot; nil while there is none
	blows   []time.Time
	worst   time.Duration // the longest wait for answers
	slowest string        // who waited so long
	wrong   []error
	talks   []*talk
	calm    chan struct{} // closed when nothing is killed any more

	accepted atomic.Int64
}

// rage kills and talks until both length and kills are reached, then lets every conversation come
// to its end and the processes drain.
func (s *storm) rage() {
	s.sink = newSink(s.T, s.seed, true)
	s.keys, s.cache = s.TempDir(), filepath.Join(s.TempDir(), "cache")
	s.pack = chaosPack(s.T, s.sink.server.URL)
	transport := &http.Transport{DisableKeepAlives: true}
	s.http = &http.Client{Timeout: 10 * time.Second, Transport: transport}
	s.running, s.calm = make([]*server, s.slots), make(chan struct{})
	s.listen()
	var killers, talking sync.WaitGroup
	over := make(chan struct{})
	for slot := range s.slots {
		settings := s.settings(slot)
		s.data = settings["data"]
		killers.Go(func() { s.attack(slot, settings, over) })
	}
	began := time.Now()
	var next atomic.Int64
	for range talkers {
		talking.Go(func() {
			for !s.calmed() {
				t := newTalk(s, int(next.Add(1)))
				s.mu.Lock()
				s.talks = append(s.talks, t)
				s.mu.Unlock()
				s.report(t.hold())
			}
		})
	}
	for time.Since(began) < s.length || s.count() < s.kills {
		if s.failed() || time.Since(began) > 3*s.length+time.Duration(s.kills)*4*time.Second {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	took := time.Since(began)
	close(s.calm)
	talking.Wait()
	close(over)
	killers.Wait()
	s.tell(took)
}

// listen keeps what the processes log, and shows what is no trap of a poisoned message if the
// test fails.
func (s *storm) listen() {
	name := filepath.Join(s.TempDir(), "log")
	var err error
	if s.log, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = s.log.Close()
		text, _ := os.ReadFile(name)
		lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return strings.Contains(line, "guest trapped") })
		if s.Failed() {
			s.Logf("%d lines of log, the last of which are:\n%s", len(lines), strings.Join(lines[max(0, len(lines)-60):], "\n"))
		}
	})
}

// attack keeps a process in a slot, killing it as the seed says, until the storm is calm; then
// the process lives until it is over, and drains.
func (s *storm) attack(slot int, settings map[string]string, over chan struct{}) {
	random := rand.New(rand.NewPCG(s.seed, uint64(slot)<<8|2))
	for life := 0; ; life++ {
		b := newBlow(random, s.slots)
		c := child{Settings: settings, Pack: s.pack, Sink: s.sink.server.URL}
		calm := false
		select {
		case <-s.calm:
			calm = true
		default:
			c.Point, c.N = b.point, b.n
		}
		p, err := launch(c, nil, s.log)
		if err != nil {
			s.report(err)
			return
		}
		if calm || !s.strike(slot, p, b) {
			s.outlive(slot, p, over)
			return
		}
	}
}

// blow is how one process dies: at a point of a turn, or some time after it was ready, or while it
// starts.
type blow struct {
	point string
	n     int64
	start bool
	after time.Duration
}

// newBlow draws one; with more processes each lives longer, as it must see for a lease's time that
// another is silent before it goes on with its work.
func newBlow(random *rand.Rand, slots int) blow {
	points := []string{"accepted", "before_commit", "after_commit", "before_deliver", "after_deliver", "before_checkpoint", "after_checkpoint"}
	b := blow{after: time.Duration(random.IntN(1200*slots*slots)) * time.Millisecond}
	switch way := random.IntN(10); {
	case way < 5:
		b.point, b.n, b.after = points[random.IntN(len(points))], 1+random.Int64N(40*int64(slots)), 2*time.Second*time.Duration(slots)
	case way < 6:
		b.start, b.after = true, b.after/4
	}
	return b
}

// strike lets a process live until it dies of its blow. false: the storm became calm first.
func (s *storm) strike(slot int, p *server, b blow) bool {
	ready := p.ready
	var timer <-chan time.Time
	if b.start {
		timer = time.After(b.after)
	}
	for {
		select {
		case <-ready:
			ready = nil
			s.put(slot, p)
			if !b.start {
				timer = time.After(b.after)
			}
		case <-timer:
			p.kill()
		case <-s.calm:
			if b.point == "" { // a process that is to kill itself cannot be kept
				return false
			}
			p.kill()
		case <-p.gone:
			s.put(slot, nil)
			if !p.killed() {
				s.report(errors.New("a process ended by itself: " + p.cmd.ProcessState.String()))
			}
			s.mu.Lock()
			s.blows = append(s.blows, time.Now())
			s.mu.Unlock()
			return true
		}
	}
}

// outlive keeps a process until the storm is over and lets it drain.
func (s *storm) outlive(slot int, p *server, over chan struct{}) {
	select {
	case <-p.ready:
		s.put(slot, p)
	case <-p.gone:
		s.report(errors.New("the last process ended: " + p.cmd.ProcessState.String()))
		return
	}
	select {
	case <-over:
	case <-p.gone:
	}
	s.put(slot, nil)
	s.report(p.end(30 * time.Second))
}

func (s *storm) put(slot int, p *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[slot] = p
}

// some is the address of one of the processes that run; empty when none does.
func (s *storm) some(address func(*server) string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := rand.IntN(s.slots)
	for i := range s.slots {
		if p := s.running[(start+i)%s.slots]; p != nil {
			return address(p)
		}
	}
	return ""
}

// settle is the pause before a message that was not acknowledged is sent again.
func (s *storm) settle() { time.Sleep(20 * time.Millisecond) }

func (s *storm) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.blows)
}

// waited notes how long a conversation waited for answers.
func (s *storm) waited(t *talk, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d > s.worst {
		s.worst, s.slowest = d, t.lane()
	}
}

func (s *storm) report(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wrong) == 0 {
		close(s.sink.quit)
	}
	if len(s.wrong) == 0 || len(s.wrong) < 20 && errors.Is(err, errWrong) { // what stopped for the first says nothing
		s.wrong = append(s.wrong, err)
	}
}

func (s *storm) calmed() bool {
	select {
	case <-s.calm:
		return true
	default:
		return false
	}
}

func (s *storm) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.wrong) > 0
}

// tell reports what happened.
func (s *storm) tell(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	slices.SortFunc(s.sink.times, time.Time.Compare)
	recovery := time.Duration(0)
	for _, blow := range s.blows {
		i, _ := slices.BinarySearchFunc(s.sink.times, blow, time.Time.Compare)
		if i < len(s.sink.times) {
			recovery = max(recovery, s.sink.times[i].Sub(blow))
		}
	}
	calls, effects := 0, len(s.sink.effects)
	for _, n := range s.sink.effects {
		calls += n
	}
	s.Logf("%d kills, %d conversations, %d acknowledgements, %d replies in %v (%.0f/s); %d replies re-sent with their key (the sink hid %d and refused %d), %d calls to the outside re-sent of %d; longest recovery %v, longest wait for answers %v (%s)",
		len(s.blows), len(s.talks), s.accepted.Load(), len(s.sink.replies), took.Round(time.Millisecond), float64(len(s.sink.replies))/took.Seconds(),
		s.sink.resent, s.sink.dropped, s.sink.refused, calls-effects, effects, recovery.Round(time.Millisecond), s.worst.Round(time.Millisecond), s.slowest)
}
