package bus

import (
	"errors"
	"time"

	"greentic.dev/greentic/fault"
)

// RetryAfter gives err the delay after which its event should be tried again, as a
// Retry-After header does. Its kind still decides whether it is.
func RetryAfter(err error, delay time.Duration) error {
	if err == nil {
		return nil
	}
	return &delayed{err, delay}
}

type delayed struct {
	error
	delay time.Duration
}

func (d *delayed) Unwrap() error { return d.error }

// Again decides what becomes of an event whose attempt failed with err: another attempt after
// delay, or none. random is in [0, 1). s must have been checked.
func (s Subscription) Again(err error, attempt int, random float64) (delay time.Duration, again bool) {
	if attempt >= s.Attempts || !fault.KindOf(err).Retryable() {
		return 0, false
	}
	if d := (*delayed)(nil); errors.As(err, &d) {
		return min(max(d.delay, 0), MaxDelay), true
	}
	delay = min(s.Backoff, MaxBackoff)
	for i := 1; i < attempt && delay < MaxBackoff; i++ {
		delay = min(2*delay, MaxBackoff)
	}
	return delay - time.Duration(random*float64(delay)/2), true
}
