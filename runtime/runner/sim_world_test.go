package runner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
)

// simFlow answers with what was said before, so that a lost, doubled or reordered turn shows; a
// new conversation says so, which shows a lost session. Its wait ends by itself.
const simFlow = `
start: begin
nodes:
  begin:
    state.get: { key: last }
    routing: [{ to: greet }]
  greet:
    emit.response: { text: "new {{response.text}} after {{node.begin.value}}" }
    routing: [{ to: what }]
  more:
    state.get: { key: last }
    routing: [{ to: say }]
  say:
    emit.response: { text: "{{response.text}} after {{node.more.value}}" }
    routing: [{ to: what }]
  what:
    state.set: { key: last, value: "{{response.text}}" }
    routing:
      - { condition: 'response.text.startsWith("bye")', out: true }
      - { condition: 'response.text.startsWith("retry")', to: call }
      - { condition: 'response.text.startsWith("event")', to: publish }
      - { condition: 'response.text.startsWith("act")', to: act }
      - { to: pause }
  call:
    component.exec: { component: test.missing, operation: x, input: {} }
    retry: { attempts: 3, backoff: "1200ms", multiplier: 1, on: [any] }
    routing:
      - { status: error, to: sorry }
      - { to: pause }
  sorry:
    emit.response: { text: "no {{response.text}}" }
    routing: [{ to: pause }]
  act:
    component.exec: { component: test.asker, operation: "http://outside.test/{{entry.session.key}}/{{response.text}}", input: jp }
    routing: [{ to: did }]
  did:
    emit.response: { text: "did {{response.text}}" }
    routing: [{ to: pause }]
  publish:
    emit.event: { topic: said, type: said, payload: { text: "{{response.text}}" } }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next, timeout: "8s", on_timeout: late }
    routing: [{ to: more }]
  late:
    state.get: { key: last }
    routing: [{ to: close }]
  close:
    emit.response: { text: "timeout after {{node.late.value}}" }
    routing: [{ to: forget }]
  forget:
    state.set: { key: last, value: timeout }
    routing: out
`

const (
	simWait  = 8 * time.Second
	simTTL   = 4 * time.Second
	simMixed = 14 * time.Second // how long things go wrong
	simEnd   = 2 * time.Minute  // when all must be quiet
)

// world is everything of one simulation: one store, the sink, the processes that come and go.
type world struct {
	sim      *sim
	db       kv.DB
	sink     *sink
	sky      weather
	mutant   mutant
	releases *release.Set
	outside  *outside
	jumps    bool
	turns    bool // clients wait in Turn, too; which of several ends of a wait they see is Go's choice, not the seed's
	peaceful bool // nothing goes wrong
	dieAt    int  // the write at which the only process ends, or the write fails; 0: none
	how      death
	writes   int
	again    int // calls to the outside that were made once more, with the same key

	procs    []*process
	names    int
	strikes  int // troubles left that come in the middle of something
	messages []*message
	waiting  int // clients that have no receipt yet
	epochs   map[string]uint64
	told     map[string][]string // what Turn returned, by turn
	faults   []error
	looked   time.Time // whether all is settled
	over     bool      // clients go home
}

func (w *world) report(err error) {
	w.sim.note(nil, "WRONG: %v", err)
	w.faults = append(w.faults, err)
}

// process is one process that serves the store.
type process struct {
	w      *world
	name   string
	number int
	dead   bool
	leaves bool
	paused time.Time
	cut    time.Time // the store is away until then
	skew   time.Duration
	ids    int
	run    *runner.Runner
	begun  chan struct{} // closed when Start has returned for good
}

func (p *process) id() int {
	if p == nil {
		return 0
	}
	return p.number
}

func (p *process) gone() bool { return p != nil && p.dead }

// awake is when something of the process that is due at a time can happen.
func (p *process) awake(at time.Time) time.Time {
	if p != nil && !p.dead && p.paused.After(at) {
		return p.paused
	}
	return at
}

// A process is its runner's scheduler.

func (p *process) Now() time.Time { return time.Now().Add(p.skew) }
func (p *process) Go(f func())    { p.w.sim.spawn(p, "go", f) }
func (p *process) After(d time.Duration, f func()) func() {
	return p.w.sim.after(p, d, f)
}

func (p *process) newID() string {
	p.ids++
	return fmt.Sprintf("%s-%d", p.name, p.ids)
}

