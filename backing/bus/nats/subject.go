package nats

import (
	"fmt"
	"strings"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
)

// Streams and consumers have names, events have subjects. Everything of a tenant stands below
// greentic.<kind>.<env>.<tenant>, so that a server's permissions can speak of it.
const (
	eventKind = "events"
	retryKind = "retry" // dead letters on their way back to one subscription
	deadKind  = "dead"

	deadStream = "greentic-dead"
)

// escape makes one token of any text: lower-case letters, digits, '-' and '_' stay, every other
// byte becomes "=xx". Upper case is escaped because streams and consumers are folders, and
// some file systems do not tell A from a.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	return b.String()
}

func subject(kind string, t greentic.TenantCtx, rest string) string {
	return "greentic." + kind + "." + escape(string(t.Env)) + "." + escape(string(t.Tenant)) + "." + rest
}

// words escapes a topic or pattern word by word.
func words(pattern string) string {
	list := strings.Split(pattern, ".")
	for i, word := range list {
		if word != "*" && word != ">" {
			list[i] = escape(word)
		}
	}
	return strings.Join(list, ".")
}

// streamName is short whatever the tenant is called; the stream's metadata says who it is.
func streamName(scope string) string {
	return "greentic-events-" + greentic.DigestOf([]byte(scope)).Hex()[:32]
}

// filters are the subjects of a subscription. JetStream refuses subjects that overlap; then the
// consumer gets all of the tenant's events and the subscription looks at the topic.
func filters(t greentic.TenantCtx, s bus.Subscription) []string {
	retry := subject(retryKind, t, escape(s.Name))
	list := []string{retry}
	for i, p := range s.Topics {
		for _, q := range s.Topics[:i] {
			if overlap(p, q) {
				return []string{subject(eventKind, t, ">"), retry}
			}
		}
		list = append(list, subject(eventKind, t, words(p)))
	}
	return list
}

// overlap says whether some topic matches both patterns.
func overlap(p, q string) bool {
	for {
		a, restA, moreA := strings.Cut(p, ".")
		b, restB, moreB := strings.Cut(q, ".")
		switch {
		case a == ">" || b == ">":
			return true
		case a != "*" && b != "*" && a != b || moreA != moreB:
			return false
		case !moreA:
			return true
		}
		p, q = restA, restB
	}
}
