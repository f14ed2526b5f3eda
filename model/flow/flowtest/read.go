package flowtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
	"greentic.dev/model/flow/source"
)

// Limits of a suite.
const (
	MaxCases = 1000
	MaxSteps = 200 // of one case
	maxWrong = 50
)

// Read reads a suite; file is its name. Every error it finds is one fault.Invalid with the place,
// the line and what was probably meant; there are none when the suite is good.
func Read(file string, src []byte) (*Suite, []*fault.Error) {
	r := &reader{suite: &Suite{File: file, src: src, lines: strings.Split(string(src), "\n")}}
	doc, found := source.Read(src)
	for _, f := range found {
		r.wrong(f.Pos, f.Fix, "%s", strings.ReplaceAll(f.Message, "flow", "test"))
	}
	if len(found) == 0 {
		r.read(doc)
	}
	return r.suite, r.found
}

type reader struct {
	suite *Suite
	found []*fault.Error
}

func (r *reader) wrong(p source.Pos, fix, format string, args ...any) {
	if len(r.found) < maxWrong {
		r.found = append(r.found, fault.Newf(fault.Invalid, "flow test", format, args...).WithCode("FlowTest").WithFix(fix).At(r.suite.position(p)))
	}
}

// position is a place of the suite with its line.
func (s *Suite) position(p source.Pos) fault.Position {
	pos := fault.Position{File: s.File, Line: p.Line, Col: p.Col}
	if p.Line > 0 && p.Line <= len(s.lines) {
		pos.Excerpt = strings.TrimRight(s.lines[p.Line-1], "\r")
	}
	return pos
}

// keys refuses the keys of a map that are not among those known; false when it is no map.
func (r *reader) keys(what string, v *source.Value, known ...string) bool {
	if v == nil || !v.IsMap() {
		if v != nil {
			r.wrong(v.Pos, "use "+strings.Join(known, ", "), "%s must be a map", what)
		}
		return false
	}
	for _, f := range v.Fields {
		if !slices.Contains(known, f.Key) {
			fix := "use " + strings.Join(known, ", ")
			if near := nearest.Word(f.Key, known); near != "" {
				fix = "did you mean " + near + "?"
			}
			r.wrong(f.Pos, fix, "%s does not know %s", what, f.Key)
		}
	}
	return true
}

// list are the items of a list; none, and a finding, when it is something else.
func (r *reader) list(what string, v *source.Value) []*source.Value {
	if v == nil || v.Plain == nil {
		return nil
	}
	if _, ok := v.Plain.([]any); !ok {
		r.wrong(v.Pos, "write a list", "%s must be a list", what)
	}
	return v.Items
}

func (r *reader) text(v *source.Value, key string) string {
	f := v.Field(key)
	if f == nil || f.Plain == nil {
		return ""
	}
	s, ok := f.Plain.(string)
	if !ok {
		r.wrong(f.Pos, "put it in quotes", "%s must be a text", key)
	}
	return s
}

func (r *reader) texts(v *source.Value, key string) map[string]string {
	f := v.Field(key)
	if f == nil || f.Plain == nil {
		return nil
	}
	if !f.IsMap() {
		r.wrong(f.Pos, "write { name: text }", "%s must be a map of texts", key)
		return nil
	}
	out := map[string]string{}
	for _, one := range f.Fields {
		s, ok := one.Plain.(string)
		if !ok {
			r.wrong(one.Value.Pos, "put it in quotes", "%s of %s must be a text", one.Key, key)
		}
		out[one.Key] = s
	}
	return out
}

func (r *reader) words(v *source.Value, key string) []string {
	f := v.Field(key)
	if f == nil {
		return nil
	}
	out := []string{}
	for _, item := range r.list(key, f) {
		s, ok := item.Plain.(string)
		if !ok {
			r.wrong(item.Pos, "put it in quotes", "%s holds texts", key)
		}
		out = append(out, s)
	}
	return out
}

