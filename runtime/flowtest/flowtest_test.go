package flowtest_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	run "greentic.dev/runtime/flowtest"
)

const greeter = `
  ask:
    emit.response: { text: "Your name?" }
    routing: [{ to: wait }]
  wait:
    session.wait: { reason: name, timeout: 1h, on_timeout: late }
    routing: [{ to: choose }]
  choose:
    emit.log: { x: 1 }
    routing:
      - condition: response.text == "nobody"
        to: bye
      - to: greet
  greet:
    state.set: { key: name, value: "{{response.text}}" }
    routing: [{ to: say }]
  say:
    emit.response: { text: "Hello {{response.text}}" }
    routing: [{ to: wait }]
  bye:
    emit.response: { text: Bye }
    routing: out
  late:
    emit.event: { topic: greetings, type: missed, payload: { n: 1 } }
    routing: out
`

func TestAConversationIsPlayed(t *testing.T) {
	f := passes(t, greeter, `
cases:
  - case: a greeting and a farewell
    budget: 30s
    state: { name: old }
    steps:
      - say: hi
        replies: [{ text: "Your name?", node: ask }]
        route: [ask, wait]
        status: waiting
        waits: { node: wait, reason: name, for: 1h }
      - message: { text: Ann, metadata: { x: "y" } }
        replies: [{ text: Hello Ann, contains: [Ann], never: [Bob] }]
        route: [choose, greet, say, wait]
        events: []
        calls: []
      - click: { action: nothing }
        route: [choose, greet, say, wait]
      - say: nobody
        replies: [Bye]
        status: done
        output: { text: Bye }
    state_after: { name: "", other: null }
  - case: nobody answers
    clock: "2026-03-01T00:00:00Z"
    steps:
      - say: hi
      - advance: 59m59s
        route: []
        status: waiting
        waits: { for: 1s }
      - advance: 1s
        route: [late]
        status: done
        events: [{ topic: greetings, type: missed, payload: { n: 1 } }]
`)
	if len(f.Results) != 2 || f.Coverage.Nodes.Taken != 7 || f.Coverage.Routes.Taken != f.Coverage.Routes.Of || f.Coverage.Percent() != 100 {
		t.Errorf("%d results, %+v", len(f.Results), f.Coverage)
	}
}

func TestWhatComesOutDifferentlyIsShownWithItsPlace(t *testing.T) {
	for _, c := range []struct{ expect, words, diff string }{
		{`replies: [{ text: "Your nane?" }]`, "the text of the reply differs", "-Your nane?\n+Your name?\n"},
		{`replies: []`, `there are 1 replies, not 0: ["Your name?"]`, ""},
		{`replies: [{ contains: [What] }]`, `the reply does not contain "What": Your name?`, ""},
		{`replies: [{ never: [name] }]`, `the reply contains "name"`, ""},
		{`replies: [{ node: wait }]`, "node ask replies, not wait", ""},
		{`replies: [{ buttons: [A] }]`, "the buttons differ", `-  "A"`},
		{`replies: [{ card: { type: AdaptiveCard } }]`, "the card differs", "+null"},
		{`route: [wait]`, "another route was taken", `+  "ask"`},
		{`status: done`, "the turn is waiting, not done", ""},
		{`error: unavailable`, "the turn fails in another way", `-  "code": "unavailable"`},
		{`events: [{ topic: a }]`, "other events were published", `-    "topic": "a"`},
		{`calls: [{ component: a }]`, "components were called 0 times, not 1", ""},
		{`waits: { node: ask }`, "the conversation waits at wait, not at ask", ""},
		{`waits: { reason: age }`, `the conversation waits for "name", not for "age"`, ""},
		{`waits: { for: 2h }`, "the wait ends by itself after 1h0m0s, not after 2h0m0s", ""},
		{`output: 7`, "the output differs", "-7"},
	} {
		m := fails(t, greeter, "cases:\n  - case: c\n    steps:\n      - say: hi\n        "+c.expect+"\n", c.words)
		if m.Pos.Line != 5 || m.Pos.Excerpt != "        "+c.expect || m.Step != `say "hi"` || !strings.Contains(m.Diff, c.diff) {
			t.Errorf("%s: %+v", c.expect, m)
		}
	}
	m := fails(t, greeter, "cases:\n  - case: c\n    steps: [{ say: hi }, { say: Ann }]\n    state_after: { name: Bob }\n", "the state afterwards differs at /name")
	if m.Pos.Line != 4 || !strings.Contains(m.Diff, `-  "name": "Bob"`) || !strings.Contains(m.Diff, `+  "name": "Ann"`) {
		t.Errorf("%+v", m)
	}
	fails(t, greeter, "cases:\n  - case: c\n    budget: 1ns\n    steps: [{ say: hi }]\n", "which is more than its budget of 1ns")
}

func TestAFailedTurnIsAFailureUnlessItIsExpected(t *testing.T) {
	const broken = "  a:\n    component.exec: { component: x.y, operation: o }\n"
	const mock = "mocks:\n  - { component: x.y, error: { code: rejected, message: not today } }\n"
	fails(t, broken, mock+"cases:\n  - case: c\n    steps: [{ say: hi }]\n", "the turn failed: rejected")
	passes(t, broken, mock+"cases:\n  - case: c\n    steps:\n      - { say: hi, status: failed, error: { code: rejected, message: not today }, route: [a] }\n")
}

