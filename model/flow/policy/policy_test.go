package policy_test

import (
	"testing"
	"time"

	"greentic.dev/model/flow/policy"
)

func TestAPauseGrowsUpToItsLimitAndIsNeverLessThanAsked(t *testing.T) {
	r := &policy.Retry{Attempts: 5, Backoff: 100 * time.Millisecond, MaxBackoff: 300 * time.Millisecond, Multiplier: 2}
	for try, want := range map[int]time.Duration{1: 100, 2: 200, 3: 300, 4: 300} {
		if got := r.Delay(0, try); got != want*time.Millisecond {
			t.Errorf("after try %d: %v", try, got)
		}
	}
	if got := r.Delay(time.Hour, 1); got != time.Hour {
		t.Errorf("asked for an hour: %v", got)
	}
	if !r.Again("x", "", true, 4) || r.Again("x", "", false, 4) || r.Again("x", "", true, 5) || (*policy.Retry)(nil).Again("x", "", true, 1) {
		t.Error("tries are counted wrong")
	}
}
