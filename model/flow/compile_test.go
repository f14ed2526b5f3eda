package flow_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

const head = "id: a\ntype: messaging\nnodes:\n"

func TestWrongFlowsAreRefusedWithClassAndPlace(t *testing.T) {
	for name, c := range map[string]struct {
		src, class string
		line, col  int
	}{
		"not yaml":          {"id: [a", "Yaml", 1, 5},
		"anchor":            {head + "  x:\n    emit.log: &a {}\n    routing: out\n", "Yaml", 5, 15},
		"double key":        {"id: a\nid: b\n", "Yaml", 2, 1},
		"list":              {"- a\n", "Schema", 1, 1},
		"no id":             {"type: messaging\nnodes: {}\n", "Schema", 1, 1},
		"no type":           {"id: a\nnodes: {}\n", "Schema", 1, 1},
		"unknown type":      {"id: a\ntype: chat\nnodes: {}\n", "UnknownFlowType", 2, 7},
		"bad flow id":       {"id: a b\ntype: job\nnodes: {}\n", "InvalidIdentifier", 1, 5},
		"bad node id":       {head + "  1x:\n    emit.log: {}\n", "InvalidIdentifier", 4, 3},
		"no operation":      {head + "  x:\n    routing: out\n", "NodeComponentShape", 4, 3},
		"two operations":    {head + "  x:\n    a: {}\n    b: {}\n", "NodeComponentShape", 6, 5},
		"bad key":           {head + "  x:\n    a/b: {}\n", "BadComponentKey", 5, 5},
		"bad word":          {head + "  x:\n    emit.log: {}\n    routing: done\n", "Routing", 6, 14},
		"unknown route key": {head + "  x:\n    emit.log: {}\n    routing: [{ goto: x }]\n", "Routing", 6, 17},
		"condition":         {head + "  x:\n    emit.log: {}\n    routing:\n      - condition: a = b\n        to: x\n", "Routing", 7, 22},
		"quoted condition":  {head + "  x:\n    emit.log: {}\n    routing:\n      - condition: 'a = b'\n        to: x\n", "Routing", 7, 23},
		"missing node":      {head + "  x:\n    emit.log: {}\n    routing: [{ to: y }]\n", "MissingNode", 6, 21},
		"missing start":     {"start: z\n" + head + "  x:\n    emit.log: {}\n", "MissingNode", 1, 8},
		"mcp":               {head + "  x:\n    mcp: { server: a }\n", "McpConfig", 5, 5},
		"endless wait":      {head + "  x:\n    session.wait: {}\n", "Routing", 4, 3},
		"telemetry":         {head + "  x:\n    emit.log: {}\n    telemetry: { level: 1 }\n", "Schema", 6, 18},
	} {
		_, err := flow.Compile("a.ygtc", []byte(c.src))
		pos, _, class := fault.Detail(err)
		if !fault.Is(err, fault.Invalid) || class != c.class || pos.Line != c.line || pos.Col != c.col {
			t.Errorf("%s: %v (%s at %d:%d), want %s at %d:%d", name, err, class, pos.Line, pos.Col, c.class, c.line, c.col)
		}
	}
}

func TestCheckFindsEveryErrorAndCompileCountsThem(t *testing.T) {
	src := []byte(head + "  x:\n    emit.log: {}\n    routing: [{ to: xx }]\n  yy:\n    emit.log: {}\n    routing: [{ to: y }]\n")
	f, all := flow.Check("a.ygtc", src)
	if f != nil || len(all) != 2 || all[0].Pointer != "/nodes/x/routing/0/to" || all[0].Fix != "did you mean x?" || all[1].Fix != "add the node y" {
		t.Errorf("%v %+v", f, all)
	}
	if _, err := flow.Compile("a.ygtc", src); !strings.Contains(err.Error(), "(and 1 more)") {
		t.Error(err)
	}
}

func TestATemplateThatDoesNotCompileIsAWarning(t *testing.T) {
	f, all := flow.Check("a.ygtc", []byte(head+"  x:\n    emit.response: { text: \"{{#if a}}\" }\n"))
	if f == nil || len(all) != 1 || all[0].Class != "Template" || all[0].Severity != "warning" {
		t.Errorf("%v %+v", f, all)
	}
}

