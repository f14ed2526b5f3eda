package runner_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/runner"
)

// A turn whose time is over undoes what it did as one that fails does, whether a component is in the way
// or a pause, and may take as long for it again. It is recorded, and runs again from the record.
func TestATurnWhoseTimeIsOverUndoesWhatItDid(t *testing.T) {
	stuck := strings.Replace(trip, "operation: t, input: {} }", "operation: l, input: {} }", 1)
	for name, c := range map[string]struct {
		flow  string
		steps []string
	}{
		"in a call":                  {stuck, []string{"car invoke 1", "car late 1"}},
		"in a call whose node fails": {strings.Replace(stuck, "input: {} }", "input: {} }\n    retry: { attempts: 9, on: [any] }", 1), []string{"car invoke 1", "car late 1"}},
		"in a pause": {strings.Replace(trip, "operation: t, input: {} }", "operation: t, input: {} }\n    retry: { attempts: 2, backoff: 3s, multiplier: 1, on: [any] }", 1),
			[]string{"car invoke 1", "car retry 1", "car late 2"}},
		"at the end of what is undone": {strings.Replace(stuck, "    routing: [{ to: hotel }]", "    routing: [{ to: car }]", 1), []string{"car invoke 1", "car late 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.options.TurnTime = 2 * time.Second
			u := newUpstream(t, func(path string, _ int) string { return fmt.Sprintf(`{"id":%q}`, strings.Trim(path, "/")+"-1") })
			run, _ := r.startCalling(u, caller(t, u, c.flow))
			result := turn(t, run, say("k", "1", "a"))
			if result.Status != greentic.TurnFailed || !fault.Is(result.Err, fault.Timeout) || !strings.Contains(result.Err.Error(), "2s") || len(result.Replies) != 1 {
				t.Errorf("%+v", result)
			}
			before, undone := []string{"hello emit", "flight invoke 1", "hotel invoke 1"}, []string{"cancel_hotel invoke 1", "cancel_flight invoke 1"}
			if !strings.Contains(c.flow, "to: hotel") {
				before, undone = before[:2], undone[1:]
			}
			if got, want := r.steps("k"), slices.Concat(before, c.steps, undone, []string{"car fail"}); !slices.Equal(got, want) {
				t.Errorf("the record says %q, want %q", got, want)
			}
			if got := u.paths(); len(got) != len(before)-1+len(undone) {
				t.Errorf("the calls were %q", got)
			}
			if list := letters(t, r); len(list) != 1 || list[0].Code != "turn_deadline" {
				t.Errorf("dead letters %+v", list)
			}
			replayed, err := run.Replay(t.Context(), greentic.DefaultTenant(), "k", runner.ReplayOptions{})
			if raw, _ := json.Marshal(replayed); err != nil || !replayed.Equal {
				t.Errorf("replayed: %s %v", raw, err)
			}
		})
	}
}

// Undoing has its end, too: what hangs in it is given up, and the turn ends.
func TestUndoingThatHangsEndsAfterAsLongAgain(t *testing.T) {
	r := newRig(t)
	r.options.TurnTime = 500 * time.Millisecond
	u := newUpstream(t, func(path string, _ int) string { return `{"id":"1"}` })
	hangs := strings.Replace(trip, "POST /cancel/flight/{{prev.id}}", "component.exec: { component: test.moody, operation: l, input: {} }", 1)
	run, _ := r.startCalling(u, caller(t, u, hangs))
	began := time.Now()
	result := turn(t, run, say("k", "1", "a"))
	if took := time.Since(began); result.Status != greentic.TurnFailed || took < 500*time.Millisecond {
		t.Errorf("%v after %v", result, took)
	}
	if got := u.paths(); !slices.Equal(got, []string{"/flight", "/hotel", "/cancel/hotel/1"}) {
		t.Errorf("the calls were %q", got)
	}
	if result := turn(t, run, say("k2", "1", "a")); result.Status != greentic.TurnFailed {
		t.Errorf("another conversation: %+v", result)
	}
}
