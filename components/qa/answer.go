package main

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"greentic.dev/sdk/go/greentic"
)

// words are the messages about answers, unless the configuration has others. A # stands for a limit.
var words = map[string]string{
	"required": "please answer this", "number": "this is no number", "integer": "this is no whole number", "bool": "please say yes or no",
	"choice": "please choose one of: #", "date": "please write a date such as 2026-12-31", "email": "this is no e-mail address", "url": "this is no web address",
	"json": "this is no JSON", "pattern": "this does not have the right form", "short": "at least # please", "long": "at most # please",
	"small": "at least # please", "large": "at most # please",
}

// wrong is what to say about an answer.
func (f *form) wrong(q *question, word, limit string) string {
	if q.Error != nil {
		return f.text(q.Error)
	}
	text, ok := f.Messages[word]
	if !ok {
		text = words[word]
	}
	return strings.ReplaceAll(text, "#", limit)
}

// read is the answer a reply gives, typed, or what is wrong with it. No reply is the default or nil.
func (f *form) read(q *question, reply any) (value any, why string) {
	if s, ok := reply.(string); ok {
		s = strings.TrimSpace(s)
		reply = s
		if s == "" {
			reply = nil
		}
	}
	if reply == nil {
		reply = q.Default
	}
	if reply == nil {
		if q.Required {
			return nil, f.wrong(q, "required", "")
		}
		return nil, ""
	}
	switch q.kind {
	case "number", "integer":
		return f.number(q, reply)
	case "bool":
		return f.yesNo(q, reply)
	case "choice":
		if c, ok := q.choose(plain(reply)); ok {
			return c, ""
		}
		return nil, f.wrong(q, "choice", q.labels())
	case "choices":
		return f.several(q, reply)
	case "date":
		d, err := time.Parse(time.DateOnly, plain(reply))
		if err != nil {
			return nil, f.wrong(q, "date", "")
		}
		return d.Format(time.DateOnly), ""
	case "json":
		if text, ok := reply.(string); ok {
			if err := greentic.DecodeJSON([]byte(text), &value); err != nil {
				return nil, f.wrong(q, "json", "")
			}
			return value, ""
		}
		return reply, ""
	}
	return f.words(q, plain(reply))
}

func (f *form) number(q *question, reply any) (any, string) {
	text := strings.ReplaceAll(plain(reply), " ", "")
	if strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != n || n > 1e300 || n < -1e300 || strings.ContainsAny(text, "xX_") {
		return nil, f.wrong(q, "number", "")
	}
	whole := n == float64(int64(n)) && n < 1<<53 && n > -1<<53
	if q.kind == "integer" && !whole {
		return nil, f.wrong(q, "integer", "")
	}
	if why := f.bounds(q, n, "small", "large"); why != "" {
		return nil, why
	}
	if whole {
		return int64(n), ""
	}
	return n, ""
}

func (f *form) bounds(q *question, n float64, low, high string) string {
	switch {
	case q.Min != nil && n < *q.Min:
		return f.wrong(q, low, strconv.FormatFloat(*q.Min, 'f', -1, 64))
	case q.Max != nil && n > *q.Max:
		return f.wrong(q, high, strconv.FormatFloat(*q.Max, 'f', -1, 64))
	}
	return ""
}

var (
	yes = []string{"true", "yes", "y", "1", "on", "ok", "ja", "j", "oui", "si", "sí", "sì", "sim"}
	no  = []string{"false", "no", "n", "0", "off", "nein", "non", "nee", "não"}
)

func (f *form) yesNo(q *question, reply any) (any, string) {
	text := strings.ToLower(plain(reply))
	switch {
	case slices.Contains(yes, text):
		return true, ""
	case slices.Contains(no, text):
		return false, ""
	}
	return nil, f.wrong(q, "bool", "")
}

// choose finds a choice by its value, its label or its place in the list.
func (q *question) choose(text string) (string, bool) {
	for _, match := range []func(choice) string{func(c choice) string { return c.Value }, func(c choice) string { return c.Label }} {
		for _, c := range q.options {
			if strings.EqualFold(match(c), text) {
				return c.Value, true
			}
		}
	}
	if i, err := strconv.Atoi(strings.Trim(text, ".)#")); err == nil && i >= 1 && i <= len(q.options) {
		return q.options[i-1].Value, true
	}
	return "", false
}

func (q *question) labels() string {
	var list []string
	for _, c := range q.options {
		list = append(list, c.Label)
	}
	return strings.Join(list, ", ")
}

// several reads a list, or a text with commas, as cards and people write them.
func (f *form) several(q *question, reply any) (any, string) {
	items, ok := reply.([]any)
	if !ok {
		for part := range strings.SplitSeq(plain(reply), ",") {
			if part = strings.TrimSpace(part); part != "" {
				items = append(items, part)
			}
		}
	}
	chosen := []any{}
	for _, item := range items {
		c, ok := q.choose(plain(item))
		if !ok {
			return nil, f.wrong(q, "choice", q.labels())
		}
		if !slices.Contains(chosen, any(c)) {
			chosen = append(chosen, c)
		}
	}
	if q.Required && len(chosen) == 0 {
		return nil, f.wrong(q, "required", "")
	}
	return chosen, f.bounds(q, float64(len(chosen)), "short", "long")
}

// address is an e-mail address as people write one: no name beside it, and a domain with a dot.
var address = regexp.MustCompile(`^[^\s@<>()\[\],;:"]+@[^\s@<>()\[\],;:"]+\.[^\s@<>()\[\],;:".]+$`)

// words reads a text.
func (f *form) words(q *question, text string) (any, string) {
	if why := f.bounds(q, float64(utf8.RuneCountInString(text)), "short", "long"); why != "" {
		return nil, why
	}
	switch q.Format {
	case "email":
		if !address.MatchString(text) {
			return nil, f.wrong(q, "email", "")
		}
	case "url":
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, f.wrong(q, "url", "")
		}
	}
	if q.pattern != nil && !q.pattern.MatchString(text) {
		return nil, f.wrong(q, "pattern", "")
	}
	return text, ""
}
