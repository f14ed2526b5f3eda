package bus_test

import (
	"testing"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic/fault"
)

func TestTheKindDecidesWhetherAnEventIsTriedAgain(t *testing.T) {
	s, err := bus.Subscription{Name: "s", Topics: []string{"a"}}.Check()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range fault.Kinds() {
		if _, again := s.Again(fault.New(k, "h", "x"), 1, 0); again != k.Retryable() {
			t.Errorf("%s is tried again: %v", k, again)
		}
		if _, again := s.Again(bus.RetryAfter(fault.New(k, "h", "x"), time.Second), 1, 0); again != k.Retryable() {
			t.Errorf("%s with a delay is tried again: %v", k, again)
		}
	}
	if _, again := s.Again(fault.New(fault.Unavailable, "h", "x"), s.Attempts, 0); again {
		t.Error("there is an attempt after the last")
	}
}

func TestTheBackoffDoublesIsJitteredAndBounded(t *testing.T) {
	s, away := bus.Subscription{Attempts: 1000, Backoff: time.Second}, fault.New(fault.Unavailable, "h", "x")
	for _, c := range []struct {
		err     error
		attempt int
		random  float64
		want    time.Duration
	}{
		{away, 1, 0, time.Second}, {away, 2, 0, 2 * time.Second}, {away, 4, 0, 8 * time.Second}, {away, 4, 0.5, 6 * time.Second},
		{away, 7, 0, bus.MaxBackoff}, {away, 900, 0, bus.MaxBackoff},
		{fault.Wrap("outer", bus.RetryAfter(away, 7*time.Second)), 1, 0.9, 7 * time.Second},
		{bus.RetryAfter(away, 100*time.Hour), 1, 0, bus.MaxDelay}, {bus.RetryAfter(away, -1), 1, 0, 0},
	} {
		if got, again := s.Again(c.err, c.attempt, c.random); got != c.want || !again {
			t.Errorf("after attempt %d with %v: %v, want %v", c.attempt, c.err, got, c.want)
		}
	}
	if bus.RetryAfter(nil, time.Second) != nil {
		t.Error("success has no delay")
	}
}
