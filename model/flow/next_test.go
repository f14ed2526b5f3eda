package flow_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

const chat = `id: chat
type: messaging
parameters: { greeting: Hello }
nodes:
  ask:
    emit.response: { text: "Name, {{in.input.from}}?" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: name }
    routing: [{ to: greet }]
  greet:
    component.exec: { component: desk.greeter, operation: hi, input: { name: "{{response.text}}", word: parameters.greeting, gone: "{{entry.gone}}" } }
    retry: { attempts: 3, backoff: 1s, max_backoff: 3000, multiplier: 1.5, on: [busy] }
    timeout: { after: 10s }
    when: { condition: entry.input.from != "bob" }
    meta: { greentic: { compensate: ask }, theirs: { x: 1 } }
    out_map: { said: "{{result.text}}", status: "{{result.status}}", to: "{{input.input.name}}" }
    routing:
      - status: again
        to: ask
      - to: choose
  choose:
    emit.log: { a: "{{response.action}}" }
    annotations: { team: desk }
    routing:
      - condition: response.action == "more" && node.greet.to != "x"
        to: ask
      - condition: response.action == "bye"
        reply: true
`

func compile(t *testing.T, src string) *flow.Flow {
	t.Helper()
	f, err := flow.Compile("t.ygtc", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// next steps, checks that the cursor was not changed, and sends the next one through JSON.
func next(t *testing.T, f *flow.Flow, c flow.Cursor, got flow.Got) flow.Step {
	t.Helper()
	before, _ := json.Marshal(c)
	s, err := f.Next(c, got)
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(c); string(after) != string(before) {
		t.Errorf("the cursor changed: %s -> %s", before, after)
	}
	b, err := json.Marshal(s.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	s.Cursor = flow.Cursor{}
	if err := json.Unmarshal(b, &s.Cursor); err != nil {
		t.Fatal(err)
	}
	return s
}

func say(text, action string) flow.Got {
	return flow.Got{What: flow.GotInput, Value: map[string]any{"input": map[string]any{"text": text, "metadata": map[string]any{"action": action}}}}
}

func output(v any) flow.Got { return flow.Got{What: flow.GotOutput, Value: v} }

func TestAConversationWaitsResumesRoutesAndEnds(t *testing.T) {
	f := compile(t, chat)
	s := next(t, f, f.Start(map[string]any{"input": map[string]any{"from": "ann"}}), flow.Got{})
	if s.Do != flow.DoEmit || !reflect.DeepEqual(s.Payload, map[string]any{"text": "Name, ann?"}) {
		t.Fatalf("ask: %+v", s)
	}
	s = next(t, f, s.Cursor, output(s.Payload))
	if s.Do != flow.DoWait || s.Reason != "name" || s.Cursor.Node != "greet" || !s.Cursor.Parked {
		t.Fatalf("pause: %+v", s)
	}
	s = next(t, f, s.Cursor, say("Ann", ""))
	want := map[string]any{"name": "Ann", "word": "Hello", "gone": nil}
	if s.Do != flow.DoInvoke || s.Component != "desk.greeter" || s.Operation != "hi" || !reflect.DeepEqual(s.Input, want) || s.Cursor.Steps != 1 {
		t.Fatalf("greet: %+v", s)
	}
	s = next(t, f, s.Cursor, output(map[string]any{"text": "Hi Ann", "status": "fine"}))
	if s.Do != flow.DoLog || s.Node != "choose" || !strings.Contains(s.Why, "line 11") || s.Cursor.Nodes["greet"].Payload.(map[string]any)["to"] != "Ann" {
		t.Fatalf("choose: %+v", s)
	}
	s = next(t, f, s.Cursor, output(s.Payload))
	if s.Do != flow.DoWait || !s.Cursor.Reroute || s.Cursor.Node != "choose" {
		t.Fatalf("no match: %+v", s)
	}
	if again := next(t, f, s.Cursor, say("", "MORE")); again.Do != flow.DoEmit || again.Node != "ask" || again.Cursor.Reroute {
		t.Fatalf("more: %+v", again)
	}
	s = next(t, f, s.Cursor, say("", "bye"))
	if s.Do != flow.DoEnd || !s.Reply || s.Cursor.Entry.(map[string]any)["input"].(map[string]any)["from"] != "ann" {
		t.Fatalf("bye: %+v", s)
	}
}

func TestStatusChoosesTheBranch(t *testing.T) {
	f := compile(t, head+`  x:
    run: {}
    routing: [{ status: yes, to: a }, { status: error, to: b }, { to: c }]
  a: { emit.response: a }
  b: { emit.response: b }
  c: { emit.response: c }
`)
	c := f.Start(map[string]any{"metadata": map[string]any{"action": "yes"}})
	for _, k := range []struct {
		got  flow.Got
		want string
	}{
		{output(map[string]any{"status": "yes"}), "a"}, {output(map[string]any{"status": "other"}), "c"}, {output(map[string]any{"route": "error"}), "b"},
		{output("text"), "a"}, {flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: "x"}}, "a"},
	} {
		if s := next(t, f, c, k.got); s.Node != k.want {
			t.Errorf("%+v goes to %s, want %s", k.got, s.Node, k.want)
		}
	}
	if s := next(t, f, f.Start(nil), flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: "x"}}); s.Node != "b" {
		t.Errorf("an error goes to %s", s.Node)
	}
}

