package flow_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/model/flow"
)

// player walks flows as a runner does, with components that answer what the test says.
type player struct {
	t      *testing.T
	flows  map[string]*flow.Flow
	answer map[string]any // by component: an output, or a *flow.NodeFail
	at     flow.Cursor
	within *flow.Within // of the branch that is played
	why    []string     // the same with rules and reasons
	trail  []string     // what was done: "flow.node do"
}

func newPlayer(t *testing.T, sources ...string) *player {
	t.Helper()
	p := &player{t: t, flows: map[string]*flow.Flow{}, answer: map[string]any{}}
	for _, src := range sources {
		f := compile(t, src)
		p.flows[f.ID] = f
	}
	return p
}

var doing = map[flow.Do]string{flow.DoInvoke: "invoke", flow.DoEmit: "emit", flow.DoLog: "log", flow.DoWait: "wait", flow.DoEnd: "end",
	flow.DoFail: "fail", flow.DoCall: "call", flow.DoReturn: "return", flow.DoJump: "jump", flow.DoRender: "render", flow.DoPublish: "publish", flow.DoRetry: "retry", flow.DoFork: "fork"}

func (p *player) start(id string, input any) flow.Step {
	p.at = p.flows[id].Start(input)
	return p.play(flow.Got{What: flow.GotStart})
}

// play goes on until the run ends, fails or waits.
func (p *player) play(got flow.Got) flow.Step {
	p.t.Helper()
	for range 1000 {
		in := p.flows[p.at.Flow]
		step := next(p.t, in, p.at, got)
		if p.within != nil && step.Do != flow.DoFork {
			step.Cursor = step.Cursor.Rejoin(p.within)
		}
		word := in.ID + "." + step.Node + " " + doing[step.Do]
		if m, ok := step.Payload.(map[string]any); step.Do == flow.DoEmit && ok {
			word += fmt.Sprintf(" %v", m["text"])
		}
		p.trail = append(p.trail, word)
		reason := ""
		if step.Fail != nil {
			reason = " [" + step.Fail.Code + "]"
		}
		p.why = append(p.why, strings.TrimSpace(fmt.Sprintf("%s%s: %s %s", word, reason, step.Rule, step.Why)))
		before := p.at
		p.at, got = step.Cursor, output(step.Payload)
		switch step.Do {
		case flow.DoWait, flow.DoEnd, flow.DoFail:
			return step
		case flow.DoCall, flow.DoJump:
			got = flow.Got{What: flow.GotStart}
			if p.flows[p.at.Flow] == nil {
				got = flow.Got{What: flow.GotError, Error: &flow.NodeFail{Code: flow.FlowMissing, Message: p.at.Flow}}
				if p.at = before; step.Do == flow.DoCall {
					p.at = *step.Cursor.Caller
				}
			}
		case flow.DoReturn:
			if step.Fail != nil {
				got = flow.Got{What: flow.GotError, Error: step.Fail}
			}
		case flow.DoRetry:
			got = flow.Got{What: flow.GotRetry}
		case flow.DoFork:
			within := p.within
			got = p.fork(step)
			p.within = within
			if within != nil {
				p.at = p.at.Rejoin(within)
			}
		case flow.DoInvoke:
			if answer, ok := p.answer[step.Component].(func(flow.Step) any); ok {
				got = output(answer(step))
				break
			}
			if fail, ok := p.answer[step.Component].(*flow.NodeFail); ok {
				got = flow.Got{What: flow.GotError, Error: fail}
			} else {
				got = output(p.answer[step.Component])
			}
		}
	}
	p.t.Fatal("the run does not end")
	return flow.Step{}
}

func (p *player) did(want string) {
	p.t.Helper()
	if got := strings.Join(p.trail, "; "); got != want {
		p.t.Errorf("did %s\nwant %s", got, want)
	}
	p.trail = nil
}

const caller = `id: main
type: messaging
nodes:
  hello:
    emit.response: { text: "hello" }
    routing: [{ to: ask }]
  ask:
    flow.call: { flow_id: ask_name, input: { greeting: "Name, please" } }
    out_map: { name: "{{result.name}}" }
    routing: [{ to: bye }]
  bye:
    emit.response: { text: "bye {{ask.name}}, you said {{input.input.text}}, first {{entry.input.text}}" }
`

const callee = `id: ask_name
type: messaging
nodes:
  say:
    emit.response: { text: "{{in.greeting}}?" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: name }
    routing: [{ to: keep }]
  keep:
    component.exec: { component: c.name, operation: keep, input: { name: "{{response.text}}" } }
`

func TestACalledFlowMayWaitAndGivesItsLastOutputBack(t *testing.T) {
	p := newPlayer(t, caller, callee)
	p.answer["c.name"] = map[string]any{"name": "Ann"}
	s := p.start("main", map[string]any{"input": map[string]any{"text": "hi"}})
	if s.Do != flow.DoWait || s.Cursor.Flow != "ask_name" || !reflect.DeepEqual(s.Cursor.Chain(), []string{"main", "ask_name"}) {
		t.Fatalf("%+v", s)
	}
	p.did("main.hello emit hello; main.ask call; ask_name.say emit Name, please?; ask_name.pause wait")
	s = p.play(say("I am Ann", ""))
	p.did("ask_name.keep invoke; ask_name.keep return; main.bye emit bye Ann, you said I am Ann, first hi; main.bye end")
	if s.Cursor.Caller != nil || s.Cursor.Steps != 2 {
		t.Errorf("ended with %+v", s.Cursor)
	}
}

