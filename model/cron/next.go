package cron

import (
	"math/bits"
	"time"

	"greentic.dev/greentic/fault"
)

// horizon is how far the next instant may be: 29 February on one weekday takes up to 40 years.
const horizon = 41

// Next is the first instant after after. Which instants an expression names when clocks change is
// what Vixie cron decided. If minute or hour begins with *, it measures elapsed time: it names
// each instant whose local time matches, so both of a doubled hour and none of a skipped one.
// Otherwise it is an appointment: of a doubled time the first instant counts, and appointments in
// skipped time fall on the first instant after it, once for all of them. The error is fault.NotFound: there
// is none within 41 years.
func (e Expr) Next(after time.Time, loc *time.Location) (time.Time, error) {
	after = after.In(loc)
	if e.elapsed {
		return e.nextElapsed(after)
	}
	w := wall(after)
	for {
		next, ok := e.match(w)
		if !ok {
			return time.Time{}, e.never()
		}
		if t := first(next, loc); t.After(after) {
			return t, nil
		}
		w = next
	}
}

// nextElapsed goes through the periods between changes of the clock: in each the offset is one.
func (e Expr) nextElapsed(after time.Time) (time.Time, error) {
	w, at := wall(after), after
	for range 8 * horizon {
		_, end := at.ZoneBounds()
		next, ok := e.match(w)
		if !ok {
			break
		}
		if t := next.Add(-offset(at)).In(at.Location()); end.IsZero() || t.Before(end) {
			return t, nil
		}
		at = end
		w = wall(end).Add(-time.Second)
	}
	return time.Time{}, e.never()
}

func (e Expr) never() error {
	return fault.Newf(fault.NotFound, "cron", "%q has no instant within %d years", e.text, horizon)
}

// wall is the local time of t as if it were UTC, without fractions of a second.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// first is the earliest instant with a local time, or the end of the gap that skips it.
func first(w time.Time, loc *time.Location) time.Time {
	near := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, loc)
	start, end := near.ZoneBounds()
	if !start.IsZero() { // near may be the second of a doubled time
		if t := w.Add(-offset(start.Add(-1))); t.Before(start) {
			return t.In(loc)
		}
	}
	switch {
	case wall(near).Equal(w):
		return near
	case wall(near).After(w): // near lies behind the gap
		return start.In(loc)
	}
	return end.In(loc)
}

// match is the first local time after w that the fields name.
func (e Expr) match(w time.Time) (time.Time, bool) {
	w = w.Add(time.Second)
	last := w.Year() + horizon
	day, clock := w.Truncate(24*time.Hour), w.Hour()*3600+w.Minute()*60+w.Second()
	for day.Year() <= last {
		y, m, d := day.Date()
		if !has(e.month, int(m)) {
			day, clock = time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC), 0
			continue
		}
		if e.onDay(y, m, d, int(day.Weekday())) {
			if at, ok := e.inDay(clock); ok {
				return day.Add(time.Duration(at) * time.Second), true
			}
		}
		day, clock = day.AddDate(0, 0, 1), 0
	}
	return time.Time{}, false
}

func (e Expr) onDay(y int, m time.Month, d, weekday int) bool {
	length := time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
	day := has(e.day, d) || e.lastDay && d == length
	week := has(e.weekday, weekday) || has(e.nth[weekday], (d+6)/7) || has(e.lastWeekday, weekday) && d+7 > length
	if e.anyDay || e.anyWeekday {
		return day && week
	}
	return day || week
}

// inDay is the first second of a day, from clock on, that the fields name.
func (e Expr) inDay(clock int) (int, bool) {
	h, m, s := clock/3600, clock/60%60, clock%60
	for hour, ok := from(e.hour, h); ok; hour, ok = from(e.hour, hour+1) {
		if hour > h {
			m, s = 0, 0
		}
		for minute, ok := from(e.minute, m); ok; minute, ok = from(e.minute, minute+1) {
			if minute > m {
				s = 0
			}
			if second, ok := from(e.second, s); ok {
				return hour*3600 + minute*60 + second, true
			}
		}
	}
	return 0, false
}

func has(set uint64, n int) bool { return set>>n&1 == 1 }

// from is the first member of a set that is n or more.
func from(set uint64, n int) (int, bool) {
	rest := set >> n << n
	return bits.TrailingZeros64(rest), rest != 0
}