func TestWhatAFlowCannotDoFailsWithACode(t *testing.T) {
	for body, want := range map[string]string{
		"flow.call: {}": flow.FlowMissing, "mcp: { server: s, tool: t }": "unsupported", "state.get: {}": "state_key", "run: {}": "component_missing",
		"emit.response: \"a {{#if b}}\"": "template", "emit.log: {}\n    routing: [{ to: x }]": "step_limit",
		"emit.log: { n: 1 }\n    routing: [{ condition: n.startsWith(\"a\"), to: x }]": "condition",
	} {
		f := compile(t, head+"  x:\n    "+body+"\n")
		c := f.Start(nil)
		c.Limit = 5
		s := next(t, f, c, flow.Got{})
		for i := 0; i < 10 && (s.Do == flow.DoLog || s.Do == flow.DoEmit); i++ {
			s = next(t, f, s.Cursor, output(s.Payload))
		}
		if s.Do != flow.DoFail || s.Fail.Code != want {
			t.Errorf("%s: %+v %+v, want %s", body, s.Do, s.Fail, want)
		}
	}
}

func TestAFailureWithoutARouteFailsTheRunAndErrMapCatchesIt(t *testing.T) {
	fail := flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: "boom", Message: "m"}}
	f := compile(t, head+"  x:\n    run: { component: c }\n")
	if s := next(t, f, f.Start(nil), fail); s.Do != flow.DoFail || s.Fail.Code != "boom" {
		t.Errorf("%+v", s)
	}
	f = compile(t, head+"  x:\n    run: { component: c }\n    err_map: { why: \"{{error.code}}\" }\n")
	if s := next(t, f, f.Start(nil), fail); s.Do != flow.DoEnd || s.Cursor.Nodes["x"].Payload.(map[string]any)["why"] != "boom" || s.Cursor.Nodes["x"].OK {
		t.Errorf("%+v", s)
	}
}

func TestAWrongCallIsAnError(t *testing.T) {
	f := compile(t, "id: empty\ntype: job\nnodes: {}\n")
	if _, err := f.Next(f.Start(nil), flow.Got{}); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if _, err := f.Next(flow.Cursor{Flow: "other"}, flow.Got{}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestAManifestCarriesTheWholeFlow(t *testing.T) {
	f := compile(t, chat)
	f.File = "flows/chat.ygtc"
	b, err := json.Marshal(f.Manifest())
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	g, err := flow.FromManifest(doc)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(g.Manifest())
	if string(again) != string(b) {
		t.Errorf("\n%s\n%s", b, again)
	}
	for _, n := range f.Nodes {
		if a, b := policiesOf(n), policiesOf(g.Node(n.ID)); !reflect.DeepEqual(a, b) {
			t.Errorf("%+v came back as %+v", a, b)
		}
	}
	if g.Node("greet").Pos != f.Node("greet").Pos || g.File != f.File || g.Parameters["greeting"] != "Hello" || g.Start(nil).Node != "ask" {
		t.Errorf("%+v", g.Node("greet"))
	}
}

// policies are what a node keeps beside what the flow model of the ecosystem has a place for.
type policies struct {
	pos        flow.Pos
	retry      *flow.Retry
	timeout    time.Duration
	when, undo string
	routes     []flow.Pos
}

func policiesOf(n *flow.Node) policies {
	p := policies{n.Pos, n.Retry, n.Timeout, n.When, n.Compensate, nil}
	for _, r := range n.Routing.Routes {
		p.routes = append(p.routes, r.Pos)
	}
	return p
}

func TestForeignRoutingFormsAreRead(t *testing.T) {
	for src, want := range map[string]flow.RoutingForm{
		`"End"`: flow.RouteEnd, `"reply"`: flow.RouteReply, `{"next":{"node_id":"x"}}`: flow.RouteNext, `{"Branch":{"on_status":{"ok":"x"},"default":null}}`: flow.RouteBranch,
		`{"Custom":[{"next":"x"}]}`: flow.RouteCustom, `{"custom":[{"condition":"a == b","to":"x"}]}`: flow.RouteCustom,
	} {
		var routing any
		_ = json.Unmarshal([]byte(src), &routing)
		f, err := flow.FromManifest(map[string]any{"id": "f", "kind": "messaging", "nodes": []any{
			map[string]any{"id": "x", "component": map[string]any{"id": "c"}, "input": map[string]any{"mapping": "t"}, "routing": routing}}})
		if err != nil || f.Node("x").Routing.Form != want {
			t.Errorf("%s: %v", src, err)
		}
	}
}
