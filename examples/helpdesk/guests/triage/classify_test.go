package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAProblemFindsItsCategoryAndPriority(t *testing.T) {
	for _, c := range []struct{ text, category, priority, summary string }{
		{"The printer is out of toner.", "printer", "normal", "The printer is out of toner"},
		{"URGENT: nobody gets through the VPN! Please help.", "network", "high", "URGENT: nobody gets through the VPN!"},
		{"Ich habe mein Passwort vergessen", "access", "normal", "Ich habe mein Passwort vergessen"},
		{"Bei Gelegenheit: der Bildschirm flackert", "hardware", "low", "Bei Gelegenheit: der Bildschirm flackert"},
		{"Outlook stürzt beim Update ab, dringend", "software", "high", "Outlook stürzt beim Update ab, dringend"},
		{"Hm", "other", "normal", "Hm"},
		{"  two\n\tlines  ", "other", "normal", "two lines"},
		{"Version 1.5 is broken", "other", "normal", "Version 1.5 is broken"},
	} {
		if got := classify(c.text); got != (ticket{c.category, c.priority, c.summary}) {
			t.Errorf("%q: %+v", c.text, got)
		}
	}
}

func TestALongProblemIsCutAtAWord(t *testing.T) {
	got := classify(strings.Repeat("überaus lang ", 30)).summary
	if utf8.RuneCountInString(got) > maxSummary || !strings.HasSuffix(got, "lang…") && !strings.HasSuffix(got, "überaus…") {
		t.Errorf("summary %q", got)
	}
}

func TestTheOperationSaysWhatToDoNext(t *testing.T) {
	for text, status := range map[string]string{"Feuer!": "urgent", "Hm": "normal", "": "empty"} {
		if out, err := run(nil, problem{Text: text}); err != nil || out.Status != status {
			t.Errorf("%q: %+v, %v", text, out, err)
		}
	}
}
