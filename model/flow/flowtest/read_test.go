package flowtest_test

import (
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/flowtest"
)

func TestASuiteIsReadWhole(t *testing.T) {
	s, wrong := flowtest.Read("dir/a.flowtest.yaml", []byte(`
flow: ../b.ygtc
clock: "2026-02-01T10:00:00+01:00"
locale: de
tenant: acme
secrets: { K: v }
mocks:
  - { component: c, operation: o, input: { a: 1 }, times: 2, answer: { b: 2 } }
  - { error: { code: busy, message: m, retryable: true } }
http:
  - { method: post, url: https://x/y, headers: { A: b }, body: { c: 1 }, answer: { status: 201, headers: { D: e }, body: text } }
  - { url: https://x/*, error: refused }
cases:
  - case: one
    locale: fr
    user: u
    clock: "2026-03-01T00:00:00Z"
    budget: 50ms
    state: { k: [1] }
    state_after: { k: 2 }
    steps:
      - say: hi
        replies: [part, { text: whole, contains: [a], never: [b], card: { x: 1 }, buttons: [B], node: n }]
        route: [a, b]
        status: failed
        error: code
        events: [{ topic: t, type: y, subject: s, payload: 1 }]
        calls: [{ component: c, operation: o, input: 3 }]
        waits: { node: n, reason: r, for: 1h }
        output: null
      - click: { action: go }
      - message: { text: t, metadata: { a: b }, attachments: [{ x: 1 }] }
      - event: { topic: t }
      - input: [1]
      - advance: 1h30m
`))
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if s.FlowFile() != "b.ygtc" || s.Clock.Hour() != 10 || s.Locale != "de" || s.Tenant != "acme" || s.Secrets["K"] != "v" {
		t.Errorf("%+v", s)
	}
	if m := s.Mocks; len(m) != 2 || m[0].Times != 2 || m[0].Component != "c" || m[1].Fail == nil || !m[1].Fail.Retryable {
		t.Errorf("%+v", m)
	}
	if x := s.HTTP; len(x) != 2 || x[0].Method != "POST" || x[0].Status != 201 || x[0].AnswerHead["D"] != "e" || x[1].Unavailable != "refused" {
		t.Errorf("%+v", x)
	}
	c := s.Cases[0]
	if c.Name != "one" || c.Budget != 50*time.Millisecond || c.User != "u" || c.Locale != "fr" || len(c.Steps) != 6 || c.After["k"] == nil {
		t.Errorf("%+v", c)
	}
	w := c.Steps[0].Want
	if len(*w.Replies) != 2 || (*w.Replies)[0].Contains[0] != "part" || *(*w.Replies)[1].Text != "whole" || w.Waits.For != time.Hour || !w.HasOut || w.Error.Code != "code" {
		t.Errorf("%+v", w)
	}
	var names []string
	for _, step := range c.Steps {
		names = append(names, step.String())
	}
	if got := strings.Join(names, "; "); got != `say "hi"; click {"action":"go"}; message; event t; input; advance 1h30m0s` {
		t.Error(got)
	}
}

func TestWhatIsWrongInASuiteIsNamedWithItsPlace(t *testing.T) {
	const head = "cases:\n  - case: c\n    steps:\n"
	for _, c := range []struct{ src, words, fix string }{
		{"cases: [{ case: c, stepss: [] }]", "a case does not know stepss", "did you mean steps?"},
		{"case: x", "a flow test does not know case", "did you mean cases?"},
		{"locale: en", "the test has no cases", "add cases:"},
		{"[]", "a flow test must be a map", "use flow, clock"},
		{"cases: [{ case: c }]", `case "c" has no steps`, "add steps:"},
		{"cases: [{ steps: [{ say: hi }] }]", "a case needs a name", "add case:"},
		{"cases: [{ case: c, steps: [{ say: a }] }, { case: c, steps: [{ say: a }] }]", `two cases are called "c"`, "rename one"},
		{head + "      - { say: hi, rout: [a] }\n", "a step does not know rout", "did you mean route?"},
		{head + "      - { route: [a] }\n", "a step does one thing, not 0", "write one of say"},
		{head + "      - { say: a, click: { b: c } }\n", "a step does one thing, not 2", "write one of say"},
		{head + "      - { say: 12 }\n", "say must be a text", "put it in quotes"},
		{head + "      - { click: { n: 1 } }\n", "n of click must be a text", "put it in quotes"},
		{head + "      - { advance: soon }\n", "advance is no duration", "write a duration"},
		{head + "      - { advance: -1h }\n", "advance is no duration", "write a duration"},
		{head + "      - { say: a, status: ended }\n", `status "ended"`, "use done, waiting or failed"},
		{head + "      - { say: a, replies: hello }\n", "replies must be a list", "write a list"},
		{head + "      - { say: a, replies: [{ txt: b }] }\n", "a reply does not know txt", "did you mean text?"},
		{head + "      - { say: a, waits: { until: 1h } }\n", "waits does not know until", "use node, reason, for"},
		{head + "      - { say: a, error: { message: m } }\n", "error needs a code", "add code:"},
		{"mocks: [{ component: a }]\n" + head + "      - say: a\n", "a mock needs answer or error", "write answer:"},
		{"mocks: [{ answer: 1, error: b }]\n" + head + "      - say: a\n", "a mock needs answer or error", "write answer:"},
		{"mocks: [{ answer: 1, times: 0 }]\n" + head + "      - say: a\n", "times must be a whole number", "write times: 1"},
		{"http: [{ answer: { status: 99 }, url: a }]\n" + head + "      - say: a\n", "status must be a number from 100 to 599", "write status: 200"},
		{"http: [{ answer: {} }]\n" + head + "      - say: a\n", "an http mock needs url", "add url:"},
		{"clock: noon\n" + head + "      - say: a\n", "clock is no time: noon", "write"},
		{"secrets: { A: 1 }\n" + head + "      - say: a\n", "A of secrets must be a text", "put it in quotes"},
		{"a: &x 1\nb: *x\n" + head + "      - say: a\n", "anchors, aliases and merge keys are not allowed", "write the value out"},
		{"cases: [\n", "", ""},
		{"cases:\n" + strings.Repeat("- { case: a, steps: [{ say: a }] }\n", 1001), "1001 cases are more than 1000", "split the test"},
		{head + strings.Repeat("      - say: a\n", 201), "201 steps are more than 200", "split the case"},
		{strings.Repeat("a", 5<<20), "the test is longer than 4194304 bytes", "split"},
	} {
		_, wrong := flowtest.Read("a.flowtest.yaml", []byte(c.src))
		if len(wrong) == 0 {
			t.Errorf("%.60q is read", c.src)
			continue
		}
		if w := wrong[0]; !strings.Contains(w.Msg, c.words) || !strings.HasPrefix(w.Fix, c.fix) || !fault.Is(w, fault.Invalid) || w.Pos.File != "a.flowtest.yaml" {
			t.Errorf("%.60q: %v [%s], want %q [%s]", c.src, w, w.Fix, c.words, c.fix)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("cases: [{ case: c, steps: [{ say: hi, replies: [a] }] }]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, wrong := flowtest.Read("a", src)
		if len(wrong) == 0 && len(s.Cases) == 0 {
			t.Error("a suite without cases is good")
		}
	})
}
