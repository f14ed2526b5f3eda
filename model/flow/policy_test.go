package flow_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

func fails(code string, retryable bool) flow.Got {
	return flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: code, Message: "m", Retryable: retryable, Details: "d"}}
}

func TestWrongPoliciesAreRefusedWithPlaceAndFix(t *testing.T) {
	for body, want := range map[string]struct {
		class, says, fix string
		line, col        int
	}{
		"run: {}\n    retry: 3":                                                          {"Policy", "retry must be a map", "write retry: { attempts: 3 }", 6, 5},
		"run: {}\n    retry: {}":                                                         {"Policy", "from 1 to 20", "write attempts: 3", 6, 5},
		"run: {}\n    retry: { attempts: 21 }":                                           {"Policy", "from 1 to 20", "write attempts: 3", 6, 14},
		"run: {}\n    retry: { attempts: 1.5 }":                                          {"Policy", "from 1 to 20", "write attempts: 3", 6, 14},
		"run: {}\n    retry: { atempts: 2, attempts: 2 }":                                {"Policy", "retry does not know atempts", "did you mean attempts?", 6, 14},
		"run: {}\n    retry: { attempts: 2, backoff: soon }":                             {"Policy", "retry.backoff is no duration", "write a duration such as \"500ms\" or \"10s\", or milliseconds", 6, 27},
		"run: {}\n    retry: { attempts: 2, backoff: -5 }":                               {"Policy", "retry.backoff is no duration", "", 6, 27},
		"run: {}\n    retry: { attempts: 2, backoff: 1e300 }":                            {"Policy", "retry.backoff is no duration", "", 6, 27},
		"run: {}\n    retry: { attempts: 2, backoff: 2s, max_backoff: 1s }":              {"Policy", "less than backoff", "make it 2s or more", 6, 40},
		"run: {}\n    retry: { attempts: 2, multiplier: 0.5 }":                           {"Policy", "from 1 to 10", "write multiplier: 2", 6, 27},
		"run: {}\n    retry: { attempts: 2, on: busy }":                                  {"Policy", "retry.on must be a list", "write on: [timeout, unavailable] or on: [any]", 6, 27},
		"run: {}\n    timeout: { after: 25h }":                                           {"Policy", "timeout.after is no duration up to 24h", "", 6, 16},
		"run: {}\n    timeout: { after: 0 }":                                             {"Policy", "more than nothing", "write after: \"10s\"", 6, 16},
		"run: {}\n    timeout: {}":                                                       {"Policy", "timeout needs after", "write timeout: { after: \"10s\" }", 6, 5},
		"run: {}\n    when: { if: a }":                                                   {"Policy", "when does not know if", "use condition", 6, 13},
		"run: {}\n    when: {}":                                                          {"Policy", "when needs condition", "write when: { condition: 'prev.total > 0' }", 6, 5},
		"run: {}\n    when: { condition: fetch(a) }":                                     {"Policy", "there is no function fetch", "", 6, 24},
		"run: {}\n    meta: { greentic: { undo: y } }":                                   {"Policy", "meta.greentic does not know undo", "use compensate, for_each, parallel", 6, 25},
		"run: {}\n    meta: { greentic: { compensate: yy } }":                            {"MissingNode", "points to yy", "did you mean y?", 6, 37},
		"run: {}\n    meta: { greentic: { compensate: x } }":                             {"Policy", "cannot compensate itself", "name another node", 6, 25},
		"run: {}\n    meta: { greentic: { compensate: w } }":                             {"Policy", "cannot wait for input", "name a node that does not wait", 6, 25},
		"emit.log: {}\n    retry: { attempts: 2 }":                                       {"Policy", "emit.log calls nothing, so retry has no meaning", "remove it", 6, 5},
		"session.wait: {}\n    routing: [{ to: y }]\n    timeout: { after: 1m }":         {"Policy", "stands inside session.wait", "write session.wait: { timeout: \"1m0s\" }", 7, 5},
		"session.wait: { timeout: 5 }\n    routing: [{ to: y }]":                         {"Policy", "timeout must be a duration from 1s to 8784h", "write a duration such as \"30m\", or milliseconds", 5, 30},
		"session.wait: { on_timeout: y }\n    routing: [{ to: y }]":                      {"Policy", "on_timeout needs timeout", "add timeout: \"1h\"", 5, 33},
		"session.wait: { timeout: 1h, on_timeout: zz }\n    routing: [{ to: y }]":        {"MissingNode", "on_timeout of node x points to zz", "add the node zz", 5, 46},
		"session.wait: { timeout: 1h, on_timeout: \"{{y}}\" }\n    routing: [{ to: y }]": {"Policy", "on_timeout must name a node", "write on_timeout: NODE", 5, 46},
	} {
		_, found := flow.Check("a.ygtc", []byte(head+"  x:\n    "+body+"\n  y:\n    run: {}\n  w:\n    session.wait: {}\n    routing: [{ to: y }]\n"))
		if len(found) == 0 {
			t.Errorf("%s: nothing is wrong", body)
			continue
		}
		d := found[0]
		if d.Class != want.class || !strings.Contains(d.Message, want.says) || want.fix != "" && d.Fix != want.fix || d.Line != want.line || d.Col != want.col || d.Severity != "error" {
			t.Errorf("%s:\n%+v\nwant %+v", body, d, want)
		}
	}
}

