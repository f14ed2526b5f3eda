package pack

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
	"greentic.dev/model/cron"
)

// ExtEvents is the extension that says which flows run at what times and on which events
// (docs/decisions/0022-schedules-and-subscriptions.md).
const ExtEvents = "greentic.events.v1"

// Catch-up policies: what becomes of times that passed while nothing ran.
const (
	CatchUpNone = "none" // nothing, after a minute
	CatchUpLast = "last" // the last one fires
	CatchUpAll  = "all"  // each fires
)

// The limits of catching up.
const (
	DefaultCatchUp = 100                // fires, for CatchUpAll
	MaxCatchUp     = 1000               // fires
	MaxCatchUpAge  = 7 * 24 * time.Hour // also the default: as long as fires are remembered
)

// What a bus takes of one subscription.
const (
	maxTopics = 32
	maxTopic  = 256 // bytes
)

// Schedule runs a flow at the times of a cron expression.
type Schedule struct {
	ID           string          `json:"id"`                       // unique in its pack
	Cron         string          `json:"cron"`                     // see cron.Parse
	Zone         string          `json:"zone,omitempty"`           // IANA name; empty: UTC
	CatchUp      string          `json:"catch_up,omitempty"`       // empty: none
	CatchUpLimit int             `json:"catch_up_limit,omitempty"` // newest that fire, for all; 0: 100
	CatchUpAge   string          `json:"catch_up_age,omitempty"`   // oldest that fires, for last and all, for example 36h; empty: 7 days
	Flow         string          `json:"flow"`                     // of the same pack
	Input        json.RawMessage `json:"input,omitempty"`          // the payload of its events; empty: {}
}

// Subscription runs a flow for each event of its topics.
type Subscription struct {
	ID     string   `json:"id"`     // unique in its pack
	Topics []string `json:"topics"` // names; * stands for one part, > for all that follow
	Flow   string   `json:"flow"`   // of the same pack
}

// Events is the extension greentic.events.v1: nothing when the pack has none or it cannot be
// read. Do not change it.
func (a *Archive) Events() (schedules []Schedule, subscriptions []Subscription) {
	doc, _ := a.events()
	return doc.Schedules, doc.Subscriptions
}

type eventsDoc struct {
	Schedules     []Schedule     `json:"schedules"`
	Subscriptions []Subscription `json:"subscriptions"`
}

func (a *Archive) events() (eventsDoc, []Finding) {
	inline := a.manifest.Extension(ExtEvents)
	if inline == nil {
		return eventsDoc{}, nil
	}
	doc, err := readEvents(inline)
	if err == nil {
		err = doc.check(a.manifest)
	}
	if err == nil {
		return doc, nil
	}
	_, fix, _ := fault.Detail(err)
	f := found(Error, "PACK_EVENTS_INVALID", manifestPath, "%s: %v", ExtEvents, err)
	return eventsDoc{}, []Finding{f.hint(or(fix, "no schedule and no subscription of the pack works until this is repaired"))}
}

// readEvents refuses keys it does not know: a misspelt catch_up would be a silent loss.
func readEvents(inline any) (doc eventsDoc, err error) {
	err = knownKeys("extension", inline, "schedules", "subscriptions")
	top, _ := inline.(map[string]any)
	for list, keys := range map[string][]string{
		"schedules":     {"id", "cron", "zone", "catch_up", "catch_up_limit", "catch_up_age", "flow", "input"},
		"subscriptions": {"id", "topics", "flow"},
	} {
		items, _ := top[list].([]any)
		for _, item := range items {
			if err == nil {
				err = knownKeys(list, item, keys...)
			}
		}
	}
	if err != nil {
		return doc, err
	}
	raw, err := json.Marshal(inline)
	if err == nil {
		err = json.Unmarshal(raw, &doc)
	}
	return doc, fault.As(fault.Invalid, "extension", err)
}