// join starts one more process.
func (w *world) join() {
	w.names++
	p := &process{w: w, name: fmt.Sprint("p", w.names), number: w.names, begun: make(chan struct{})}
	db := simStore{w.db, p}
	deliver := connector{p}
	p.run = runner.New(runner.Deps{
		DB: db, Releases: w.releases, Deliver: map[string]runner.Deliverer{"test": deliver, runner.BusRoute: deliver},
		Log: slog.New(slog.DiscardHandler), Now: p.Now, NewID: p.newID, Scheduler: p,
		Shards: shard.New(db, shard.Options{Name: p.name, TTL: simTTL, Now: p.Now, NewID: p.newID}),
	}, runner.Options{Workers: 4, Backoff: 50 * time.Millisecond, Poll: time.Second, SendTime: 3 * time.Second, TurnTime: time.Hour,
		Jitter: func(d time.Duration) time.Duration { return w.sim.between(0, d) }})
	w.procs = append(w.procs, p)
	w.sim.spawn(p, "start", func() {
		defer close(p.begun)
		for !p.dead {
			if err := p.run.Start(context.Background()); err == nil {
				return
			}
			w.sim.park(p, "start again", time.Second)
		}
	})
}

// crash ends a process: from now on nothing it does reaches anything.
func (w *world) crash(p *process) {
	w.sim.note(p, "CRASH")
	p.dead = true
	w.procs = slices.DeleteFunc(w.procs, func(o *process) bool { return o == p })
	w.sim.mu.Lock()
	w.sim.alarms = slices.DeleteFunc(w.sim.alarms, func(a *alarm) bool { return a.p == p })
	w.sim.mu.Unlock()
	w.sim.spawn(p, "reap", func() {
		<-p.begun
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.run.Drain(now)
	})
}

// leave lets a process go in peace.
func (w *world) leave(p *process) {
	w.sim.note(p, "LEAVE")
	p.leaves = true
	w.sim.spawn(p, "leave", func() {
		<-p.begun
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = p.run.Drain(ctx)
		w.sim.park(p, "left", 0)
		p.dead = true
		w.procs = slices.DeleteFunc(w.procs, func(o *process) bool { return o == p })
	})
}

// trouble makes one thing go wrong with a process.
func (w *world) trouble() {
	s := w.sim
	var up []*process
	for _, p := range w.procs {
		if !p.leaves {
			up = append(up, p)
		}
	}
	if len(up) == 0 {
		return
	}
	p := up[s.rng.IntN(len(up))]
	switch kind := s.rng.IntN(7); {
	case kind <= 1:
		w.crash(p)
		s.after(nil, s.between(50*time.Millisecond, 3*time.Second), w.join)
	case kind == 2:
		w.pause(p, s.between(simTTL/4, 2*simTTL))
	case kind == 3:
		s.note(p, "CUT")
		p.cut = time.Now().Add(s.between(simTTL/8, 3*simTTL/2))
	case kind == 4:
		w.leave(p)
		s.after(nil, s.between(0, 2*time.Second), w.join)
	case kind == 5 && len(w.procs) < 3:
		w.join()
	case w.jumps:
		p.skew += s.between(-10*time.Second, 10*time.Second)
		s.note(p, "JUMP to %v", p.skew)
	}
}

// pause lets a process stand still.
func (w *world) pause(p *process, d time.Duration) {
	p.paused = time.Now().Add(d)
	if w.sim.chance(50) { // a machine that slept does not know it: its clock stood still
		p.skew -= d
	}
	w.sim.note(p, "PAUSE for %v, clock off by %v", d, p.skew)
}

// struck is a moment in which a process may stand still or end, in the middle of what it does.
func (w *world) struck(p *process, what string) {
	s := w.sim
	often := 15
	if !strings.HasPrefix(what, "update") && !strings.HasPrefix(what, "deliver") {
		often = 400 // there are many, and most only look
	}
	if w.strikes == 0 || p.dead || p.leaves || s.rng.IntN(often) > 0 || time.Since(epoch) > simMixed {
		return
	}
	w.strikes--
	if s.chance(40) {
		w.crash(p)
		s.after(nil, s.between(50*time.Millisecond, 3*time.Second), w.join)
		return
	}
	w.pause(p, s.between(simTTL, 5*simTTL/2)) // others take its shards meanwhile
	s.park(p, what+" paused", 0)
}

// heal ends everything that goes wrong.
func (w *world) heal() {
	w.sim.note(nil, "HEAL")
	w.sky = weather{}
	for _, p := range w.procs {
		p.skew, p.paused, p.cut = 0, time.Time{}, time.Time{}
	}
	if !slices.ContainsFunc(w.procs, func(p *process) bool { return !p.leaves }) {
		w.join()
	}
}