const retrying = head + `  x:
    run: { component: c, n: "{{entry.n}}" }
    retry: { attempts: 4, backoff: 100ms, max_backoff: 250ms, multiplier: 2 }
    timeout: { after: 3s }
    err_map: { code: "{{error.code}}", message: "{{error.message}}", tries: "{{error.attempts}}", again: "{{error.retryable}}", details: "{{error.details}}" }
`

func TestARetryableFailureIsTriedAgainWithGrowingDelaysAndThenCaught(t *testing.T) {
	f := compile(t, retrying)
	s := next(t, f, f.Start(map[string]any{"n": 7.0}), flow.Got{})
	for i, delay := range []time.Duration{100, 200, 250} {
		if s.Do != flow.DoInvoke || s.Attempt != i+1 || s.Timeout != 3*time.Second || s.Cursor.Steps != 1 || !reflect.DeepEqual(s.Input, map[string]any{"component": "c", "n": 7.0}) {
			t.Fatalf("try %d: %+v", i+1, s)
		}
		s = next(t, f, s.Cursor, fails("busy", true))
		if s.Do != flow.DoRetry || s.Delay != delay*time.Millisecond || s.Attempt != i+1 || s.Rule != flow.RuleRetry || s.At != (flow.Pos{Line: 4, Col: 3}) || s.Fail.Code != "busy" {
			t.Fatalf("after try %d: %+v", i+1, s)
		}
		s = next(t, f, s.Cursor, flow.Got{What: flow.GotRetry})
	}
	s = next(t, f, s.Cursor, fails("busy", true))
	want := map[string]any{"code": "busy", "message": "m", "tries": 4.0, "again": true, "details": "d"}
	if s.Do != flow.DoEnd || !reflect.DeepEqual(s.Cursor.Nodes["x"].Payload, want) || s.Cursor.Attempt != 0 {
		t.Errorf("%+v", s)
	}
}

func TestOnlyFailuresThePolicyNamesAreTriedAgain(t *testing.T) {
	for on, want := range map[string][4]bool{ // busy retryable, busy, of kind timeout, other
		"": {true, false, false, false}, ", on: [busy]": {true, true, false, false}, ", on: [timeout]": {false, false, true, false}, ", on: [any]": {true, true, true, true},
	} {
		f := compile(t, head+"  x:\n    run: { component: c }\n    retry: { attempts: 2"+on+" }\n")
		for i, fail := range []flow.NodeFail{{Code: "busy", Retryable: true}, {Code: "busy"}, {Code: "slow", Kind: "timeout"}, {Code: "other"}} {
			s := next(t, f, f.Start(nil), flow.Got{})
			if s = next(t, f, s.Cursor, flow.Got{What: flow.GotError, Error: &fail}); (s.Do == flow.DoRetry) != want[i] {
				t.Errorf("retry%s: %+v gives %+v", on, fail, s)
			}
		}
	}
}

func TestADelayIsNeverShorterThanTheComponentAskedFor(t *testing.T) {
	f := compile(t, retrying)
	rapid.Check(t, func(t *rapid.T) {
		c, wish := f.Start(nil), time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wish"))
		c.Attempt = rapid.IntRange(0, 25).Draw(t, "tries")
		s, err := f.Next(c, flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: "c", Retryable: true, Backoff: wish}})
		if err != nil {
			t.Fatal(err)
		}
		if again := c.Attempt < 4; again != (s.Do == flow.DoRetry) || again && (s.Delay < wish || s.Delay > max(wish, 250*time.Millisecond)) {
			t.Fatalf("after %d tries: %+v", c.Attempt, s)
		}
	})
}

