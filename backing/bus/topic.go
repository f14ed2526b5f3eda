package bus

import (
	"strings"

	"greentic.dev/greentic/fault"
)

// CheckTopic refuses what is no topic: words joined by '.', none of them empty, without '*' and '>'.
func CheckTopic(topic string) error {
	for word := range strings.SplitSeq(topic, ".") {
		if word == "" {
			return fault.Newf(fault.Invalid, "topic", "%q has an empty word", topic)
		}
	}
	if strings.ContainsAny(topic, "*>") {
		return fault.Newf(fault.Invalid, "topic", "%q has '*' or '>', which only patterns have", topic)
	}
	return nil
}

// CheckPattern refuses what is no pattern: a topic in which a word may be "*" (any one word) and
// the last may be ">" (one or more words).
func CheckPattern(pattern string) error {
	if len(pattern) > MaxField {
		return fault.Newf(fault.Invalid, "topic", "the pattern has %d bytes, at most %d are allowed", len(pattern), MaxField)
	}
	words := strings.Split(pattern, ".")
	for i, word := range words {
		if word == "*" || word == ">" && i == len(words)-1 {
			continue
		}
		if CheckTopic(word) != nil {
			return fault.Newf(fault.Invalid, "topic", "%q is no pattern: word %d is %q", pattern, i+1, word).
				WithFix("let a whole word be * for any one word, or the last be > for all that follow")
		}
	}
	return nil
}

// Match says whether a topic is one of a pattern's.
func Match(pattern, topic string) bool {
	for {
		want, patterns, more := strings.Cut(pattern, ".")
		word, topics, others := strings.Cut(topic, ".")
		if want == ">" {
			return true
		}
		if want != "*" && want != word || more != others {
			return false
		}
		if !more {
			return true
		}
		pattern, topic = patterns, topics
	}
}

// Wants says whether any of the subscription's patterns has the topic.
func (s Subscription) Wants(topic string) bool {
	for _, p := range s.Topics {
		if Match(p, topic) {
			return true
		}
	}
	return false
}
