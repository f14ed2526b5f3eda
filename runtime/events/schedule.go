package events

import (
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cron"
	"greentic.dev/model/pack"
)

// Grace is how late a fire without catching up may be.
const Grace = time.Minute

// Schedule is a schedule of a pack, ready to be asked. It is immutable.
type Schedule struct {
	pack  string
	asked pack.Schedule
	expr  cron.Expr
	loc   *time.Location
	limit int           // fires of one Due
	age   time.Duration // of the oldest
}

// Parse makes ready what a pack declares. Errors: fault.Invalid as pack.Schedule.Check says, or
// fault.Unavailable when this machine has no data for the zone.
func Parse(packID string, asked pack.Schedule) (*Schedule, error) {
	s := &Schedule{pack: packID, asked: asked, limit: 1, age: Grace}
	op := "schedule " + s.ID()
	err := asked.Check()
	if err == nil {
		s.expr, err = cron.Parse(asked.Cron)
	}
	if err == nil && asked.CatchUp != "" && asked.CatchUp != pack.CatchUpNone {
		s.age, err = asked.Age()
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if asked.CatchUp == pack.CatchUpAll {
		if s.limit = asked.CatchUpLimit; s.limit == 0 {
			s.limit = pack.DefaultCatchUp
		}
	}
	if s.loc, err = time.LoadLocation(asked.Zone); err != nil {
		return nil, fault.As(fault.Unavailable, op, err)
	}
	return s, nil
}

// ID is the pack and the schedule: unique within a tenant. Neither part contains a slash.
func (s *Schedule) ID() string { return s.pack + "/" + s.asked.ID }

// Next is the first due time after after, in the schedule's zone. The error is fault.NotFound:
// there is none within 41 years.
func (s *Schedule) Next(after time.Time) (time.Time, error) { return s.expr.Next(after, s.loc) }

// Due says what to fire at now when all due times up to last are dealt with: those after last
// that the catch-up policy keeps, oldest first; how many it does not keep (uncounted what is older
// than seven days); and when to ask again. Without catching up that is the newest due time within
// Grace, with "last" the newest within the age, with "all" each within the age, but only the newest
// up to the limit. A last after now, from a clock that went back, is believed.
func (s *Schedule) Due(last, now time.Time) (fire []time.Time, skipped int, next time.Time, err error) {
	at := last
	if oldest := now.Add(-pack.MaxCatchUpAge - 1); at.Before(oldest) {
		at = oldest
	}
	for {
		if at, err = s.Next(at); err != nil || at.After(now) {
			return fire, skipped, at, fault.Wrap("schedule "+s.ID(), err)
		}
		switch {
		case now.Sub(at) > s.age:
			skipped++
			continue
		case len(fire) == s.limit:
			fire = fire[1:]
			skipped++
		}
		fire = append(fire, at)
	}
}