func (r *reader) duration(v *source.Value, key string) time.Duration {
	f := v.Field(key)
	if f == nil {
		return 0
	}
	s, _ := f.Plain.(string)
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > 10*366*24*time.Hour {
		r.wrong(f.Pos, `write a duration such as "90s" or "2h"`, "%s is no duration from 1ns to ten years: %v", key, f.Plain)
	}
	return d
}

func (r *reader) clock(v *source.Value) time.Time {
	s := r.text(v, "clock")
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		r.wrong(v.Field("clock").Pos, `write "2026-01-05T08:00:00Z"`, "clock is no time: %s", s)
	}
	return at
}

func (r *reader) times(v *source.Value) int {
	f := v.Field("times")
	if f == nil {
		return 0
	}
	n, ok := f.Plain.(int64)
	if !ok || n < 1 || n > 1_000_000 {
		r.wrong(f.Pos, "write times: 1", "times must be a whole number from 1")
	}
	return int(n)
}

func (r *reader) read(doc *source.Value) {
	s := r.suite
	if !r.keys("a flow test", doc, "flow", "clock", "locale", "tenant", "secrets", "mocks", "http", "cases") {
		return
	}
	s.Flow, s.Locale, s.Tenant, s.Clock = r.text(doc, "flow"), r.text(doc, "locale"), r.text(doc, "tenant"), r.clock(doc)
	s.Secrets, s.Mocks, s.HTTP = r.texts(doc, "secrets"), r.mocks(doc.Field("mocks")), r.exchanges(doc.Field("http"))
	cases := doc.Field("cases")
	if cases == nil || len(cases.Items) == 0 {
		r.wrong(doc.Pos, "add cases: [{ case: NAME, steps: [{ say: hello }] }]", "the test has no cases")
		return
	}
	if len(cases.Items) > MaxCases {
		r.wrong(cases.Pos, "split the test", "%d cases are more than %d", len(cases.Items), MaxCases)
		return
	}
	seen := map[string]bool{}
	for _, v := range r.list("cases", cases) {
		c := r.oneCase(v)
		if c.Name != "" && seen[c.Name] {
			r.wrong(v.Pos, "rename one", "two cases are called %q", c.Name)
		}
		seen[c.Name] = true
		s.Cases = append(s.Cases, c)
	}
}

func (r *reader) oneCase(v *source.Value) Case {
	c := Case{Pos: v.Pos, at: v}
	if !r.keys("a case", v, "case", "locale", "user", "clock", "budget", "secrets", "state", "mocks", "http", "steps", "state_after") {
		return c
	}
	c.Name, c.Locale, c.User, c.Clock, c.Budget = r.text(v, "case"), r.text(v, "locale"), r.text(v, "user"), r.clock(v), r.duration(v, "budget")
	if c.Name == "" {
		r.wrong(v.Pos, "add case: WHAT IS PROMISED", "a case needs a name")
	}
	c.Secrets, c.Mocks, c.HTTP = r.texts(v, "secrets"), r.mocks(v.Field("mocks")), r.exchanges(v.Field("http"))
	c.State, c.After = r.values(v, "state"), r.values(v, "state_after")
	steps := r.list("steps", v.Field("steps"))
	if len(steps) == 0 {
		r.wrong(v.Pos, "add steps: [{ say: hello }]", "case %q has no steps", c.Name)
	}
	if len(steps) > MaxSteps {
		r.wrong(v.Field("steps").Pos, "split the case", "%d steps are more than %d", len(steps), MaxSteps)
		return c
	}
	for _, step := range steps {
		c.Steps = append(c.Steps, r.step(step))
	}
	return c
}

func (r *reader) values(v *source.Value, key string) map[string]any {
	f := v.Field(key)
	if f == nil || f.Plain == nil {
		return nil
	}
	m, ok := f.Plain.(map[string]any)
	if !ok {
		r.wrong(f.Pos, "write { key: value }", "%s must be a map", key)
	}
	return m
}

