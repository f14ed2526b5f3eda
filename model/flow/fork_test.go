package flow_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/model/flow"
)

// fork plays the branches of a step one after the other, as a replay does, with cursors that were
// stored in between.
func (p *player) fork(step flow.Step) flow.Got {
	got := flow.Got{What: flow.GotJoin}
	after := p.at
	for _, c := range step.Branches {
		p.at, p.within = c, c.Within
		end := p.play(flow.Got{What: flow.GotStart})
		p.within = nil
		got.Branches = append(got.Branches, end.Branched())
		if end.Do == flow.DoFail && !step.Continue {
			break
		}
	}
	p.at = after
	return got
}

func TestForEachRunsItsOperationForEachItemAndKeepsTheOrder(t *testing.T) {
	p := newPlayer(t, `id: f
type: messaging
nodes:
  price:
    component.exec: { component: c.price, operation: get, input: { sku: "{{item.sku}}", at: "{{index}}", all: "{{entry.n}}" } }
    out_map: { price: "{{result.price}}", sku: "{{input.input.sku}}" }
    meta: { greentic: { for_each: { items: "{{entry.lines}}", concurrency: 2 } } }
    routing: [{ to: say }]
  say:
    emit.response: { text: "{{#each price}}{{sku}}={{price}} {{/each}}{{item}}" }
`)
	p.answer["c.price"] = func(s flow.Step) any {
		in := s.Input.(map[string]any)
		return map[string]any{"price": fmt.Sprintf("%v%v/%v", in["sku"], in["at"], in["all"])}
	}
	lines := []any{map[string]any{"sku": "a"}, map[string]any{"sku": "b"}}
	p.start("f", map[string]any{"lines": lines, "n": int64(2)})
	p.did("f.price fork; f.price invoke; f.price end; f.price invoke; f.price end; f.say emit a=a0/2 b=b1/2 ; f.say end")
	p.start("f", map[string]any{"lines": []any{}})
	p.did("f.say emit ; f.say end")
	for code, input := range map[string]map[string]any{flow.FanOutLimit: {"lines": make([]any, 100_000)}, "for_each_items": {"lines": "a"}} {
		if s := p.start("f", input); s.Do != flow.DoFail || s.Fail.Code != code {
			t.Errorf("%s: %+v", code, s.Fail)
		} else if code == flow.FanOutLimit && !strings.Contains(s.Fail.Message, "100000 branches side by side, at most 1000 are allowed") {
			t.Error(s.Fail.Message)
		}
	}
}

const fans = `id: p
type: messaging
nodes:
  gather:
    emit.log: { asking: "{{entry.who}}" }
    meta: { greentic: { parallel: { branches: { stock: ask_stock, price: ask_price }MORE } } }
    routing: [{ status: error, to: sorry }, { to: say }]
  ask_stock:
    component.exec: { component: c.stock, input: { who: "{{prev.asking}}" } }
    meta: { greentic: { compensate: release } }
    routing: [{ to: double }]
  double:
    emit.response: { text: "stock {{ask_stock.n}} of {{gather.asking}}" }
    out_map: { n: "{{ask_stock.n}}" }
  ask_price:
    component.exec: { component: c.price }
  say:
    emit.response: { text: "{{gather.stock.n}} {{gather.price.n}} {{ask_price.n}} {{double.n}} {{gather.price.error.code}}" }
    routing: [{ to: last }]
  last: { component.exec: { component: c.last } }
  sorry: { emit.response: { text: "{{gather.error.message}}" } }
  release: { emit.log: { undone: "{{ask_stock.n}}" } }
`

func TestParallelBranchesSeeTheRunAndLeaveTheirOutputs(t *testing.T) {
	p := newPlayer(t, strings.Replace(fans, "MORE", "", 1))
	p.answer["c.stock"], p.answer["c.price"], p.answer["c.last"] = map[string]any{"n": int64(3)}, map[string]any{"n": int64(9)}, map[string]any{}
	p.start("p", map[string]any{"who": "Ann"})
	p.did("p.gather log; p.gather fork; p.ask_price invoke; p.ask_price end; p.ask_stock invoke; p.double emit stock 3 of Ann; p.double end; p.say emit 3 9 9 3 ; p.last invoke; p.last end")
	p.answer["c.last"] = &flow.NodeFail{Code: "late", Message: "no"}
	p.start("p", map[string]any{})
	if got := p.trail[len(p.trail)-2:]; !reflect.DeepEqual(got, []string{"p.release log", "p.last fail"}) {
		t.Errorf("what a branch did is not undone: %v", got)
	}
	p.trail = nil
	p.answer["c.price"] = &flow.NodeFail{Code: "gone", Message: "no price"}
	p.start("p", map[string]any{})
	p.did("p.gather log; p.gather fork; p.ask_price invoke; p.ask_price fail; p.sorry emit branch price: no price; p.sorry end")
}

