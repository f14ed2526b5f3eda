package card_test

import (
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
)

func TestSelectFollowsTheOrderOfTheDigest(t *testing.T) {
	node := []*flow.Node{{ID: "a"}}
	f := func(id string, kind flow.Kind, nodes []*flow.Node, tags ...string) *flow.Flow {
		return &flow.Flow{ID: id, Kind: kind, Nodes: nodes, Tags: tags}
	}
	for _, c := range []struct {
		promise  string
		flows    []*flow.Flow
		tags     func(string) []string
		explicit string
		want     string // the flow, or part of the error
		kind     fault.Kind
	}{
		{promise: "the named one wins, whatever its kind", flows: []*flow.Flow{f("main", flow.Messaging, node), f("e", flow.Event, node)}, explicit: "e", want: "e"},
		{promise: "a tag wins over a name", flows: []*flow.Flow{f("main", flow.Messaging, node), f("x", flow.Messaging, node, "default")}, want: "x"},
		{promise: "a tag of the pack counts", flows: []*flow.Flow{f("main", flow.Messaging, node), f("x", flow.Messaging, node)},
			tags: func(id string) []string { return map[string][]string{"x": {"default"}}[id] }, want: "x"},
		{promise: "default comes before main", flows: []*flow.Flow{f("main", flow.Messaging, node), f("default", flow.Messaging, node)}, want: "default"},
		{promise: "the only one needs no name", flows: []*flow.Flow{f("e", flow.Event, node, "default"), f("x", flow.Messaging, node)}, want: "x"},
		{promise: "flows without nodes are skipped", flows: []*flow.Flow{f("main", flow.Messaging, nil, "default"), f("x", flow.Messaging, node)}, want: "x"},
		{promise: "only empty flows: no start node", flows: []*flow.Flow{f("main", flow.Messaging, nil), f("x", flow.Messaging, nil)}, want: "no start node: main, x", kind: fault.NotFound},
		{promise: "a named empty flow has no start node", flows: []*flow.Flow{f("main", flow.Messaging, nil)}, explicit: "main", want: "no start node: main", kind: fault.NotFound},
		{promise: "an unknown name is not found", flows: []*flow.Flow{f("main", flow.Messaging, node)}, explicit: "nope", want: "flow nope", kind: fault.NotFound},
		{promise: "several equal ones are refused", flows: []*flow.Flow{f("x", flow.Messaging, node), f("y", flow.Messaging, node)}, want: "x, y", kind: fault.Invalid},
		{promise: "no flows", want: "no messaging flow", kind: fault.NotFound},
	} {
		t.Run(c.promise, func(t *testing.T) {
			got, err := card.Select(c.flows, c.tags, c.explicit)
			switch {
			case err == nil && (c.kind != 0 || got.ID != c.want):
				t.Errorf("got flow %s, want %s", got.ID, c.want)
			case err != nil && (!fault.Is(err, c.kind) || c.kind == 0 || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v (%s), want %s (%s)", err, fault.KindOf(err), c.want, c.kind)
			}
		})
	}
}
