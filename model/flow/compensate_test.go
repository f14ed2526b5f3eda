package flow_test

import (
	"reflect"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"greentic.dev/model/flow"
)

const trip = head + `  hotel:
    component.exec: { component: hotel, operation: book }
    meta: { greentic: { compensate: leave } }
    routing: [{ to: flight }]
  flight:
    component.exec: { component: flight, operation: book }
    meta: { greentic: { compensate: cancel } }
    routing: [{ to: pay }]
  pay:
    component.exec: { component: bank, operation: pay }
    routing: [{ status: more, to: hotel }, { to: done }]
  done: { emit.response: booked }
  leave:
    component.exec: { component: hotel, operation: cancel, input: { id: "{{hotel.id}}", prev: "{{prev.id}}" } }
    routing: [{ to: done }]
  cancel:
    component.exec: { component: flight, operation: cancel, input: { id: "{{flight.id}}" } }
    retry: { attempts: 2 }
`

func id(s string) flow.Got { return output(map[string]any{"id": s}) }

func TestAFailedRunUndoesWhatSucceededTheLastFirst(t *testing.T) {
	f := compile(t, trip)
	s := next(t, f, f.Start(nil), flow.Got{})
	s = next(t, f, s.Cursor, id("h1"))
	s = next(t, f, s.Cursor, id("f1"))
	if s.Node != "pay" || len(s.Cursor.Compensations) != 2 || s.Cursor.Compensations[1].By != "cancel" {
		t.Fatalf("%+v", s)
	}
	s = next(t, f, s.Cursor, fails("broke", false))
	if s.Do != flow.DoInvoke || s.Node != "cancel" || s.Rule != flow.RuleCompensate || s.At.Line != 8 || !reflect.DeepEqual(s.Input, map[string]any{"id": "f1"}) {
		t.Fatalf("first: %+v", s)
	}
	if s = next(t, f, s.Cursor, fails("busy", true)); s.Do != flow.DoRetry {
		t.Fatalf("a compensation has its own policies: %+v", s)
	}
	s = next(t, f, s.Cursor, flow.Got{What: flow.GotRetry})
	s = next(t, f, s.Cursor, fails("gone", true))
	if s.Node != "leave" || s.Rule != flow.RuleCompensate || !reflect.DeepEqual(s.Input, map[string]any{"id": "h1", "prev": "h1"}) {
		t.Fatalf("second: %+v", s)
	}
	s = next(t, f, s.Cursor, id("x"))
	if s.Do != flow.DoFail || s.Node != "pay" || s.Fail.Code != "broke" || s.Rule != flow.RuleFail || s.At.Line != 12 {
		t.Fatalf("end: %+v", s)
	}
	if list := s.Cursor.Compensations; !list[0].Done || list[0].Fail != nil || !list[1].Done || list[1].Fail.Code != "gone" {
		t.Errorf("%+v", list)
	}
}

func TestANodeThatDidNotSucceedIsNotUndone(t *testing.T) {
	f := compile(t, trip)
	s := next(t, f, f.Start(nil), flow.Got{})
	s = next(t, f, s.Cursor, output(map[string]any{"ok": false}))
	if s = next(t, f, s.Cursor, fails("full", false)); s.Do != flow.DoFail || s.Fail.Code != "full" {
		t.Errorf("%+v", s)
	}
}

func TestARunThatEndsWellUndoesNothing(t *testing.T) {
	f := compile(t, trip)
	s := next(t, f, f.Start(nil), flow.Got{})
	for _, answer := range []string{"h1", "f1", "p1", "d"} {
		s = next(t, f, s.Cursor, id(answer))
	}
	if s.Do != flow.DoEnd || s.Cursor.Failure != nil {
		t.Errorf("%+v", s)
	}
}

func TestAnyFailureOfARunIsCompensated(t *testing.T) {
	for body, code := range map[string]string{
		"emit.log: {}\n    routing: [{ to: y }]": flow.StepLimit, "flow.call: {}": flow.FlowMissing,
		"emit.log: {}\n    when: { condition: prev.n.startsWith(\"a\") }": "when",
	} {
		f := compile(t, head+"  x:\n    run: { component: c }\n    meta: { greentic: { compensate: undo } }\n    routing: [{ to: y }]\n  y:\n    "+body+
			"\n  undo:\n    run: { component: u, n: \"{{x.n}}\" }\n")
		c := f.Start(nil)
		c.Limit = 5
		s := next(t, f, c, flow.Got{})
		s = next(t, f, s.Cursor, output(map[string]any{"n": 1.0}))
		for s.Do == flow.DoLog {
			s = next(t, f, s.Cursor, output(s.Payload))
		}
		if s.Node != "undo" || s.Rule != flow.RuleCompensate {
			t.Fatalf("%s: %+v", body, s)
		}
		if s = next(t, f, s.Cursor, output(nil)); s.Do != flow.DoFail || s.Fail.Code != code {
			t.Errorf("%s: %+v", body, s)
		}
	}
}

