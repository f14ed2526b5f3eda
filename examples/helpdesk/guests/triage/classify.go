package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ticket is what classify finds.
type ticket struct{ category, priority, summary string }

// category is a subject and the beginnings of words that speak for it.
type category struct {
	name  string
	words []string
}

// The order decides between equals.
var categories = []category{
	{"access", []string{"password", "passwort", "login", "log", "anmeld", "account", "konto", "locked", "gesperrt", "zugang", "access", "2fa", "token"}},
	{"network", []string{"network", "netzwerk", "wifi", "wlan", "vpn", "internet", "router", "offline", "verbindung", "connection", "dns"}},
	{"printer", []string{"print", "druck", "toner", "scanner", "scan", "papier", "paper"}},
	{"hardware", []string{"laptop", "notebook", "screen", "bildschirm", "monitor", "keyboard", "tastatur", "mouse", "maus", "akku", "battery", "headset", "docking", "telefon", "phone"}},
	{"software", []string{"software", "install", "update", "excel", "word", "outlook", "mail", "app", "programm", "crash", "absturz", "lizenz", "license", "browser"}},
}

var (
	urgentWords = []string{"urgent", "dringend", "asap", "immediately", "sofort", "emergency", "notfall", "everybody", "everyone", "alle", "brennt", "fire", "feuer", "outage", "ausfall", "production", "produktion"}
	calmWords   = []string{"whenever", "someday", "irgendwann", "question", "frage", "wish", "wunsch", "gelegenheit", "nice"}
)

// classify reads a problem: the category with most words in it, high priority as soon as one
// word says so, low only when no word speaks against it.
func classify(text string) ticket {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	t := ticket{category: "other", priority: "normal", summary: summarise(text)}
	best := 0
	for _, c := range categories {
		if n := count(words, c.words); n > best {
			best, t.category = n, c.name
		}
	}
	switch {
	case count(words, urgentWords) > 0:
		t.priority = "high"
	case count(words, calmWords) > 0:
		t.priority = "low"
	}
	return t
}

// count is how many words begin with one of the beginnings.
func count(words, beginnings []string) int {
	n := 0
	for _, w := range words {
		for _, b := range beginnings {
			if strings.HasPrefix(w, b) {
				n++
				break
			}
		}
	}
	return n
}

const maxSummary = 80 // runes

// summarise is the first sentence on one line, cut at a word when it is long.
func summarise(text string) string {
	line := strings.Join(strings.Fields(text), " ")
	for i, r := range line {
		if (r == '.' || r == '!' || r == '?') && (i+1 == len(line) || line[i+1] == ' ') {
			line = strings.TrimRight(line[:i+1], ".")
			break
		}
	}
	if utf8.RuneCountInString(line) <= maxSummary {
		return line
	}
	short := string([]rune(line)[:maxSummary-1])
	if i := strings.LastIndexByte(short, ' '); i > 0 {
		short = short[:i]
	}
	return short + "…"
}
