package systemtest_test

import (
	"fmt"
	"slices"
	"strings"
)

// chained says whether answers are those of the flow chain to texts in their order.
func chained(answers, texts []string) error {
	before := ""
	for i, text := range texts {
		want := text + " after " + before
		if i >= len(answers) || answers[i] != want {
			return fmt.Errorf("answer %d is not %q: %q", i, want, answers)
		}
		before = text
	}
	if len(answers) != len(texts) {
		return fmt.Errorf("%d answers to %d messages: %q", len(answers), len(texts), answers)
	}
	return nil
}

// verdict is what was promised about a conversation and is not so, judged by all that arrived.
func (t *talk) verdict(got []arrived, effects map[string][]string) error {
	answers := textsOf(got)
	var err error
	switch t.kind {
	case "webchat":
		return nil // it was read to its end
	case "chain":
		err = chained(answers, t.texts())
	case "crowd":
		order := make([]string, len(answers))
		for i, a := range answers {
			order[i], _, _ = strings.Cut(a, " ")
		}
		if err = chained(answers, order); err == nil && !slices.Equal(slices.Sorted(slices.Values(order)), slices.Sorted(slices.Values(t.texts()))) {
			err = fmt.Errorf("answers %q", answers)
		}
	case "effect":
		err = t.onceEach(got, effects)
	case "timer", "race":
		err = t.timed(answers)
	case "poison":
		err = t.poisoned(got)
	}
	for i, a := range got {
		if err == nil && a.Key != t.key || a.Tenant != string(t.tenant) {
			err = fmt.Errorf("answer %d came for %s/%s", i, a.Tenant, a.Key)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.lane(), err)
	}
	return nil
}

// onceEach wants an answer and one outside call for each message.
func (t *talk) onceEach(got []arrived, effects map[string][]string) error {
	if len(got) != len(t.says) {
		return fmt.Errorf("%d answers to %d messages: %q", len(got), len(t.says), textsOf(got))
	}
	for i, a := range got {
		if a.Text != t.says[i].text+" kdid" {
			return fmt.Errorf("answer %d is %q", i, a.Text)
		}
		if keys := effects[a.Turn]; len(keys) != 1 {
			return fmt.Errorf("message %d, turn %s, called the outside with the keys %q", i, a.Turn, keys)
		}
	}
	return nil
}

// timed wants "armed" for each message and after it "late" when the wait has ended: always where
// the user waited for it and at the end, else at most once.
func (t *talk) timed(answers []string) error {
	rest := answers
	for i, text := range t.texts() {
		if len(rest) == 0 || rest[0] != "armed "+text {
			return fmt.Errorf("message %d has no answer in its place: %q", i, answers)
		}
		rest = rest[1:]
		switch {
		case len(rest) > 0 && rest[0] == "late: armed "+text:
			rest = rest[1:]
		case t.kind == "timer" || i == len(t.says)-1:
			return fmt.Errorf("the wait after message %d has not ended: %q", i, answers)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("too many answers: %q", answers)
	}
	return nil
}

// poisoned wants an apology with a reference for each "boom" and an answer for everything else.
func (t *talk) poisoned(got []arrived) error {
	if len(got) != len(t.says) {
		return fmt.Errorf("%d answers to %d messages: %q", len(got), len(t.says), textsOf(got))
	}
	for i, text := range t.texts() {
		a := got[i]
		fits := a.Text == "ate "+text
		if text == "boom" {
			fits = strings.Contains(a.Text, "reference "+a.Turn)
		}
		if !fits {
			return fmt.Errorf("answer %d is %q", i, a.Text)
		}
	}
	return nil
}
