package events_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/events"
)

// desk is a store with schedules and a clock that is turned by hand.
type desk struct {
	t   *testing.T
	db  kv.DB
	now time.Time
	s   *events.Schedules
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, now: at(t, "2026-01-01 00:00:00")}
	d.db = memory.New(time.Now)
	d.s = events.NewSchedules(d.db, func() time.Time { return d.now })
	return d
}

func (d *desk) sync(packs ...events.Declared) {
	d.t.Helper()
	if err := d.s.Sync(d.t.Context(), greentic.DefaultTenant(), packs); err != nil {
		d.t.Fatal(err)
	}
}

// waiting lists the due index in the order of time.
func (d *desk) waiting() (list []queue.Due) {
	d.t.Helper()
	far := at(d.t, "2100-01-01 00:00:00")
	err := d.db.System(d.t.Context(), func(x kv.Txn) error {
		list = nil
		for s := range shard.Count {
			some, _, err := queue.NextDue(x, s, far, 100)
			if err != nil {
				return err
			}
			list = append(list, some...)
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b queue.Due) int { return a.At.Compare(b.At) })
	return list
}

// next is the due index as text.
func (d *desk) next() string {
	d.t.Helper()
	var list []string
	for _, w := range d.waiting() {
		list = append(list, w.Key+" "+w.At.Format("02 15:04:05"))
	}
	return strings.Join(list, ", ")
}

// fire does with a due time what the runner does, and says which instants it started.
func (d *desk) fire(w queue.Due) string {
	d.t.Helper()
	var ids []string
	err := d.db.Update(d.t.Context(), w.Ctx(), func(x kv.Txn) error {
		ids = nil
		if err := w.Drop(x); err != nil {
			return err
		}
		list, err := d.s.Fire(x, w, d.now)
		for _, trigger := range list {
			ids = append(ids, trigger.ID)
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.Join(ids, ", ")
}

func daily(id, cron string, more ...func(*pack.Schedule)) pack.Schedule {
	s := pack.Schedule{ID: id, Cron: cron, Flow: "report"}
	for _, m := range more {
		m(&s)
	}
	return s
}

func declared(id string, list ...pack.Schedule) events.Declared {
	return events.Declared{Pack: id, Digest: greentic.DigestOf([]byte(fmt.Sprint(list))), Schedules: list}
}

func (d *desk) want(step, want string) {
	d.t.Helper()
	if got := d.next(); got != want {
		d.t.Errorf("%s: %s, want %s", step, got, want)
	}
}

func TestTheDueIndexFollowsWhatPacksDeclare(t *testing.T) {
	d := newDesk(t)
	desk, shop := declared("desk", daily("a", "0 8 * * *"), daily("b", "0 9 * * *")), declared("shop", daily("a", "0 7 * * *"))
	d.sync(desk, shop)
	d.want("new ones", "shop/a 01 07:00:00, desk/a 01 08:00:00, desk/b 01 09:00:00")
	d.now = d.now.Add(time.Hour)
	d.sync(shop, desk)
	d.want("the same again", "shop/a 01 07:00:00, desk/a 01 08:00:00, desk/b 01 09:00:00")
	d.sync(declared("desk", daily("a", "0 8 * * *"), daily("b", "30 0 * * *"), daily("c", "0 12 * * *")), shop)
	d.want("one changed, one more", "shop/a 01 07:00:00, desk/a 01 08:00:00, desk/c 01 12:00:00, desk/b 02 00:30:00")
	d.sync(declared("desk", daily("a", "0 8 * * *", func(s *pack.Schedule) { s.Zone = "Europe/Berlin" })))
	d.want("another zone, a pack less", "desk/a 01 07:00:00")
	d.sync()
	d.want("nothing", "")
	err := d.db.View(t.Context(), greentic.DefaultTenant(), func(x kv.Reader) error {
		return x.Scan("", "", 0, func(key string, _ []byte) bool { t.Errorf("left behind: %q", key); return true })
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A process that was down catches up by what it declares when it comes back; a changed expression
// has nothing to catch up.
func TestWhatChangedWhileNothingRanIsNotCaughtUp(t *testing.T) {
	all := func(s *pack.Schedule) { s.CatchUp = pack.CatchUpAll }
	d := newDesk(t)
	d.sync(declared("desk", daily("same", "0 8 * * *"), daily("other", "0 8 * * *", all)))
	d.now = at(t, "2026-01-03 12:00:00")
	d.sync(declared("desk", daily("same", "0 8 * * *", all), daily("other", "0 9 * * *", all)))
	d.want("after two days", "desk/same 01 08:00:00, desk/other 04 09:00:00")
	if got, want := d.fire(d.waiting()[0]), "desk/same/2026-01-01T08:00:00Z, desk/same/2026-01-02T08:00:00Z, desk/same/2026-01-03T08:00:00Z"; got != want {
		t.Errorf("fired %s", got)
	}
	d.want("caught up", "desk/same 04 08:00:00, desk/other 04 09:00:00")
}

func TestADueTimeThatIsNoLongerTheSchedulesStartsNothing(t *testing.T) {
	d := newDesk(t)
	d.sync(declared("desk", daily("a", "0 8 * * *")))
	stale := d.waiting()[0]
	d.now = at(t, "2026-01-01 08:00:00")
	if got := d.fire(stale); got != "desk/a/2026-01-01T08:00:00Z" {
		t.Fatalf("fired %s", got)
	}
	if got := d.fire(stale); got != "" {
		t.Errorf("a second runner fired %s", got)
	}
	d.want("fired", "desk/a 02 08:00:00")
	stale = d.waiting()[0]
	d.sync(declared("desk", daily("a", "0 9 * * *")))
	d.now = at(t, "2026-01-02 08:00:00")
	if got := d.fire(stale); got != "" {
		t.Errorf("the old expression fired %s", got)
	}
	d.sync()
	if got := d.fire(stale); got != "" {
		t.Errorf("a removed schedule fired %s", got)
	}
	d.want("removed", "")
}

// A clock that was a year ahead for a moment does not silence a schedule for a year.
func TestAScheduleAheadOfTheClockBeginsNowAtTheNextSync(t *testing.T) {
	d := newDesk(t)
	packs := declared("desk", daily("a", "0 8 * * *"))
	d.sync(packs)
	d.now = at(t, "2027-01-01 08:00:30")
	if got := d.fire(d.waiting()[0]); got != "desk/a/2027-01-01T08:00:00Z" {
		t.Fatalf("fired %s", got)
	}
	d.now = at(t, "2026-01-01 12:00:00")
	d.sync(packs)
	d.want("the clock is right again", "desk/a 02 08:00:00")
}

func TestProcessesThatSyncAtTheSameTimeAgree(t *testing.T) {
	d := newDesk(t)
	old := []events.Declared{declared("desk", daily("a", "0 8 * * *"), daily("gone", "0 8 * * *"))}
	d.sync(old...)
	now := []events.Declared{declared("desk", daily("a", "0 9 * * *"), daily("b", "0 10 * * *"))}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if err := d.s.Sync(context.Background(), greentic.DefaultTenant(), now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	d.want("all agree", "desk/a 01 09:00:00, desk/b 01 10:00:00")
}