func TestANodeWhoseConditionDoesNotHoldIsSkippedAndRoutesByDefault(t *testing.T) {
	f := compile(t, head+`  x:
    run: { component: c }
    routing: [{ to: y }]
  y:
    run: { component: d }
    when: { condition: total > 10 }
    routing: [{ status: ok, to: x }, { to: z }]
  z: { emit.response: { total: "{{prev.total}}", y: "{{y.skipped}}" } }
`)
	c := f.Start(nil)
	s := next(t, f, c, output(map[string]any{"total": 5.0}))
	if s.Do != flow.DoEmit || !reflect.DeepEqual(s.Payload, map[string]any{"total": 5.0, "y": true}) || !reflect.DeepEqual(s.Skipped, []string{"y"}) {
		t.Fatalf("%+v", s)
	}
	if s.Rule != flow.RuleWhen || s.At != (flow.Pos{Line: 10, Col: 40}) || !strings.Contains(s.Why, "node x (line 4): routes to y; node y (line 7) is skipped and its default routes to z") {
		t.Errorf("%+v", s)
	}
	if s = next(t, f, c, output(map[string]any{"total": 11.0})); s.Node != "y" || s.Do != flow.DoInvoke || s.Skipped != nil {
		t.Errorf("%+v", s)
	}
}

func TestSkippedNodesCountForTheStepLimit(t *testing.T) {
	f := compile(t, head+"  x:\n    run: {}\n    when: { condition: 'false' }\n    routing: [{ to: x }]\n")
	if s := next(t, f, f.Start(nil), flow.Got{}); s.Do != flow.DoFail || s.Fail.Code != flow.StepLimit {
		t.Errorf("%+v", s)
	}
}

func TestAWaitThatTimesOutGoesToOnTimeoutOrItsStatusRouteOrTheEnd(t *testing.T) {
	const rest = "\n  y: { emit.response: y }\n  z: { emit.response: z }\n"
	for body, want := range map[string]string{
		"session.wait: { timeout: 1h, on_timeout: z }\n    routing: [{ to: y }]":                                          "z",
		"session.wait: { timeout: 3600000, on_timeout: z }\n    routing: [{ condition: response.action == a, to: y }]":    "z",
		"session.wait: { timeout: \"{{entry.patience}}\" }\n    routing: [{ status: timeout, to: z }, { to: y }]":         "z",
		"session.wait: { timeout: 1h }\n    routing: [{ condition: prev.a == b, to: y }, { status: timeout, to: z }]":     "z",
		"session.wait: { timeout: 1h }\n    routing: [{ to: y }]":                                                         "",
		"session.wait: { timeout: 1h }\n    routing: [{ condition: response.action == a, to: y }, { to: y }]":             "",
		"session.wait: { timeout: 1h }\n    routing: [{ condition: response.action == a, to: y }, { condition: b == c }]": "",
	} {
		f := compile(t, head+"  x:\n    "+body+rest)
		s := next(t, f, f.Start(map[string]any{"patience": "60m"}), flow.Got{})
		if s.Do != flow.DoWait || s.Timeout != time.Hour || s.Rule != flow.RuleWait {
			t.Fatalf("%s: %+v", body, s)
		}
		late := next(t, f, s.Cursor, flow.Got{What: flow.GotTimeout})
		if late.Rule != flow.RuleTimeout || late.Cursor.Parked || late.Cursor.OnTimeout != "" || !strings.Contains(late.Why, "node x (line 4) waited too long") {
			t.Errorf("%s: %+v", body, late)
		}
		if want == "" && late.Do != flow.DoEnd || want != "" && late.Node != want {
			t.Errorf("%s: %+v", body, late)
		}
	}
}

func TestAnInputThatMatchesNoRouteWaitsAgainWithTheSameTimeout(t *testing.T) {
	f := compile(t, head+"  x:\n    session.wait: { timeout: 1h, on_timeout: y }\n    routing: [{ condition: response.action == go, to: y }]\n  y: { emit.response: y }\n")
	s := next(t, f, f.Start(nil), flow.Got{})
	s = next(t, f, s.Cursor, say("what?", ""))
	if s.Do != flow.DoWait || s.Timeout != time.Hour || s.Cursor.OnTimeout != "y" || !s.Cursor.Reroute {
		t.Fatalf("%+v", s)
	}
	if s = next(t, f, s.Cursor, say("", "go")); s.Node != "y" || s.Cursor.OnTimeout != "" {
		t.Errorf("%+v", s)
	}
}

