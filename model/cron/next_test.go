package cron_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/adhocore/gronx"
	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestInstantsOverChangesOfTheClock(t *testing.T) {
	for _, c := range []struct{ name, zone, cron, from, want string }{
		{"a skipped time falls on the end of the gap", "Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", "03-29 03:00 +02, 03-30 02:30 +02"},
		{"skipped times fall together", "Europe/Berlin", "0,30 2,3 * * *", "2026-03-28T12:00:00Z", "03-29 03:00 +02, 03-29 03:30 +02"},
		{"a doubled time counts once", "Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", "10-25 02:30 +02, 10-26 02:30 +01"},
		{"it is over after the first", "Europe/Berlin", "30 2 * * *", "2026-10-25T00:45:00Z", "10-26 02:30 +01, 10-27 02:30 +01"},
		{"elapsed time skips the gap", "Europe/Berlin", "30 * * * *", "2026-03-29T00:00:00Z", "03-29 01:30 +01, 03-29 03:30 +02"},
		{"elapsed time runs through both hours", "Europe/Berlin", "0 * * * *", "2026-10-24T23:30:00Z", "10-25 02:00 +02, 10-25 02:00 +01"},
		{"a starred minute is elapsed time", "Europe/Berlin", "*/30 2 * * *", "2026-03-28T12:00:00Z", "03-30 02:00 +02, 03-30 02:30 +02"},
		{"New York forward", "America/New_York", "15 2 * * *", "2026-03-07T12:00:00Z", "03-08 03:00 -04, 03-09 02:15 -04"},
		{"New York back", "America/New_York", "15 1 * * *", "2026-10-31T12:00:00Z", "11-01 01:15 -04, 11-02 01:15 -05"},
		{"New York back, hourly", "America/New_York", "@hourly", "2026-11-01T04:30:00Z", "11-01 01:00 -04, 11-01 01:00 -05"},
		{"Lord Howe forward by half an hour", "Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00:00Z", "10-04 02:30 +11, 10-05 02:15 +11"},
		{"Lord Howe back by half an hour", "Australia/Lord_Howe", "45 1 * * *", "2026-04-04T00:00:00Z", "04-05 01:45 +11, 04-06 01:45 +1030"},
		{"Lord Howe back, every quarter", "Australia/Lord_Howe", "*/15 * * * *", "2026-04-04T14:50:00Z", "04-05 01:30 +1030, 04-05 01:45 +1030"},
		{"Kathmandu has no changes and odd minutes", "Asia/Kathmandu", "0 9 * * *", "2026-03-28T12:00:00Z", "03-29 09:00 +0545, 03-30 09:00 +0545"},
		{"midnight that is skipped", "America/Santiago", "0 0 * * *", "2026-09-05T12:00:00Z", "09-06 01:00 -03, 09-07 00:00 -03"},
		{"a day that is skipped", "Pacific/Apia", "0 12 * * *", "2011-12-29T12:00:00Z", "12-29 12:00 -10, 12-31 00:00 +14"},
	} {
		at, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		e, got := parse(t, c.cron), []string{}
		for range 2 {
			if at, err = e.Next(at, zone(t, c.zone)); err != nil {
				t.Fatal(err)
			}
			got = append(got, at.Format("01-02 15:04 -07")+strings.TrimSuffix(at.Format("-0700")[3:], "00"))
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s: %s, want %s", c.name, s, c.want)
		}
	}
}

// expression draws one that both this package and gronx understand alike.
func expression(r *rapid.T) string {
	one := func(lo, hi int) string {
		item := func(label string) string {
			a := rapid.IntRange(lo, hi).Draw(r, label)
			b := rapid.IntRange(a, hi).Draw(r, "to")
			step := rapid.IntRange(1, max(hi/2, 1)).Draw(r, "step")
			return rapid.SampledFrom([]string{"*", "*", fmt.Sprint(a), fmt.Sprint(a), fmt.Sprintf("%d-%d", a, b), fmt.Sprintf("*/%d", step), fmt.Sprintf("%d-%d/%d", a, b, step)}).Draw(r, "form")
		}
		if rapid.IntRange(0, 3).Draw(r, "list") > 0 {
			return item("a")
		}
		return fmt.Sprintf("%d,%d", rapid.IntRange(lo, hi).Draw(r, "x"), rapid.IntRange(lo, hi).Draw(r, "y"))
	}
	seconds := ""
	if rapid.Bool().Draw(r, "seconds") {
		seconds = one(0, 59) + " "
	}
	return seconds + strings.Join([]string{one(0, 59), one(0, 23), one(1, 28), one(1, 12), one(0, 6)}, " ")
}