func TestRoutingCompilesByTheRules(t *testing.T) {
	for routing, want := range map[string]flow.RoutingForm{
		"out": flow.RouteEnd, "reply": flow.RouteReply, "[]": flow.RouteEnd, "[{ out: true }]": flow.RouteEnd, "[{ to: out }]": flow.RouteEnd,
		"[{ reply: true }]": flow.RouteReply, "[{ to: y }]": flow.RouteNext, "[{ next: y }]": flow.RouteNext, "[{ status: s, to: y }]": flow.RouteCustom,
		"[{ status: s, to: y }, { to: x }]": flow.RouteBranch, "[{ to: x }, { to: y }]": flow.RouteBranch, "[{ to: x }, { out: true }]": flow.RouteCustom,
		"[{ condition: a == b, to: y }]": flow.RouteCustom,
	} {
		f, err := flow.Compile("a", []byte(head+"  x:\n    emit.log: {}\n    routing: "+routing+"\n  y:\n    emit.log: {}\n"))
		if err != nil {
			t.Errorf("%s: %v", routing, err)
			continue
		}
		if got := f.Node("x").Routing.Form; got != want {
			t.Errorf("%s = %d, want %d", routing, got, want)
		}
	}
}

func TestOperationsNameTheirComponent(t *testing.T) {
	for body, want := range map[string][2]string{
		"emit.response: {}": {"component.exec", "emit.response"}, "card: {}": {"component.exec", "card"}, "component.exec: { component: c }": {"component.exec", ""},
		"{ card: {}, operation: show }": {"component.exec", "show"}, "questions: {}": {"questions", ""}, "dw.agent: {}": {"dw.agent", ""},
		"mcp: { server: s, tool: t }": {"mcp", ""}, "{ component: desk.x, payload: { a: 1 }, routes: [{ out: true }] }": {"desk.x", ""},
	} {
		if !strings.HasPrefix(body, "{") {
			body = "{ " + body + " }"
		}
		f, err := flow.Compile("a", []byte(head+"  x: "+body+"\n"))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if n := f.Node("x"); n.Component != want[0] || n.Operation != want[1] {
			t.Errorf("%s = %s %s, want %v", body, n.Component, n.Operation, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{chat, trip, retrying, head + "  x:\n    emit.log: {}\n    routing: out\n", "{a: [", "- - - a", "id: &a b", "? [x]\n: y", "id: !!binary aa"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		compiled, err := flow.Compile("fuzz", src)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		again, err := flow.FromManifest(compiled.Manifest())
		if err != nil {
			t.Fatalf("its manifest does not read: %v", err)
		}
		for _, n := range compiled.Nodes {
			if a, b := policiesOf(n), policiesOf(again.Node(n.ID)); !reflect.DeepEqual(a, b) {
				t.Fatalf("%+v came back as %+v", a, b)
			}
		}
		_, _ = compiled.Next(compiled.Start(map[string]any{"text": "x"}), flow.Got{})
	})
}

// FuzzNext steps from a cursor of another version of a flow, or of nobody's.
func FuzzNext(f *testing.F) {
	for _, s := range []string{
		`{"flow":"a","node":"pay","compensations":[{"node":"hotel","by":"leave"},{"node":"gone","by":"cancel"},{"node":"flight","by":"gone"}]}`,
		`{"flow":"a","node":"cancel","attempt":1,"failure":{"node":"gone"},"compensations":[{"node":"flight","by":"cancel"}]}`,
		`{"flow":"a","node":"hotel","parked":true,"on_timeout":"gone","last":"gone"}`, `{"flow":"a","node":"pay","parked":true,"reroute":true}`,
	} {
		for what := range byte(6) {
			f.Add(s, what)
		}
	}
	compiled, err := flow.Compile("a.ygtc", []byte(trip))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, src string, what byte) {
		var c flow.Cursor
		if json.Unmarshal([]byte(src), &c) != nil {
			return
		}
		s, err := compiled.Next(c, flow.Got{What: flow.What(what)})
		switch {
		case err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Internal):
			t.Fatal(err)
		case err == nil && (s.Rule == "" || s.Why == "" || (s.Do == flow.DoFail) != (s.Rule == flow.RuleFail) || s.Do == flow.DoFail && s.Fail == nil):
			t.Fatalf("a step without a reason: %+v", s)
		}
	})
}