func knownKeys(what string, v any, known ...string) error {
	doc, ok := v.(map[string]any)
	if !ok {
		return fault.New(fault.Invalid, what, "an item is no map")
	}
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		if !slices.Contains(known, key) {
			return unknown(what, "key", key, known)
		}
	}
	return nil
}

// unknown is the refusal of a name, with the nearest one, or all, as its fix.
func unknown(op, what, name string, known []string) error {
	err := fault.Newf(fault.Invalid, op, "%s %.80q is not known", what, name)
	if near := nearest.Word(name, known); near != "" {
		return err.WithFix("did you mean " + near + "?")
	}
	return err.WithFix("write one of " + strings.Join(known, ", "))
}

func (d eventsDoc) check(m *Manifest) error {
	seen := map[string]bool{}
	one := func(what, id, flow string, check func() error) error {
		op := what + " " + printable(id)
		switch {
		case seen[op]:
			return fault.New(fault.Invalid, op, "the id is used twice").WithFix("give each " + what + " its own id")
		case !m.hasFlow(flow):
			var flows []string
			for _, f := range m.Flows {
				flows = append(flows, f.ID)
			}
			return unknown(op, "flow", flow, flows)
		}
		seen[op] = true
		return fault.Wrap(op, check())
	}
	for _, s := range d.Schedules {
		if err := one("schedule", s.ID, s.Flow, s.Check); err != nil {
			return err
		}
	}
	for _, s := range d.Subscriptions {
		if err := one("subscription", s.ID, s.Flow, s.Check); err != nil {
			return err
		}
	}
	return nil
}

// Check refuses a schedule that could not run; the error is fault.Invalid, names the field and
// has a fix.
func (s Schedule) Check() error {
	if err := greentic.CheckID("id", s.ID); err != nil {
		return err
	}
	if _, err := cron.Parse(s.Cron); err != nil {
		return err
	}
	if err := cron.CheckZone(s.Zone); err != nil {
		return err
	}
	policies := []string{CatchUpNone, CatchUpLast, CatchUpAll}
	if s.CatchUp != "" && !slices.Contains(policies, s.CatchUp) {
		return unknown("catch_up", "policy", s.CatchUp, policies)
	}
	if s.CatchUpLimit < 0 || s.CatchUpLimit > MaxCatchUp {
		return fault.Newf(fault.Invalid, "catch_up_limit", "%d fires", s.CatchUpLimit).WithFix("write a number from 1 to " + strconv.Itoa(MaxCatchUp))
	}
	if age, err := s.Age(); err != nil || age <= 0 || age > MaxCatchUpAge {
		return fault.Newf(fault.Invalid, "catch_up_age", "%.80q", s.CatchUpAge).WithFix("write a duration up to " + MaxCatchUpAge.String() + ", for example 36h")
	}
	return nil
}

// Age is CatchUpAge or its default.
func (s Schedule) Age() (time.Duration, error) {
	if s.CatchUpAge == "" {
		return MaxCatchUpAge, nil
	}
	return time.ParseDuration(s.CatchUpAge)
}

// Check refuses a subscription that could not run; the error is as that of a schedule's.
func (s Subscription) Check() error {
	if err := greentic.CheckID("id", s.ID); err != nil {
		return err
	}
	if n := len(s.Topics); n == 0 || n > maxTopics {
		return fault.Newf(fault.Invalid, "topics", "there are %d", n).WithFix("name 1 to " + strconv.Itoa(maxTopics) + " topics")
	}
	for _, topic := range s.Topics {
		if len(topic) > maxTopic {
			return fault.Newf(fault.Invalid, "topics", "%.80q… has more than %d bytes", topic, maxTopic).WithFix("write a shorter topic")
		}
		parts := strings.Split(topic, ".")
		for i, part := range parts {
			if part == "*" || part == ">" && i == len(parts)-1 {
				continue
			}
			if err := greentic.CheckID("topics", part); err != nil {
				return fault.Newf(fault.Invalid, "topics", "%.80q is no topic", topic).WithFix("write names with dots between, for example orders.created; * stands for one part, > at the end for all that follow")
			}
		}
	}
	return nil
}
