package pack

import (
	"slices"
	"strings"
	"testing"
)

// item is a map of an extension with some keys changed; nil takes one away.
func item(base map[string]any, changes map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range []map[string]any{base, changes} {
		for k, v := range m {
			if out[k] = v; v == nil {
				delete(out, k)
			}
		}
	}
	return out
}

func withEvents(t *testing.T, inline any) *Archive {
	t.Helper()
	src := sample()
	src.Manifest.Extensions[ExtEvents] = map[string]any{"kind": ExtEvents, "version": "1", "inline": inline}
	return open(t, build(t, src))
}

func schedule() map[string]any {
	return map[string]any{"id": "daily", "cron": "30 8 * * MON-FRI", "zone": "Europe/Berlin", "catch_up": "all", "catch_up_limit": 3, "catch_up_age": "36h",
		"flow": sample().Manifest.Flows[0].ID, "input": map[string]any{"report": "sales", "days": 7}}
}

func subscription() map[string]any {
	return map[string]any{"id": "orders", "topics": []any{"orders.*.created", "returns.>"}, "flow": sample().Manifest.Flows[0].ID}
}

func TestSchedulesAndSubscriptionsAreRead(t *testing.T) {
	a := withEvents(t, map[string]any{"schedules": []any{schedule()}, "subscriptions": []any{subscription()}})
	schedules, subscriptions := a.Events()
	if len(a.Findings()) > 0 || len(schedules) != 1 || len(subscriptions) != 1 {
		t.Fatalf("%v %v %v", schedules, subscriptions, a.Findings())
	}
	s := schedules[0]
	if age, err := s.Age(); s.ID != "daily" || s.Zone != "Europe/Berlin" || s.CatchUpLimit != 3 || age.Hours() != 36 || err != nil || string(s.Input) != `{"days":7,"report":"sales"}` {
		t.Errorf("%+v %s", s, s.Input)
	}
	if len(subscriptions[0].Topics) != 2 || subscriptions[0].Topics[1] != "returns.>" {
		t.Errorf("%+v", subscriptions[0])
	}
	if schedules, subscriptions = open(t, build(t, sample())).Events(); schedules != nil || subscriptions != nil {
		t.Error("a pack without the extension has some")
	}
}

func TestMalformedEventsAreFindingsAndNothingRuns(t *testing.T) {
	one := func(changes map[string]any) any {
		return map[string]any{"schedules": []any{item(schedule(), changes)}, "subscriptions": []any{subscription()}}
	}
	sub := func(changes map[string]any) any {
		return map[string]any{"subscriptions": []any{item(subscription(), changes)}}
	}
	for _, c := range []struct {
		inline    any
		what, fix string
	}{
		{"text", "no map", ""},
		{map[string]any{"shedules": []any{}}, "shedules", "did you mean schedules?"},
		{map[string]any{"schedules": "text"}, "schedules", ""},
		{map[string]any{"schedules": []any{"text"}}, "no map", ""},
		{one(map[string]any{"catchup": "all"}), "catchup", "did you mean catch_up?"},
		{one(map[string]any{"id": "a b"}), "identifier", ""},
		{one(map[string]any{"cron": "30 25 * * *"}), `"25" as its hour`, "0 to 23"},
		{one(map[string]any{"cron": nil}), "0 fields", "MON-FRI"},
		{one(map[string]any{"zone": "Europe/Berln"}), "no time zone", "did you mean Europe/Berlin?"},
		{one(map[string]any{"catch_up": "al"}), "al", "did you mean all?"},
		{one(map[string]any{"catch_up_limit": 5000}), "5000", "1 to 1000"},
		{one(map[string]any{"catch_up_age": "8 days"}), "8 days", "36h"},
		{one(map[string]any{"catch_up_age": "169h"}), "169h", "36h"},
		{one(map[string]any{"flow": sample().Manifest.Flows[0].ID + "x"}), "flow", "did you mean " + sample().Manifest.Flows[0].ID},
		{map[string]any{"schedules": []any{schedule(), schedule()}}, "used twice", "its own id"},
		{sub(map[string]any{"topics": []any{}}), "topics", "1 to 32"},
		{sub(map[string]any{"topics": slices.Repeat([]any{"a"}, 33)}), "topics", "1 to 32"},
		{sub(map[string]any{"topics": []any{strings.Repeat("a", 257)}}), "256", "shorter"},
		{sub(map[string]any{"topics": []any{"a..b"}}), "a..b", "for example"},
		{sub(map[string]any{"topics": []any{">.a"}}), ">.a", "for example"},
		{sub(map[string]any{"topic": "a"}), "topic", "did you mean topics?"},
	} {
		a := withEvents(t, c.inline)
		schedules, subscriptions := a.Events()
		if len(schedules)+len(subscriptions) > 0 || !has(a.Findings(), Error, "PACK_EVENTS_INVALID") {
			t.Errorf("%v: %v %v %v", c.inline, schedules, subscriptions, a.Findings())
			continue
		}
		f := a.Findings()[0]
		if !strings.Contains(f.Message, c.what) || !strings.Contains(f.Hint, c.fix) || f.Hint == "" {
			t.Errorf("%v: %s; hint %q", c.inline, f.Message, f.Hint)
		}
	}
}