func TestAFailureOfACalledFlowIsTheCallersToRoute(t *testing.T) {
	routed := strings.Replace(caller, "routing: [{ to: bye }]", "routing: [{ status: error, to: sorry }, { to: bye }]\n  sorry:\n    emit.response: { text: \"{{ask.error.code}} {{ask.error.message}}\" }", 1)
	p := newPlayer(t, strings.Replace(routed, "    out_map: { name: \"{{result.name}}\" }\n", "", 1), callee)
	p.answer["c.name"] = &flow.NodeFail{Code: "busy", Message: "no"}
	p.start("main", map[string]any{})
	p.trail = nil
	p.play(say("Ann", ""))
	p.did("ask_name.keep invoke; ask_name.keep return; main.sorry emit busy no; main.sorry end")
	plain := newPlayer(t, caller, callee)
	plain.answer = p.answer
	plain.start("main", map[string]any{})
	if s := plain.play(say("Ann", "")); s.Do != flow.DoFail || s.Fail.Code != "busy" || s.Node != "ask" {
		t.Errorf("%+v", s)
	}
	alone := newPlayer(t, caller)
	if s := alone.start("main", nil); s.Do != flow.DoFail || s.Fail.Code != flow.FlowMissing || s.Node != "ask" {
		t.Errorf("a flow that is not there: %+v", s)
	}
}

func TestFlowsThatCallEachOtherWithoutEndAreNamed(t *testing.T) {
	a := "id: a\ntype: messaging\nnodes:\n  x:\n    flow.call: { flow: b }\n"
	b := "id: b\ntype: messaging\nnodes:\n  x:\n    flow.call: { flow: a }\n"
	s := newPlayer(t, a, b).start("a", nil)
	if s.Do != flow.DoFail || s.Fail.Code != flow.CallLimit || !strings.Contains(s.Fail.Message, "more than 16 flows deep: a -> b -> a -> b") || !strings.HasSuffix(s.Fail.Message, "a calls itself") {
		t.Errorf("%+v", s)
	}
}

func TestARunJumpsToNodesAndFlowsWithinALimit(t *testing.T) {
	jump := `id: j
type: messaging
nodes:
  pick:
    component.exec: { component: c.pick, operation: pick }
    routing: [{ to: other }]
  other: { emit.response: { text: other } }
  third:
    emit.response: { text: "third {{input.x}}" }
    routing: [{ to: away }]
  away:
    flow.goto: { flow: k, node: last, input: { y: 1 } }
`
	k := "id: k\ntype: messaging\nnodes:\n  first: { emit.response: { text: first } }\n  last:\n    emit.response: { text: \"last {{in.y}}\" }\n"
	p := newPlayer(t, jump, k)
	p.answer["c.pick"] = map[string]any{"greentic_control": map[string]any{"v": int64(1), "action": "jump", "target": map[string]any{"node": "third"}, "params": map[string]any{"x": "!"}}}
	p.start("j", map[string]any{})
	p.did("j.pick invoke; j.third emit third !; j.away jump; k.last emit last 1; k.last end")

	loop := newPlayer(t, "id: l\ntype: messaging\nnodes:\n  x:\n    flow.goto: { node: x }\n")
	if s := loop.start("l", nil); s.Do != flow.DoFail || s.Fail.Code != flow.JumpLimit || !strings.Contains(s.Fail.Message, "more than 16 jumps") {
		t.Errorf("%+v", s)
	}
	p.answer["c.pick"] = map[string]any{"greentic_control": map[string]any{"action": "respond", "text": "done"}}
	p.start("j", nil)
	p.did("j.pick invoke; j.pick emit done; j.other emit other; j.other end")
	for control, code := range map[string]any{"jump_failed": map[string]any{"action": "jump"}, flow.FlowMissing: map[string]any{"action": "jump", "target": map[string]any{"flow": "gone"}}} {
		p.answer["c.pick"] = map[string]any{"greentic_control": code}
		if s := p.start("j", nil); s.Do != flow.DoFail || s.Fail.Code != control {
			t.Errorf("%s: %+v", control, s.Fail)
		}
	}
}

// What a user wrote must not move the run.
func TestOnlyComponentsMayJump(t *testing.T) {
	p := newPlayer(t, "id: u\ntype: messaging\nnodes:\n  x:\n    emit.response: { payload: \"{{in.input.metadata}}\" }\n    routing: [{ to: y }]\n  y: { emit.response: { text: y } }\n  admin: { emit.response: { text: admin } }\n")
	p.start("u", map[string]any{"input": map[string]any{"metadata": map[string]any{"greentic_control": map[string]any{"action": "jump", "target": map[string]any{"node": "admin"}}}}})
	p.did("u.x emit <nil>; u.y emit y; u.y end")
}

func TestACalledFlowUndoesItselfBeforeItsCallerHears(t *testing.T) {
	main := "id: m\ntype: messaging\nnodes:\n  book:\n    component.exec: { component: c.ok }\n    meta: { greentic: { compensate: unbook } }\n    routing: [{ to: sub }]\n  sub:\n    flow.call: { flow: s }\n  unbook: { emit.log: { a: 1 } }\n"
	sub := "id: s\ntype: messaging\nnodes:\n  pay:\n    component.exec: { component: c.ok }\n    meta: { greentic: { compensate: refund } }\n    routing: [{ to: bad }]\n  bad:\n    component.exec: { component: c.bad }\n  refund: { emit.log: { a: 1 } }\n"
	p := newPlayer(t, main, sub)
	p.answer["c.ok"], p.answer["c.bad"] = map[string]any{}, &flow.NodeFail{Code: "bad", Message: "no"}
	if s := p.start("m", nil); s.Do != flow.DoFail || s.Fail.Code != "bad" {
		t.Errorf("%+v", s)
	}
	p.did("m.book invoke; m.sub call; s.pay invoke; s.bad invoke; s.refund log; s.bad return; m.unbook log; m.sub fail")
}
