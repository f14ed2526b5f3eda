package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/events"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
)

// wire is a bus that only remembers what was published, once per id, in order.
type wire struct {
	mu     sync.Mutex
	seen   map[string]bool
	events []greentic.Event
	fail   func(e greentic.Event) error
}

func (w *wire) Deliver(_ context.Context, o queue.Outgoing) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		if err := w.fail(*o.Event); err != nil {
			return err
		}
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	if !w.seen[o.Event.ID] {
		w.seen[o.Event.ID] = true
		w.events = append(w.events, *o.Event)
	}
	return nil
}

// subjects are the subjects of what was published.
func (w *wire) subjects() (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		list = append(list, e.Subject)
	}
	return list
}

// fleet is a store in memory that several runners work on, in the time of a synctest bubble.
type fleet struct {
	*rig
	wire  *wire
	count int
}

func newFleet(t *testing.T) *fleet {
	return &fleet{rig: &rig{t: t, db: memory.New(time.Now), channel: newChannel(), options: runner.Options{Backoff: time.Millisecond, Poll: 2 * time.Second}}, wire: &wire{}}
}

// member is a runner of the fleet whose clock may be wrong.
type member struct {
	*runner.Runner
	schedules *events.Schedules
	wrong     atomic.Int64
	f         *fleet
}

func (m *member) now() time.Time { return time.Now().Add(time.Duration(m.wrong.Load())) }