func TestATimeoutOfARunThatDoesNotWaitIsAWrongCall(t *testing.T) {
	f := compile(t, retrying)
	if _, err := f.Next(f.Start(nil), flow.Got{What: flow.GotTimeout}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestAnEventWithATopicIsPublished(t *testing.T) {
	for body, want := range map[string]flow.Do{
		"{ topic: 'orders.{{entry.region}}', type: order.placed, subject: '7', payload: { n: 1 } }": flow.DoPublish,
		"{ payload: { n: 1 } }": flow.DoEmit, "{ topic: '{{entry.gone}}', payload: 1 }": flow.DoFail,
	} {
		f := compile(t, head+"  x:\n    emit.event: "+body+"\n")
		s := next(t, f, f.Start(map[string]any{"region": "eu"}), flow.Got{})
		if s.Do != want {
			t.Fatalf("%s: %+v", body, s)
		}
		if s.Do == flow.DoPublish {
			if m := s.Payload.(map[string]any); s.Topic != "orders.eu" || m["topic"] != "orders.eu" || m["type"] != "order.placed" || m["subject"] != "7" {
				t.Errorf("%+v", s)
			}
			if s = next(t, f, s.Cursor, output(s.Payload)); s.Do != flow.DoEnd {
				t.Errorf("%+v", s)
			}
		}
	}
}

func TestTheReasonsOfAStepAreRulesWithAPlaceAlsoFromAManifest(t *testing.T) {
	f := compile(t, head+`  x:
    run: { component: c }
    routing:
      - condition: total > 10
        to: y
      - status: error
        to: y
      - to: z
  y:
    run: { component: c }
    routing:
      - { status: again, to: x }
      - { to: z }
  z: { emit.response: z, routing: [{ to: w }] }
  w: { emit.response: w }
`)
	raw, _ := json.Marshal(f.Manifest())
	var doc map[string]any
	_ = json.Unmarshal(raw, &doc)
	g, err := flow.FromManifest(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		at   string
		got  flow.Got
		rule string
		line int
	}{
		{"x", flow.Got{}, "start", 4}, {"x", output(map[string]any{"total": 11.0}), "condition", 7}, {"x", output(nil), "default", 11}, {"x", fails("a", false), "error_route", 9},
		{"y", output(map[string]any{"status": "again"}), "status", 15}, {"y", output(nil), "default", 16}, {"z", output(nil), "next", 17}, {"w", output(nil), "end", 18},
		{"y", fails("a", false), "fail", 12}, {"y", flow.Got{What: flow.GotInput}, "resume", 12},
	} {
		for _, f := range []*flow.Flow{f, g} {
			c := f.Start(nil)
			c.Node = k.at
			if s := next(t, f, c, k.got); s.Rule != k.rule || s.At.Line != k.line || s.Why == "" {
				t.Errorf("%s %+v: %s at %v (%s), want %s at line %d", k.at, k.got, s.Rule, s.At, s.Why, k.rule, k.line)
			}
		}
	}
}

func TestAWrongPolicyInAPackFailsTheStepThatNeedsIt(t *testing.T) {
	f, err := flow.FromManifest(map[string]any{"id": "f", "kind": "job", "nodes": []any{map[string]any{"id": "x", "component": "c"}},
		"metadata": map[string]any{"extra": map[string]any{"greentic": map[string]any{"nodes": map[string]any{"x": map[string]any{"when": "never"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if s := next(t, f, f.Start(nil), flow.Got{}); s.Do != flow.DoFail || s.Fail.Code != "policy" {
		t.Errorf("%+v", s)
	}
}

func TestACursorOfAnOlderVersionStillRuns(t *testing.T) {
	f := compile(t, retrying)
	var c flow.Cursor
	if err := json.Unmarshal([]byte(`{"flow":"a","node":"x","steps":1,"entry":{},"input":{},"last":"x"}`), &c); err != nil {
		t.Fatal(err)
	}
	if s := next(t, f, c, fails("busy", true)); s.Do != flow.DoRetry || s.Attempt != 1 {
		t.Errorf("%+v", s)
	}
}