func (r *reader) mocks(v *source.Value) (out []Mock) {
	for _, item := range r.list("mocks", v) {
		m := Mock{Pos: item.Pos}
		if !r.keys("a mock", item, "component", "operation", "input", "times", "answer", "error") {
			continue
		}
		m.Component, m.Operation, m.Times = r.text(item, "component"), r.text(item, "operation"), r.times(item)
		if in := item.Field("input"); in != nil {
			m.Input = in.Plain
		}
		answer, fail := item.Field("answer"), item.Field("error")
		switch {
		case (answer == nil) == (fail == nil):
			r.wrong(item.Pos, "write answer: { … } or error: { code: … }", "a mock needs answer or error, one of both")
		case answer != nil:
			m.Answer = answer.Plain
		default:
			m.Fail = r.fail(fail)
		}
		out = append(out, m)
	}
	return out
}

func (r *reader) fail(v *source.Value) *Fail {
	if code, ok := v.Plain.(string); ok {
		return &Fail{Code: code}
	}
	if !r.keys("error", v, "code", "message", "retryable") {
		return &Fail{}
	}
	f := &Fail{Code: r.text(v, "code"), Message: r.text(v, "message")}
	if again := v.Field("retryable"); again != nil {
		ok := false
		if f.Retryable, ok = again.Plain.(bool); !ok {
			r.wrong(again.Pos, "write true or false", "retryable must be true or false")
		}
	}
	if f.Code == "" {
		r.wrong(v.Pos, "add code: unavailable", "error needs a code")
	}
	return f
}

func (r *reader) exchanges(v *source.Value) (out []Exchange) {
	for _, item := range r.list("http", v) {
		x := Exchange{Pos: item.Pos, Status: 200}
		if !r.keys("an http mock", item, "method", "url", "headers", "body", "times", "answer", "error") {
			continue
		}
		x.Method, x.URL, x.Header, x.Times = strings.ToUpper(r.text(item, "method")), r.text(item, "url"), r.texts(item, "headers"), r.times(item)
		if body := item.Field("body"); body != nil {
			x.Body = body.Plain
		}
		if x.URL == "" {
			r.wrong(item.Pos, "add url: https://api.example.com/v1/things", "an http mock needs url")
		}
		x.Unavailable = r.text(item, "error")
		answer := item.Field("answer")
		if (answer == nil) == (x.Unavailable == "") {
			r.wrong(item.Pos, "write answer: { status: 200, body: { … } } or error: connection refused", "an http mock needs answer or error, one of both")
		}
		if answer != nil && r.keys("answer", answer, "status", "headers", "body") {
			x.AnswerHead = r.texts(answer, "headers")
			if body := answer.Field("body"); body != nil {
				x.AnswerBody = body.Plain
			}
			if status := answer.Field("status"); status != nil {
				n, ok := status.Plain.(int64)
				if !ok || n < 100 || n > 599 {
					r.wrong(status.Pos, "write status: 200", "status must be a number from 100 to 599")
				}
				x.Status = int(n)
			}
		}
		out = append(out, x)
	}
	return out
}

// sends are the keys of a step that say what happens.
var sends = []string{"say", "click", "message", "event", "input", "advance"}

func (r *reader) step(v *source.Value) Step {
	s := Step{Pos: v.Pos, at: v, Want: Want{places: map[string]source.Pos{}}}
	if !r.keys("a step", v, append(slices.Clone(sends), "replies", "route", "status", "error", "events", "calls", "waits", "output")...) {
		return s
	}
	n := 0
	for _, f := range v.Fields {
		s.Want.places[f.Key] = f.Pos
		if slices.Contains(sends, f.Key) {
			n++
		}
	}
	if n != 1 {
		r.wrong(v.Pos, "write one of "+strings.Join(sends, ", "), "a step does one thing, not %d", n)
	}
	r.send(&s, v)
	r.want(&s.Want, v)
	return s
}

