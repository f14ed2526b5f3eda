package bus

import (
	"encoding/json"
	"strings"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Limits, the same for every backend. Sizes are bytes.
const (
	MaxPayload  = 1 << 20
	MaxMetadata = 16 << 10 // keys and values together
	MaxField    = 256      // id, topic, type, source, subject, correlation id; one pattern
	MaxTopics   = 32       // patterns of a subscription
	MaxName     = 64       // of a subscription
	MaxReason   = 4 << 10  // of a dead letter; longer ones are cut
	MaxHeld     = 256      // events of one subscription that are running, waiting for an attempt or for their lane

	Window     = 2 * time.Minute // in which a repeated ID is recognised when it is published
	Remembered = 4096            // events whose IDs a running subscription recognises after it handled them
	Retention  = 7 * 24 * time.Hour
	MaxBackoff = time.Minute
	MaxDelay   = time.Hour // the longest delay RetryAfter is given
)

// CheckEvent refuses an event that breaks a limit, has no ID, topic or type, or whose payload is not JSON.
func CheckEvent(e greentic.Event) error {
	for _, f := range []struct {
		name, value string
		needed      bool
	}{{"id", e.ID, true}, {"topic", e.Topic, true}, {"type", e.Type, true}, {"source", e.Source, false},
		{"subject", e.Subject, false}, {"correlation_id", e.CorrelationID, false}} {
		if f.needed && f.value == "" {
			return fault.Newf(fault.Invalid, "event", "it has no %s", f.name)
		}
		if len(f.value) > MaxField {
			return fault.Newf(fault.Invalid, "event", "its %s has %d bytes, at most %d are allowed", f.name, len(f.value), MaxField)
		}
		if strings.ContainsFunc(f.value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) {
			return fault.Newf(fault.Invalid, "event", "its %s has a control character or is not UTF-8", f.name)
		}
	}
	if len(e.Payload) > MaxPayload {
		return fault.Newf(fault.Invalid, "event", "its payload has %d bytes, at most %d are allowed", len(e.Payload), MaxPayload)
	}
	if len(e.Payload) > 0 && !json.Valid(e.Payload) {
		return fault.New(fault.Invalid, "event", "its payload is not JSON")
	}
	size := 0
	for k, v := range e.Metadata {
		size += len(k) + len(v)
	}
	if size > MaxMetadata {
		return fault.Newf(fault.Invalid, "event", "its metadata has %d bytes, at most %d are allowed", size, MaxMetadata)
	}
	return CheckTopic(e.Topic)
}

// Check is the subscription with its defaults filled in, or why it is refused.
func (s Subscription) Check() (Subscription, error) {
	if err := greentic.CheckID("subscription", s.Name); err != nil {
		return s, err
	}
	if len(s.Name) > MaxName {
		return s, fault.Newf(fault.Invalid, "subscription", "its name has %d bytes, at most %d are allowed", len(s.Name), MaxName)
	}
	if len(s.Topics) == 0 || len(s.Topics) > MaxTopics {
		return s, fault.Newf(fault.Invalid, "subscription "+s.Name, "it has %d topics, 1 to %d are allowed", len(s.Topics), MaxTopics)
	}
	for _, p := range s.Topics {
		if err := CheckPattern(p); err != nil {
			return s, fault.Wrap("subscription "+s.Name, err)
		}
	}
	if s.Attempts < 0 || s.Backoff < 0 || s.Parallel < 0 {
		return s, fault.New(fault.Invalid, "subscription "+s.Name, "attempts, backoff and parallel are not negative")
	}
	if s.Attempts == 0 {
		s.Attempts = 5
	}
	if s.Backoff == 0 {
		s.Backoff = 500 * time.Millisecond
	}
	if s.Parallel == 0 {
		s.Parallel = 8
	}
	s.Parallel = min(s.Parallel, MaxHeld)
	return s, nil
}

// Scope names the (environment, tenant) whose events t may see.
func Scope(t greentic.TenantCtx) (string, error) {
	if err := t.Check(); err != nil {
		return "", err
	}
	return string(t.Env) + "/" + string(t.Tenant), nil
}
