package events_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/adhocore/gronx"
	"pgregory.net/rapid"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/events"
)

func at(t testing.TB, text string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func parse(t testing.TB, s pack.Schedule) *events.Schedule {
	t.Helper()
	s.ID, s.Flow = "daily", "report"
	parsed, err := events.Parse("desk", s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestCatchUp(t *testing.T) {
	const last = "2026-01-01 00:00:00"
	for _, c := range []struct {
		name    string
		s       pack.Schedule
		now     string
		fire    string
		skipped int
		next    string
	}{
		{"nothing is due", pack.Schedule{Cron: "0 8 * * *"}, "2026-01-01 07:59:59", "", 0, "2026-01-01 08:00:00"},
		{"on time", pack.Schedule{Cron: "0 8 * * *"}, "2026-01-01 08:00:00", "01 08:00:00", 0, "2026-01-02 08:00:00"},
		{"none: a little late still fires", pack.Schedule{Cron: "0 8 * * *"}, "2026-01-01 08:01:00", "01 08:00:00", 0, "2026-01-02 08:00:00"},
		{"none: later does not", pack.Schedule{Cron: "0 8 * * *"}, "2026-01-01 08:01:01", "", 1, "2026-01-02 08:00:00"},
		{"none: three days down", pack.Schedule{Cron: "0 8 * * *", CatchUp: "none"}, "2026-01-03 08:00:30", "03 08:00:00", 2, "2026-01-04 08:00:00"},
		{"last: the newest", pack.Schedule{Cron: "0 8 * * *", CatchUp: "last"}, "2026-01-03 12:00:00", "03 08:00:00", 2, "2026-01-04 08:00:00"},
		{"last: too old", pack.Schedule{Cron: "0 8 * * *", CatchUp: "last", CatchUpAge: "3h"}, "2026-01-03 12:00:00", "", 3, "2026-01-04 08:00:00"},
		{"all", pack.Schedule{Cron: "0 8 * * *", CatchUp: "all"}, "2026-01-03 12:00:00", "01 08:00:00, 02 08:00:00, 03 08:00:00", 0, "2026-01-04 08:00:00"},
		{"all: by number", pack.Schedule{Cron: "0 8 * * *", CatchUp: "all", CatchUpLimit: 2}, "2026-01-03 12:00:00", "02 08:00:00, 03 08:00:00", 1, "2026-01-04 08:00:00"},
		{"all: by age", pack.Schedule{Cron: "0 8 * * *", CatchUp: "all", CatchUpAge: "28h"}, "2026-01-03 12:00:00", "02 08:00:00, 03 08:00:00", 1, "2026-01-04 08:00:00"},
		{"all: no older than a week", pack.Schedule{Cron: "0 8 * * MON", CatchUp: "all"}, "2026-03-01 12:00:00", "23 08:00:00", 0, "2026-03-02 08:00:00"},
		{"the clock went back", pack.Schedule{Cron: "0 8 * * *", CatchUp: "all"}, "2025-11-01 12:00:00", "", 0, "2026-01-01 08:00:00"},
		{"in its zone", pack.Schedule{Cron: "0 8 * * *", CatchUp: "all", Zone: "Asia/Kathmandu"}, "2026-01-01 12:00:00", "01 02:15:00", 0, "2026-01-02 02:15:00"},
	} {
		fire, skipped, next, err := parse(t, c.s).Due(at(t, last), at(t, c.now))
		var got []string
		for _, f := range fire {
			got = append(got, f.UTC().Format("02 15:04:05"))
		}
		if s := strings.Join(got, ", "); s != c.fire || skipped != c.skipped || !next.Equal(at(t, c.next)) || err != nil {
			t.Errorf("%s: %s, skipped %d, next %v, %v", c.name, s, skipped, next, err)
		}
	}
}

func TestADueTimeIsAnEventWithOneIdentity(t *testing.T) {
	s := parse(t, pack.Schedule{Cron: "30 8 * * *", Zone: "Europe/Berlin", Input: json.RawMessage(`{"report":"sales"}`)})
	due, err := s.Next(at(t, "2026-07-01 00:00:00"))
	if err != nil {
		t.Fatal(err)
	}
	one, err := s.Trigger(greentic.DefaultTenant(), due)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := s.Trigger(greentic.DefaultTenant(), due.UTC())
	if one.ID != "desk/daily/2026-07-01T06:30:00Z" || again.ID != one.ID || string(again.Body) != string(one.Body) {
		t.Errorf("%s %s", one.ID, again.ID)
	}
	if one.Key != "desk/daily" || one.Route != "cron" || one.Kind != greentic.KindEvent || one.Flow != "report" || one.Pack != "desk" {
		t.Errorf("%+v", one)
	}
	var e events.Envelope
	if err := json.Unmarshal(one.Body, &e); err != nil || e.ID != one.ID || string(e.Payload) != `{"report":"sales"}` || !e.Time.Equal(due) ||
		e.Metadata["local_time"] != "2026-07-01T08:30:00+02:00" || e.Tenant.Tenant != "demo" || e.Topic != "cron.desk.daily" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestABrokenScheduleIsNamed(t *testing.T) {
	_, err := events.Parse("desk", pack.Schedule{ID: "daily", Cron: "30 8 * *"})
	if _, fix, _ := fault.Detail(err); !fault.Is(err, fault.Invalid) || fix == "" || !strings.Contains(err.Error(), "schedule desk/daily") {
		t.Fatalf("%v, fix %q", err, fix)
	}
}

// Whatever the expression and however often and long the process is down: with catch_up all each
// instant of the expression is fired once, also when two runners fire from the same record.
func TestEachDueTimeFiresOnceOverDowntimes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		field := func(lo, hi int) string {
			n := rapid.IntRange(lo, hi).Draw(r, "n")
			return rapid.SampledFrom([]string{"*", fmt.Sprint(n), fmt.Sprintf("%d-%d", n, hi), fmt.Sprintf("*/%d", max(n, 5))}).Draw(r, "field")
		}
		minute := rapid.SampledFrom([]string{"0", "7,31", "*/20", "45"}).Draw(r, "minute")
		text := strings.Join([]string{minute, field(0, 23), field(1, 28), "*", field(0, 6)}, " ")
		s := parse(t, pack.Schedule{Cron: text, CatchUp: pack.CatchUpAll, CatchUpLimit: pack.MaxCatchUp})
		start := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(r, "start"), 0).UTC()
		now, last := start, start
		fired := map[string]int{}
		var order []time.Time
		for range rapid.IntRange(1, 6).Draw(r, "wakes") {
			now = now.Add(time.Duration(rapid.IntRange(1, 2*24*3600).Draw(r, "down")) * time.Second)
			for range rapid.IntRange(1, 2).Draw(r, "runners") {
				fire, skipped, next, err := s.Due(last, now)
				if err != nil || skipped != 0 || !next.After(now) {
					r.Fatalf("skipped %d, next %v, %v", skipped, next, err)
				}
				for _, due := range fire {
					trigger, err := s.Trigger(greentic.DefaultTenant(), due)
					if err != nil {
						r.Fatal(err)
					}
					if fired[trigger.ID]++; fired[trigger.ID] == 1 { // the inbox drops repeats by id
						order = append(order, due)
					}
				}
			}
			if rapid.Bool().Draw(r, "recorded") { // else the process ended before the record was written
				last = now
			}
			if now.Sub(last) > 6*24*time.Hour {
				last = now
			}
		}
		var want []time.Time
		for m := start.Truncate(time.Minute); !m.After(now); m = m.Add(time.Minute) {
			if m.Minute() != 0 && strings.HasPrefix(minute, "0") || m.Minute()%20 != 0 && strings.HasPrefix(minute, "*") {
				continue // the search is slow
			}
			if due, err := gronx.New().IsDue(text, m); err == nil && due && m.After(start) {
				want = append(want, m)
			}
		}
		if !slices.EqualFunc(order, want, time.Time.Equal) {
			r.Fatalf("%s fired %v, want %v", text, order, want)
		}
	})
}

func BenchmarkDueEverySecondOfAWeek(b *testing.B) {
	s := parse(b, pack.Schedule{Cron: "* * * * * *", CatchUp: pack.CatchUpAll, Zone: "Europe/Berlin"})
	now := at(b, "2026-07-01 00:00:00")
	for b.Loop() {
		if fire, skipped, _, err := s.Due(time.Time{}, now); err != nil || len(fire) != pack.DefaultCatchUp || skipped < 604000 {
			b.Fatal(len(fire), skipped, err)
		}
	}
}