func TestAFailureMayBeAResult(t *testing.T) {
	p := newPlayer(t, strings.Replace(fans, "MORE", ", on_error: continue", 1))
	p.answer["c.stock"], p.answer["c.price"], p.answer["c.last"] = map[string]any{"n": int64(3)}, &flow.NodeFail{Code: "gone"}, map[string]any{}
	p.start("p", map[string]any{})
	p.did("p.gather log; p.gather fork; p.ask_price invoke; p.ask_price fail; p.ask_stock invoke; p.double emit stock 3 of ; p.double end; p.say emit 3   3 gone; p.last invoke; p.last end")
}

func TestABranchMayCallAFlowButNotWait(t *testing.T) {
	main := "id: m\ntype: messaging\nnodes:\n  all:\n    flow.call: { flow: s, input: { x: \"{{item}}\" } }\n    meta: { greentic: { for_each: { items: [1, 2] } } }\n    routing: [{ to: say }]\n  say: { emit.response: { text: \"{{all}}\" } }\n"
	p := newPlayer(t, main, "id: s\ntype: messaging\nnodes:\n  x: { emit.log: { y: \"{{in.x}}{{item}}\" } }\n")
	p.start("m", nil)
	p.did(`m.all fork; m.all call; s.x log; s.x return; m.all end; m.all call; s.x log; s.x return; m.all end; m.say emit [map[y:1] map[y:2]]; m.say end`)
	p = newPlayer(t, main, "id: s\ntype: messaging\nnodes:\n  x:\n    session.wait: { reason: r }\n    routing: [{ to: y }]\n  y: { emit.log: 1 }\n")
	if s := p.start("m", nil); s.Do != flow.DoFail || s.Fail.Code != "branch_waits" {
		t.Errorf("%+v", s)
	}
}

func TestForksWithinEachOtherAreLimitedTogether(t *testing.T) {
	src := "id: m\ntype: messaging\nnodes:\n  all:\n    flow.call: { flow: m2, input: { list: \"{{entry.list}}\" } }\n    meta: { greentic: { for_each: { items: \"{{entry.list}}\" } } }\n"
	inner := "id: m2\ntype: messaging\nnodes:\n  x:\n    emit.log: { i: \"{{item}}\" }\n    meta: { greentic: { for_each: { items: \"{{entry.list}}\" } } }\n"
	list := make([]any, 32)
	if s := newPlayer(t, src, inner).start("m", map[string]any{"list": list}); s.Do != flow.DoFail || s.Fail.Code != flow.FanOutLimit || !strings.Contains(s.Fail.Message, "1024 branches") {
		t.Errorf("%+v", s.Fail)
	}
}

func TestWrongFansAreRefusedByName(t *testing.T) {
	for src, want := range map[string]string{
		"run: {}\n    meta: { greentic: { for_each: { items: 3 } } }":                                      "for_each needs items, a list or a template of one",
		"run: {}\n    meta: { greentic: { for_each: { items: [1], concurrency: 65 } } }":                   "concurrency must be a whole number from 1 to 64",
		"run: {}\n    meta: { greentic: { for_each: { items: [1], on_error: stop } } }":                    "on_error is neither fail nor continue",
		"run: {}\n    meta: { greentic: { for_each: [1] } }":                                               "for_each must be a map",
		"run: {}\n    meta: { greentic: { parallel: { branches: [] } } }":                                  "parallel needs branches",
		"run: {}\n    meta: { greentic: { parallel: { branches: [x] } } }":                                 "begins at the node itself",
		"run: {}\n    meta: { greentic: { parallel: { branches: [gone] } } }":                              "points to gone, which does not exist",
		"run: {}\n    meta: { greentic: { parallel: { branches: [y, y] } } }":                              "must name a node of its own",
		"run: {}\n    meta: { greentic: { parallel: { branches: [w] } } }":                                 "waits for input",
		"run: {}\n    meta: { greentic: { parallel: { branches: [y] }, for_each: { items: [1] } } }":       "exclude each other",
		"session.wait: {}\n    routing: [{ to: y }]\n    meta: { greentic: { for_each: { items: [1] } } }": "session.wait cannot run with for_each",
		"run: {}\n    meta: { greentic: { for_each: { items: [" + strings.Repeat("1,", 1001) + "1] } } }":  "for_each has 1002 items, at most 1000 are allowed",
		"run: {}\n    meta: { greentic: { for_each: { items: [1], parallelism: 3 } } }":                    "for_each does not know parallelism",
	} {
		_, found := flow.Check("a.ygtc", []byte("id: a\ntype: messaging\nnodes:\n  x:\n    "+src+"\n  y: { emit.log: 1 }\n  w:\n    session.wait: {}\n    routing: [{ to: y }]\n"))
		if errs := found.Errors(); len(errs) == 0 || !strings.Contains(errs[0].Message, want) || errs[0].Line == 0 {
			t.Errorf("%s\n%v, want %s", src, errs, want)
		}
	}
}