func TestTheCompensationsOfARunAreLimited(t *testing.T) {
	f := compile(t, head+"  x:\n    run: { component: c }\n    meta: { greentic: { compensate: undo } }\n    routing: [{ to: x }]\n  undo:\n    run: { component: u, n: \"{{x.id}}\" }\n")
	s := next(t, f, f.Start(nil), flow.Got{})
	for i := range flow.MaxCompensations + 1 {
		if s.Node != "x" {
			t.Fatalf("%d: %+v", i, s)
		}
		s = next(t, f, s.Cursor, id(strconv.Itoa(i)))
	}
	if s.Node != "undo" || s.Cursor.Failure.Fail.Code != flow.CompensationLimit || !reflect.DeepEqual(s.Input, map[string]any{"component": "u", "n": strconv.Itoa(flow.MaxCompensations)}) {
		t.Errorf("the last is the first to be undone: %+v", s)
	}
}

func TestASuccessWhoseOutputDoesNotMapIsUndone(t *testing.T) {
	f := compile(t, head+"  x:\n    run: { component: c }\n    out_map: { all: \"{{#each result.list}}{{#each result.list}}{{#each result.list}}x{{/each}}{{/each}}{{/each}}\" }\n"+
		"    meta: { greentic: { compensate: undo } }\n  undo:\n    run: { component: u, n: \"{{x.n}}\" }\n")
	s := next(t, f, f.Start(nil), flow.Got{})
	s = next(t, f, s.Cursor, output(map[string]any{"n": 1.0, "list": make([]any, 100)}))
	if s.Node != "undo" || s.Cursor.Failure.Fail.Code != "output_mapping" || s.Input.(map[string]any)["n"] != 1.0 {
		t.Errorf("%+v", s)
	}
}

// Whatever happens in whatever order, each success is undone once, the last first, and the run
// ends with the failure that began it.
func TestEachSuccessIsUndoneOnceInReverse(t *testing.T) {
	f := compile(t, trip)
	rapid.Check(t, func(t *rapid.T) {
		step := func(c flow.Cursor, got flow.Got) flow.Step {
			s, err := f.Next(c, got)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := step(f.Start(nil), flow.Got{})
		var succeeded, undone []string
		for n := 0; s.Do == flow.DoInvoke && s.Cursor.Failure == nil; n++ {
			if rapid.IntRange(0, 7).Draw(t, "luck") == 0 {
				s = step(s.Cursor, fails("first", rapid.Bool().Draw(t, "retryable")))
				continue
			}
			if s.Node != "pay" {
				succeeded = append(succeeded, s.Node+strconv.Itoa(n))
			}
			s = step(s.Cursor, output(map[string]any{"id": s.Node + strconv.Itoa(n), "status": rapid.SampledFrom([]string{"more", "enough"}).Draw(t, "status")}))
		}
		for s.Do != flow.DoFail && s.Do != flow.DoEmit {
			switch {
			case s.Do == flow.DoRetry:
				s = step(s.Cursor, flow.Got{What: flow.GotRetry})
				continue
			case s.Attempt == 1:
				undone = append(undone, s.Input.(map[string]any)["id"].(string))
			}
			if rapid.Bool().Draw(t, "works") {
				s = step(s.Cursor, output(nil))
			} else {
				s = step(s.Cursor, fails("later", rapid.Bool().Draw(t, "retryable")))
			}
		}
		if s.Do == flow.DoEmit {
			return
		}
		if len(undone) != len(succeeded) || s.Fail.Code != "first" && s.Fail.Code != flow.CompensationLimit && s.Fail.Code != flow.StepLimit {
			t.Fatalf("%v were undone as %v, ending with %+v", succeeded, undone, s.Fail)
		}
		for i := range undone {
			if undone[i] != succeeded[len(succeeded)-1-i] {
				t.Fatalf("%v were undone as %v", succeeded, undone)
			}
		}
	})
}

// Whoever runs a flow may end it anywhere: what has succeeded is undone, and no route for errors and no
// retry goes on with it.
func TestARunThatIsEndedFromOutsideUndoesWhatSucceeded(t *testing.T) {
	f := compile(t, trip)
	late := flow.Got{What: flow.GotAbort, Error: &flow.NodeFail{Code: "late", Message: "enough"}}
	s := next(t, f, f.Start(nil), flow.Got{})
	if s := next(t, f, s.Cursor, late); s.Do != flow.DoFail || s.Fail.Code != "late" || s.Node != "hotel" {
		t.Fatalf("with nothing to undo: %+v", s)
	}
	s = next(t, f, s.Cursor, id("h1"))
	if s = next(t, f, s.Cursor, late); s.Do != flow.DoInvoke || s.Node != "leave" || s.Rule != flow.RuleCompensate {
		t.Fatalf("first: %+v", s)
	}
	if s = next(t, f, s.Cursor, id("x")); s.Do != flow.DoFail || s.Node != "flight" || s.Fail.Code != "late" {
		t.Fatalf("end: %+v", s)
	}
}
