package lanes_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/runtime/lanes"
)

// stepper runs what is handed to it when the test says so.
type stepper struct {
	jobs   []func()
	timers []func()
}

func (s *stepper) Go(f func()) { s.jobs = append(s.jobs, f) }
func (s *stepper) After(_ time.Duration, f func()) func() {
	s.timers = append(s.timers, f)
	return func() {}
}

// step runs the oldest job; it says whether there was one.
func (s *stepper) step() bool {
	if len(s.jobs) == 0 {
		return false
	}
	job := s.jobs[0]
	s.jobs = s.jobs[1:]
	job()
	return true
}

func lane(name string) queue.Lane {
	tenant, key, _ := strings.Cut(name, "/")
	return queue.Lane{Env: "e", Tenant: greentic.TenantID(tenant), Key: key}
}

// pool works by noting the key; what a key does the first times is scripted.
func pool(workers, limit int, script map[string][]lanes.Pace[string]) (*stepper, *lanes.Pool[string, string], *[]string) {
	s, done := &stepper{}, &[]string{}
	p := lanes.New(s, workers, limit, lane, func(_ context.Context, t lanes.Task[string, string]) (pace lanes.Pace[string]) {
		note := t.Key
		if t.Hint != nil {
			note += "(" + *t.Hint + ")"
		}
		*done = append(*done, note)
		if left := script[t.Key]; len(left) > 0 {
			pace, script[t.Key] = left[0], left[1:]
		}
		return pace
	})
	return s, p, done
}

func expect(t *testing.T, done []string, want string) {
	t.Helper()
	if got := strings.Join(done, " "); got != want {
		t.Fatalf("worked on %q, want %q", got, want)
	}
}

func TestAKeyIsWorkedOnOncePerWakeAndNeverTwiceAtATime(t *testing.T) {
	s, p, done := pool(4, 4, nil)
	p.Start()
	for range 3 {
		p.Wake("a/1", 1, nil)
	}
	p.Wake("a/2", 1, nil)
	if len(s.jobs) != 2 {
		t.Fatalf("%d pieces of two keys run at a time", len(s.jobs))
	}
	for s.step() {
	}
	expect(t, *done, "a/1 a/2 a/1 a/1")
	if running, known := p.Load(); running != 0 || known != 0 {
		t.Errorf("%d run, %d keys are known", running, known)
	}
}

func TestTenantsTakeTurnsAndHaveACap(t *testing.T) {
	s, p, done := pool(3, 2, nil)
	for i := range 4 {
		p.Wake(fmt.Sprintf("busy/%d", i), 1, nil)
	}
	p.Wake("quiet/1", 1, nil)
	if len(s.jobs) != 0 {
		t.Fatal("it works before it is started")
	}
	p.Start()
	if running, known := p.Load(); running != 3 || known != 5 {
		t.Fatalf("%d run of %d keys: the busy tenant may have two, the quiet one has one", running, known)
	}
	for s.step() {
	}
	expect(t, *done, "busy/0 quiet/1 busy/1 busy/2 busy/3")
}

func TestAPauseGivesTheSlotAwayAndKeepsTheHint(t *testing.T) {
	hint := "again"
	s, p, done := pool(1, 1, map[string][]lanes.Pace[string]{"a/1": {{More: true, Pause: time.Hour, Hint: &hint}}})
	p.Start()
	first := "first"
	p.Wake("a/1", 1, &first)
	p.Wake("a/2", 1, nil)
	for s.step() {
	}
	p.WakeIdle("a/1") // it pauses: it is not idle
	expect(t, *done, "a/1(first) a/2")
	s.timers[0]()
	for s.step() {
	}
	expect(t, *done, "a/1(first) a/2 a/1(again)")
}

func TestWhatIsForgottenIsNotWorkedOn(t *testing.T) {
	s, p, done := pool(1, 1, nil)
	p.Start()
	for i := range 20 {
		p.Wake(fmt.Sprintf("a/%d", i), 2, nil)
	}
	gone := lane("a/7").Shard()
	p.Forget(func(shard int) bool { return shard == gone })
	for s.step() {
	}
	if slices.Contains(*done, "a/7") || !slices.Contains(*done, "a/0") {
		t.Fatalf("worked on %q", *done)
	}
}

func TestStopWaitsForWhatRunsAndInterruptsItWhenTimeIsUp(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	p := lanes.New(free{}, 1, 1, lane, func(ctx context.Context, _ lanes.Task[string, string]) (pace lanes.Pace[string]) {
		close(began)
		<-ctx.Done()
		close(ended)
		return pace
	})
	p.Start()
	p.Wake("a/1", 5, nil)
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Stop(ctx); err == nil {
		t.Error("it says that all is finished")
	}
	select {
	case <-ended:
	default:
		t.Error("something still runs")
	}
}

// free is goroutines.
type free struct{}

func (free) Go(f func()) { go f() }
func (free) After(d time.Duration, f func()) func() {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}