// newWorld makes a world in which nothing happens yet.
func newWorld(s *sim, db kv.DB, served simServed) *world {
	w := &world{sim: s, db: db, sink: newSink(), releases: served.releases, outside: served.outside, epochs: map[string]uint64{}, told: map[string][]string{}}
	w.outside.world, w.outside.keys, w.outside.saved = w, map[string][]string{}, map[string]bool{}
	return w
}

// simulate runs the world of a seed to its end and says what was wrong. It must run in a bubble.
func simulate(s *sim, seed uint64, served simServed, m mutant) (w *world, err error) {
	w = newWorld(s, memory.New(time.Now), served)
	w.mutant = m
	w.plan(seed)
	return w, w.live()
}

// maxMoment is how much can happen without time going on, maxLife how much in all; more is
// somebody who runs in a circle.
const maxMoment, maxLife = 5000, 40_000

// live lets what was planned happen, ends it and checks what is left.
func (w *world) live() error {
	healed, moment, steps, all := false, time.Now(), 0, 0
	for !healed || !w.settled() {
		w.sim.step()
		all++
		if steps++; !time.Now().Equal(moment) {
			moment, steps = time.Now(), 0
		}
		if !healed && time.Since(epoch) > simMixed {
			healed = true
			w.heal()
		}
		if steps > maxMoment || all > maxLife {
			w.report(errors.New("somebody runs in a circle"))
		}
		if time.Since(epoch) > simEnd || len(w.faults) > 0 {
			break
		}
	}
	synctest.Wait()
	w.over = true
	for _, p := range slices.Clone(w.procs) {
		w.crash(p)
	}
	w.sky = weather{}
	w.sim.alarms = nil
	if err := w.sim.finish(); err != nil {
		w.report(err)
	}
	if len(w.faults) == 0 {
		w.check()
	}
	return errors.Join(w.faults...)
}

// plan draws what the seed is about: weather, processes, troubles, messages.
func (w *world) plan(seed uint64) {
	s := w.sim
	switch seed % 4 {
	case 0: // calm, but for crashes and pauses
		w.peaceful = seed%16 == 0
	case 1:
		w.sky = weather{away: 1, unknown: 1, conflict: 1, twice: 2, slow: 1, fail: 5, unsure: 2, later: 2, hang: 1}
	default:
		w.sky = weather{away: s.rng.IntN(6), unknown: s.rng.IntN(6), conflict: s.rng.IntN(4), twice: s.rng.IntN(10), slow: s.rng.IntN(4),
			fail: s.rng.IntN(30), unsure: s.rng.IntN(15), later: s.rng.IntN(10), hang: s.rng.IntN(4)}
	}
	w.jumps = s.chance(25)
	w.turns = seed%4 == 3
	for range 1 + s.rng.IntN(3) {
		w.join()
	}
	troubles := s.rng.IntN(5)
	w.strikes = s.rng.IntN(5)
	if w.peaceful {
		w.jumps, w.strikes, troubles = false, 0, 0
	}
	for range troubles {
		s.after(nil, s.between(0, simMixed), w.trouble)
	}
	for c := range 2 + s.rng.IntN(3) {
		tenant := greentic.DefaultTenant()
		tenant.Tenant, tenant.Locale = greentic.TenantID([]string{"acme", "bolt"}[c%2]), "en"
		start := s.between(0, 4*time.Second)
		for i := range 2 + s.rng.IntN(5) {
			start += s.between(0, 1500*time.Millisecond)
			if s.chance(8) {
				start += simWait + s.between(-time.Second, time.Second) // about when the wait ends
			}
			w.say(tenant, fmt.Sprint("k", c), i, start)
		}
	}
}

// settled says whether nothing is left to do.
func (w *world) settled() bool {
	now := time.Now()
	if w.waiting > 0 || now.Before(w.looked.Add(time.Second/2)) {
		return false
	}
	w.looked = now
	return len(w.left()) == 0
}

// left lists what the store keeps of work.
func (w *world) left() (list []string) {
	note := func(prefixes ...string) func(string, []byte) bool {
		return func(key string, _ []byte) bool {
			for _, p := range prefixes {
				if strings.HasPrefix(key, p) {
					list = append(list, key)
				}
			}
			return true
		}
	}
	ctx := context.Background()
	_ = w.db.System(ctx, func(x kv.Txn) error {
		return x.Scan("", "", 0, note("work/", "due/", "pin/"))
	})
	for _, tenant := range []greentic.TenantID{"acme", "bolt"} {
		t := greentic.DefaultTenant()
		t.Tenant = tenant
		_ = w.db.View(ctx, t, func(x kv.Reader) error { return x.Scan("", "", 0, note("inbox/", "outbox/", "session/")) })
	}
	return list
}
