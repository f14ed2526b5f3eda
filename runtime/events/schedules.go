package events

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
)

// Declared is what a served pack asks for: its extension greentic.events.v1.
type Declared struct {
	Pack          string
	Digest        greentic.Digest
	Schedules     []pack.Schedule
	Subscriptions []pack.Subscription
}

// Schedules keeps what is due next in the store: for each schedule of a tenant a record and one
// entry of the due index, written together. It has no state of its own.
type Schedules struct {
	db  kv.DB
	now func() time.Time
}

// NewSchedules keeps schedules in db; now says when a schedule begins.
func NewSchedules(db kv.DB, now func() time.Time) *Schedules { return &Schedules{db, now} }

// dueID names the one due time that a schedule's lane has.
const dueID = "schedule"

func recordKey(id string) string { return "schedule/" + id }

// scheduled is a schedule as it is stored.
type scheduled struct {
	Pack     string          `json:"pack"`
	Digest   greentic.Digest `json:"digest"` // of the pack version that declares it
	Schedule pack.Schedule   `json:"schedule"`
	Last     time.Time       `json:"last"`              // due times up to here are dealt with
	Next     time.Time       `json:"next"`              // when to fire
	Skipped  int             `json:"skipped,omitempty"` // due times that the catch-up policy left out, ever
}

func (s scheduled) lane(t greentic.TenantCtx) queue.Lane {
	return queue.Lane{Env: t.Env, Tenant: t.Tenant, Key: s.Pack + "/" + s.Schedule.ID}
}

// put stores s and its due time. The due time of what was stored before must be gone.
func (s scheduled) put(x kv.Txn, t greentic.TenantCtx) error {
	raw, err := json.Marshal(s)
	if err != nil {
		return fault.Wrap("schedule", err)
	}
	lane := s.lane(t)
	if err := x.Put(recordKey(lane.Key), raw, 0); err != nil {
		return err
	}
	return queue.Due{Lane: lane, ID: dueID, At: s.Next}.Put(x)
}

func (s scheduled) undue(x kv.Txn, t greentic.TenantCtx) error {
	return queue.Due{Lane: s.lane(t), ID: dueID, At: s.Next}.Drop(x)
}

// Sync makes the schedules of a tenant those of the packs it is served. A new one, and one whose
// expression or zone changed, begins now; a changed catch-up policy, flow or input counts from the
// next fire; what no pack declares any more is removed. Several processes may call it at the same
// time: with the same packs the second changes nothing, with others the last one wins. A schedule
// that is ahead of the clock, which was wrong, begins now too: the inbox remembers what has fired.
// Errors: fault.Invalid and fault.Unavailable as Parse, and those of the store.
func (s *Schedules) Sync(ctx context.Context, tenant greentic.TenantCtx, packs []Declared) error {
	now := s.now().UTC()
	want := map[string]scheduled{}
	for _, d := range packs {
		for _, asked := range d.Schedules {
			one := scheduled{Pack: d.Pack, Digest: d.Digest, Schedule: asked, Last: now}
			parsed, err := Parse(d.Pack, asked)
			if err == nil {
				one.Next, err = parsed.Next(now)
			}
			if err != nil {
				return err
			}
			want[parsed.ID()] = one
		}
	}
	differ := false
	err := s.db.View(ctx, tenant, func(x kv.Reader) error {
		changes, err := changes(x, want)
		differ = len(changes) > 0
		return err
	})
	if err != nil || !differ {
		return fault.Wrap("schedules", err)
	}
	err = s.db.Update(ctx, tenant, func(x kv.Txn) error {
		list, err := changes(x, want)
		for _, c := range list {
			if err = errors.Join(err, c.do(x, tenant)); err != nil {
				return err
			}
		}
		return err
	})
	return fault.Wrap("schedules", err)
}

// change leads from what is stored to what is wanted; one of them may be missing.
type change struct{ old, new *scheduled }

func (c change) do(x kv.Txn, tenant greentic.TenantCtx) error {
	if c.old != nil {
		if err := c.old.undue(x, tenant); err != nil {
			return err
		}
	}
	if c.new != nil {
		return c.new.put(x, tenant)
	}
	return x.Delete(recordKey(c.old.lane(tenant).Key))
}

// changes compares the store with what is wanted from now on.
func changes(x kv.Reader, want map[string]scheduled) (list []change, err error) {
	missing := maps.Clone(want)
	from, to := kv.Prefix(recordKey(""))
	scanned := x.Scan(from, to, 0, func(key string, raw []byte) bool {
		var old scheduled
		if err = json.Unmarshal(raw, &old); err != nil {
			err = fault.As(fault.Internal, "schedule", err)
			return false
		}
		id := strings.TrimPrefix(key, from)
		one, ok := want[id]
		if !ok {
			list = append(list, change{old: &old})
			return true
		}
		delete(missing, id)
		if old.Schedule.Cron == one.Schedule.Cron && old.Schedule.Zone == one.Schedule.Zone && !old.Last.After(one.Last) {
			one.Last, one.Next = old.Last, old.Next
		}
		one.Skipped = old.Skipped
		now, bad := json.Marshal(one)
		if err = bad; err == nil && !bytes.Equal(now, raw) {
			list = append(list, change{&old, &one})
		}
		return err == nil
	})
	for _, id := range slices.Sorted(maps.Keys(missing)) {
		one := missing[id]
		list = append(list, change{new: &one})
	}
	return list, errors.Join(scanned, err)
}

// Fire implements runner.Schedules: it says what the due time d, which has been dropped, starts,
// and puts the next one in its place. A due time that is not the record's any more starts nothing.
func (s *Schedules) Fire(x kv.Txn, d queue.Due, now time.Time) ([]greentic.Trigger, error) {
	raw, err := x.Get(recordKey(d.Key))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	var one scheduled
	if err == nil {
		err = json.Unmarshal(raw, &one)
	}
	if err != nil || d.ID != dueID || !one.Next.Equal(d.At) {
		return nil, fault.Wrap("schedule "+d.Key, err)
	}
	now = now.UTC()
	parsed, err := Parse(one.Pack, one.Schedule)
	if err != nil { // the zones of this machine, not the schedule: another look, here or elsewhere
		one.Next = now.Add(time.Minute).Truncate(time.Microsecond)
		return nil, one.put(x, d.Ctx())
	}
	fire, skipped, next, err := parsed.Due(one.Last, now)
	if err != nil {
		return nil, err
	}
	one.Next, one.Skipped = next, one.Skipped+skipped
	if now.After(one.Last) {
		one.Last = now
	}
	triggers := make([]greentic.Trigger, len(fire))
	for i, due := range fire {
		if triggers[i], err = parsed.Trigger(d.Ctx(), due); err != nil {
			return nil, err
		}
	}
	return triggers, one.put(x, d.Ctx())
}