// join adds a runner that serves packs, with its schedules.
func (f *fleet) join(schedules []pack.Schedule, packs ...*loader.Verified) *member {
	f.t.Helper()
	f.count++
	m := &member{f: f}
	releases := release.New(host.New(host.Deps{}, host.Options{}), nil, unsafe, nil)
	for _, v := range packs {
		if _, err := releases.Serve(context.Background(), v); err != nil {
			f.t.Fatal(err)
		}
	}
	m.schedules = events.NewSchedules(f.db, m.now)
	name := fmt.Sprint("runner", f.count)
	m.Runner = runner.New(runner.Deps{
		DB: f.db, Releases: releases, Schedules: m.schedules, Now: m.now, Log: slog.New(slog.DiscardHandler),
		Deliver: map[string]runner.Deliverer{"test": f.channel, runner.BusRoute: f.wire},
		NewID:   func() string { return fmt.Sprintf("turn-%d", f.ids.Add(1)) },
		Shards:  shard.New(f.db, shard.Options{Name: name, TTL: 20 * time.Second, Now: m.now}),
	}, f.options)
	m.sync(schedules...)
	if err := m.Start(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	return m
}

func (m *member) sync(schedules ...pack.Schedule) {
	m.f.t.Helper()
	err := m.schedules.Sync(context.Background(), greentic.DefaultTenant(), []events.Declared{{Pack: "t.report", Schedules: schedules}})
	if err != nil {
		m.f.t.Fatal(err)
	}
}

// leave ends a runner as SIGTERM does.
func (m *member) leave() {
	m.f.t.Helper()
	if err := m.Drain(context.Background()); err != nil {
		m.f.t.Error(err)
	}
}

// keys lists the keys of the tenant with a prefix.
func (f *fleet) keys(prefix string) (list []string) {
	f.t.Helper()
	from, to := kv.Prefix(prefix)
	err := f.db.View(context.Background(), greentic.DefaultTenant(), func(x kv.Reader) error {
		list = nil
		return x.Scan(from, to, 0, func(key string, _ []byte) bool { list = append(list, key); return true })
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// report emits what it was started by.
const report = `
nodes:
  tell:
    emit.event: { topic: report.made, subject: "{{entry.input.id}}", payload: { input: "{{entry.payload}}" } }
    routing: out
`

func reporter(t testing.TB) *loader.Verified {
	return makePack(t, "t.report", map[string]string{"main": report}, nil)
}

func schedule(cron, catchUp string) pack.Schedule {
	return pack.Schedule{ID: "s", Cron: cron, CatchUp: catchUp, Flow: "main", Input: json.RawMessage(`{"days":7}`)}
}

// minutes are the ids of the due times from a minute on.
func minutes(from time.Time, n int) (list []string) {
	for i := range n {
		list = append(list, "t.report/s/"+from.Add(time.Duration(i)*time.Minute).UTC().Format(time.RFC3339))
	}
	return list
}

// Runners join, leave and are wrong about the time; each due time fires once, in order.
func TestEachDueTimeFiresOnceHoweverManyRunnersThereAre(t *testing.T) {
	made := reporter(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		list := schedule("* * * * *", "all")
		from := time.Now().Add(time.Minute)
		a := f.join(nil, made)
		a.sync(list)
		time.Sleep(3 * time.Minute)
		b := f.join([]pack.Schedule{list}, made)
		time.Sleep(3 * time.Minute)
		a.wrong.Store(int64(90 * time.Second)) // one is ahead
		time.Sleep(3 * time.Minute)
		a.leave()
		time.Sleep(3 * time.Minute)
		c := f.join([]pack.Schedule{list}, made)
		c.wrong.Store(int64(-20 * time.Second)) // one is behind
		time.Sleep(3 * time.Minute)
		b.leave()
		c.wrong.Store(0)
		time.Sleep(3*time.Minute + 30*time.Second)
		c.leave()
		if got, want := f.wire.subjects(), minutes(from, 18); !slices.Equal(got, want) {
			t.Errorf("fired\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if left := f.keys("session/"); len(left) > 0 {
			t.Errorf("a flow that does not wait left %v", left)
		}
		if got := string(f.wire.events[0].Payload); got != `{"input":{"days":7}}` {
			t.Errorf("the input of a schedule reads %s", got)
		}
	})
}

func TestACatchUpPolicyDecidesWhatADowntimeFires(t *testing.T) {
	made := reporter(t)
	for _, c := range []struct {
		policy string
		limit  int
		want   string
	}{{"", 0, "10 50"}, {"none", 0, "10 50"}, {"last", 0, "10 40 50"}, {"all", 0, "10 20 30 40 50"}, {"all", 2, "10 30 40 50"}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t)
			often := schedule("*/10 * * * *", c.policy)
			often.CatchUpLimit = c.limit
			one := f.join([]pack.Schedule{often}, made)
			time.Sleep(15 * time.Minute)
			one.leave()
			time.Sleep(30 * time.Minute)
			for range 2 { // the second finds nothing to catch up
				two := f.join([]pack.Schedule{often}, made)
				time.Sleep(4 * time.Minute)
				two.leave()
			}
			var got []string
			for _, id := range f.wire.subjects() {
				got = append(got, strings.TrimPrefix(id, "t.report/s/2000-01-01T00:")[:2])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%q with limit %d fired %v, want %s", c.policy, c.limit, got, c.want)
			}
		})
	}
}

// While runners work on them, schedules change and end: nothing fires twice, nothing that is gone.
func TestASchedulesChangeTakesEffectWhileRunnersWork(t *testing.T) {
	made := reporter(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		begin := time.Now()
		one := f.join([]pack.Schedule{schedule("*/2 * * * *", "all")}, made)
		two := f.join([]pack.Schedule{schedule("*/2 * * * *", "all")}, made)
		time.Sleep(4*time.Minute + 30*time.Second) // 2 4
		one.sync(schedule("*/5 * * * *", "all"))
		time.Sleep(6 * time.Minute) // 5 10
		two.sync(schedule("*/2 * * * *", "all"))
		time.Sleep(2 * time.Minute) // 12, for 10 has fired
		one.sync()
		time.Sleep(10 * time.Minute)
		one.leave()
		two.leave()
		var want []string
		for _, minute := range []int{2, 4, 5, 10, 12} {
			want = append(want, minutes(begin.Add(time.Duration(minute)*time.Minute), 1)...)
		}
		if got := f.wire.subjects(); !slices.Equal(got, want) {
			t.Errorf("fired %v, want %v", got, want)
		}
	})
}

// What fires every second is fired every second, not once per look.
func TestASecondIsNotTooShort(t *testing.T) {
	made := reporter(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		one := f.join([]pack.Schedule{schedule("* * * * * *", "none")}, made)
		time.Sleep(10*time.Second + time.Millisecond*500)
		one.leave()
		if got := f.wire.events; len(got) != 10 || got[9].Time.Sub(got[0].Time) != 9*time.Second {
			t.Errorf("%d fires: %+v", len(got), got)
		}
	})
}

// What an event started and what it published replays as it was, and is not published again.
func TestAFlowThatAnEventStartedReplays(t *testing.T) {
	made := reporter(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		one := f.join([]pack.Schedule{schedule("* * * * *", "all")}, made)
		time.Sleep(3*time.Minute + time.Second)
		got, err := one.Replay(context.Background(), greentic.DefaultTenant(), "t.report/s", runner.ReplayOptions{})
		if err != nil || !got.Equal || len(got.Turns) != 3 {
			t.Errorf("%+v %v", got, err)
		}
		one.leave()
		if n := len(f.wire.events); n != 3 {
			t.Errorf("%d events", n)
		}
	})
}