func (r *reader) send(s *Step, v *source.Value) {
	if v.Field("say") != nil {
		say := r.text(v, "say")
		s.Say = &say
	}
	s.Click = r.texts(v, "click")
	if m := v.Field("message"); m != nil && r.keys("message", m, "text", "metadata", "attachments") {
		s.Message = &Message{Text: r.text(m, "text"), Metadata: r.texts(m, "metadata")}
		for _, a := range r.list("attachments", m.Field("attachments")) {
			s.Message.Attachments = append(s.Message.Attachments, a.Plain)
		}
	}
	if e := v.Field("event"); e != nil {
		event := r.event(e)
		s.Event = &event
	}
	if in := v.Field("input"); in != nil {
		raw, err := json.Marshal(in.Plain)
		if err != nil {
			r.wrong(in.Pos, "", "input has no JSON form")
		}
		s.Input = raw
	}
	s.Advance = r.duration(v, "advance")
}

func (r *reader) event(v *source.Value) Event {
	var e Event
	if r.keys("event", v, "topic", "type", "subject", "payload") {
		e = Event{Topic: r.text(v, "topic"), Type: r.text(v, "type"), Subject: r.text(v, "subject")}
		if p := v.Field("payload"); p != nil {
			e.Payload = p.Plain
		}
	}
	return e
}

func (r *reader) want(w *Want, v *source.Value) {
	if f := v.Field("replies"); f != nil {
		w.Replies = &[]Reply{}
		for _, item := range r.list("replies", f) {
			*w.Replies = append(*w.Replies, r.reply(item))
		}
	}
	if v.Field("route") != nil {
		route := r.words(v, "route")
		w.Route = &route
	}
	if w.Status = r.text(v, "status"); w.Status != "" && !slices.Contains([]string{"done", "waiting", "failed"}, w.Status) {
		r.wrong(v.Field("status").Pos, "use done, waiting or failed", "status %q", w.Status)
	}
	if f := v.Field("error"); f != nil {
		w.Error = r.fail(f)
	}
	if f := v.Field("events"); f != nil {
		w.Events = &[]Event{}
		for _, item := range r.list("events", f) {
			*w.Events = append(*w.Events, r.event(item))
		}
	}
	if f := v.Field("calls"); f != nil {
		w.Calls = &[]Call{}
		for _, item := range r.list("calls", f) {
			c := Call{Pos: item.Pos}
			if r.keys("a call", item, "component", "operation", "input") {
				c.Component, c.Operation = r.text(item, "component"), r.text(item, "operation")
				if in := item.Field("input"); in != nil {
					c.Input = in.Plain
				}
			}
			*w.Calls = append(*w.Calls, c)
		}
	}
	if f := v.Field("waits"); f != nil && r.keys("waits", f, "node", "reason", "for") {
		w.Waits = &Wait{Node: r.text(f, "node"), Reason: r.text(f, "reason"), For: r.duration(f, "for")}
	}
	if f := v.Field("output"); f != nil {
		w.Output, w.HasOut = f.Plain, true
	}
}

func (r *reader) reply(v *source.Value) Reply {
	reply := Reply{Pos: v.Pos}
	if s, ok := v.Plain.(string); ok { // a reply that contains this
		reply.Contains = []string{s}
		return reply
	}
	if !r.keys("a reply", v, "text", "contains", "never", "card", "buttons", "node") {
		return reply
	}
	if v.Field("text") != nil {
		text := r.text(v, "text")
		reply.Text = &text
	}
	reply.Contains, reply.Never, reply.Node = r.words(v, "contains"), r.words(v, "never"), r.text(v, "node")
	if f := v.Field("card"); f != nil {
		reply.Card = f.Plain
	}
	if v.Field("buttons") != nil {
		buttons := r.words(v, "buttons")
		reply.Buttons = &buttons
	}
	return reply
}

// String names a step for people: what happens in it.
func (s Step) String() string {
	switch {
	case s.Say != nil:
		return fmt.Sprintf("say %q", *s.Say)
	case s.Click != nil:
		raw, _ := json.Marshal(s.Click) // texts only
		return "click " + string(raw)
	case s.Message != nil:
		return "message"
	case s.Event != nil:
		return "event " + s.Event.Topic
	case s.Advance > 0:
		return "advance " + s.Advance.String()
	}
	return "input"
}