// A retry waits without taking time, and the clock of the flow shows that it did.
func TestPausesTakeNoTime(t *testing.T) {
	f := passes(t, `
  a:
    component.exec: { component: x.y, operation: o }
    retry: { attempts: 3, backoff: 30s, on: [any] }
    routing: [{ to: b }]
  b:
    emit.response: { text: "{{prev.ok}}" }
`, `
mocks:
  - { component: x.y, times: 2, error: { code: busy } }
  - { component: x.y, answer: { ok: true } }
cases:
  - case: the third try succeeds
    budget: 20s
    steps:
      - say: hi
        replies: ["true"]
        route: [a, b]
        calls: [{ component: x.y }, { component: x.y }, { component: x.y, operation: o }]
`)
	if len(f.Results) != 1 {
		t.Errorf("%+v", f.Results)
	}
}

func TestEventsAndCallsStartFlows(t *testing.T) {
	name := written(t, "  a:\n    emit.event: { topic: out, payload: '{{entry.payload}}' }\n", `
cases:
  - case: an event
    steps:
      - event: { topic: in, type: made, subject: s, payload: { n: 1 } }
        events: [{ topic: out, payload: { n: 1 } }]
        replies: []
`)
	flow := filepath.Join(filepath.Dir(name), "main.ygtc")
	src, err := os.ReadFile(flow)
	if err == nil {
		err = os.WriteFile(flow, []byte(strings.Replace(string(src), "messaging", "event", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if f := play(t, name); len(f.Results) != 1 || len(f.Results[0].Failures) > 0 {
		t.Errorf("%+v", f.Results)
	}
	passes(t, "  a:\n    emit.response: { text: '{{entry.input.q}}' }\n", "cases:\n  - case: a call\n    steps:\n      - { input: { q: why }, output: { text: why } }\n")
}

func TestCasesDoNotSeeEachOther(t *testing.T) {
	passes(t, `
  a:
    state.get: { key: n }
    routing: [{ to: b }]
  b:
    emit.response: { text: "{{prev.found}}" }
    routing: [{ to: c }]
  c:
    state.set: { key: n, value: 1 }
`, `
cases:
  - case: first
    steps: [{ say: hi, replies: ["false"] }]
    state_after: { n: 1 }
  - case: second
    steps: [{ say: hi, replies: ["false"] }]
    state_after: { n: 1 }
`)
}

func TestOnlyTheCasesThatMatchArePlayed(t *testing.T) {
	name := written(t, greeter, "cases:\n  - case: one\n    steps: [{ say: hi }]\n  - case: two\n    steps: [{ say: hi }]\n")
	f, err := newTests(run.Deps{Run: regexp.MustCompile("yaml: tw")}).Play(t.Context(), name)
	if err != nil || len(f.Results) != 1 || f.Results[0].Case != "two" {
		t.Errorf("%+v %v", f, err)
	}
}

func TestTheExamplesPassTheirTests(t *testing.T) {
	names, err := filepath.Glob("../../examples/orders/pack/flows/*.flowtest.yaml")
	if err != nil || len(names) < 3 {
		t.Fatalf("%v %v", names, err)
	}
	for _, name := range names {
		f := play(t, name)
		for _, r := range f.Results {
			if len(r.Failures) > 0 {
				t.Errorf("%s: %+v", r.Case, r.Failures)
			}
		}
		if f.Coverage.Percent() != 100 {
			t.Errorf("%s: %+v", name, f.Coverage.Never)
		}
	}
}

func TestWhatCannotBePlayedIsSaid(t *testing.T) {
	tests := newTests(run.Deps{})
	good := "cases:\n  - case: c\n    steps: [{ say: hi }]\n"
	missing := filepath.Join(t.TempDir(), "a.flowtest.yaml")
	if err := os.WriteFile(missing, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(t.TempDir(), "b.flowtest.yaml")
	if err := os.WriteFile(long, []byte(strings.Repeat("# long\n", 200_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fault.Kind{
		missing: fault.NotFound, long: fault.Invalid, "none.flowtest.yaml": fault.NotFound,
		written(t, "  a:\n    emit.log: 1\n    routing: [{ to: b }]\n", good): fault.Invalid,
	} {
		if _, err := tests.Play(t.Context(), name); !fault.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tests.Play(ended, written(t, greeter, good)); !fault.Is(err, fault.Canceled) {
		t.Errorf("%v", err)
	}
	// A flow that never ends hits its limit of nodes, and the case goes on.
	fails(t, "  a:\n    emit.log: 1\n    routing: [{ to: a }]\n", good, "the turn failed: step_limit")
}

func TestBranchesAndItemsAreCovered(t *testing.T) {
	f := passes(t, `
  a:
    emit.log: { x: 1 }
    meta: { greentic: { parallel: { branches: { left: b, right: c } } } }
    routing: [{ to: d }]
  b:
    component.exec: { component: x.left, operation: o }
  c:
    component.exec: { component: x.right, operation: o }
    routing: [{ to: e }]
  e:
    emit.log: { x: 2 }
  d:
    component.exec: { component: x.each, operation: o, input: "{{item}}" }
    meta: { greentic: { for_each: { items: [1, 2] } } }
    routing: [{ to: say }]
  say:
    emit.response: { text: "{{b.v}} {{c.v}} {{d}}" }
`, `
mocks:
  - { component: x.left, answer: { v: left } }
  - { component: x.right, answer: { v: right } }
  - { component: x.each, input: 1, answer: one }
  - { component: x.each, input: 2, answer: two }
cases:
  - case: all of them
    steps:
      - say: hi
        replies: ['left right ["one","two"]']
        calls: [{ component: x.left }, { component: x.right }, { component: x.each, input: 1 }, { component: x.each, input: 2 }]
`)
	if f.Coverage.Percent() != 100 {
		t.Errorf("%+v", f.Coverage.Never)
	}
}