// In a zone without changes the instants are those another implementation finds.
func TestInstantsAreThoseOfAnotherImplementation(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := expression(r)
		at := time.Unix(rapid.Int64Range(1.7e9, 2e9).Draw(r, "from"), 0).UTC()
		e := parse(t, text)
		for range 5 {
			want, err := gronx.NextTickAfter(text, at, false)
			if err != nil {
				r.Skip("the other implementation gives up: ", err)
			}
			if at, err = e.Next(at, time.UTC); err != nil || !at.Equal(want) {
				r.Fatalf("%s: %v, %v; want %v", text, at, err, want)
			}
		}
	})
}

// Around changes of the clock, elapsed expressions name exactly the seconds whose local time
// matches; appointments name each local time once.
func TestInstantsAroundChangesAreThoseOfASearch(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"}
	rapid.Check(t, func(r *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zones).Draw(r, "zone"))
		_, change := time.Unix(rapid.Int64Range(1.7e9, 2e9).Draw(r, "from"), 0).In(loc).ZoneBounds()
		if change.IsZero() {
			change = time.Unix(1.8e9, 0)
		}
		minute := rapid.SampledFrom([]string{"*", "*/7", "0", "30", "5,50", "10-20"}).Draw(r, "minute")
		hour := rapid.SampledFrom([]string{"*", "*/2", "0", "1", "2", "3", "1-3", "0,2"}).Draw(r, "hour")
		text := minute + " " + hour + " * * *"
		elapsed := minute[0] == '*' || hour[0] == '*'
		start, end := change.Add(-5*time.Hour).Truncate(time.Minute), change.Add(5*time.Hour)
		matches := func(w time.Time) bool {
			due, err := gronx.New().IsDue(text, w)
			return due && err == nil
		}
		var want []time.Time
		seen := map[string]bool{}
		before := start.Add(-time.Minute).In(loc)
		for at := start.In(loc); at.Before(end); at = at.Add(time.Minute) {
			due := false
			_, was := before.Zone()
			_, is := at.Zone()
			for skipped := range max((is-was)/60, 0) { // local times between the two
				due = due || matches(time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute()-1-skipped, 0, 0, time.UTC))
			}
			key := at.Format("02 15:04")
			due = due && !elapsed || matches(time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)) && (elapsed || !seen[key])
			seen[key] = true
			if before = at; due {
				want = append(want, at)
			}
		}
		e, at := parse(t, text), start.Add(-time.Second)
		for _, w := range want {
			var err error
			if at, err = e.Next(at, loc); err != nil || !at.Equal(w) {
				r.Fatalf("%s in %s: %v, %v; want %v", text, loc, at, err, w)
			}
		}
		if at, _ = e.Next(at, loc); at.Before(end) {
			r.Fatalf("%s in %s: %v is too many", text, loc, at)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	from := time.Unix(1.8e9, 0).UTC()
	for _, text := range []string{"*/5 * * * *", "30 8 * * MON-FRI", "0 0 29 2 *"} {
		e := parse(b, text)
		b.Run("ours/"+text, func(b *testing.B) {
			for b.Loop() {
				if next, err := e.Next(from, time.UTC); err != nil || !next.After(from) {
					b.Fatal(next, err)
				}
			}
		})
		b.Run("gronx/"+text, func(b *testing.B) {
			for b.Loop() {
				if next, err := gronx.NextTickAfter(text, from, false); err != nil || !next.After(from) {
					b.Fatal(next, err)
				}
			}
		})
	}
}
