//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"greentic.dev/devkit/flowcheck"
	"greentic.dev/model/flow/format"
	"greentic.dev/model/flow/graph"
)

// flowOf is the source of a flow of n nodes as authors write them: calls, answers, choices and waits
// that lead to each other.
func flowOf(n int) string {
	var b strings.Builder
	b.WriteString("id: big\ntype: messaging\nstart: n0\nnodes:\n")
	for i := range n {
		to, other := (i+1)%n, (i*7+3)%n
		fmt.Fprintf(&b, "  n%d:\n", i)
		switch i % 5 {
		case 0, 1:
			fmt.Fprintf(&b, "    component.exec:\n      component: helpdesk.tickets\n      operation: open\n      input: { summary: \"{{response.text}} in n%d\", category: other, priority: normal, card_source: asset, card_spec: { asset_path: assets/cards/ticket.json } }\n    routing: [{ to: n%d }]\n", i, to)
		case 2:
			fmt.Fprintf(&b, "    emit.response: { text: \"Step %d of {{entry.text}}, after {{prev.id}}\" }\n    routing: [{ to: n%d }]\n", i, to)
		case 3:
			fmt.Fprintf(&b, "    emit.log: { at: n%d }\n    routing:\n      - condition: response.action == \"a%d\" || response.text == \"b%d\"\n        to: n%d\n      - condition: size(response.text) > 3\n        to: n%d\n      - to: n%d\n", i, i, i, other, other, to)
		default:
			fmt.Fprintf(&b, "    session.wait: { reason: step, timeout: 1h, on_timeout: n%d }\n    routing: [{ to: n%d }]\n", other, to)
		}
	}
	return b.String()
}

// flows measures what authors do with a flow of 1 000 nodes: check it in its pack as the command does,
// format it and draw it.
func flows(ctx context.Context) ([]figure, error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS("examples/helpdesk/pack")); err != nil {
		return nil, err
	}
	name, src := filepath.Join(dir, "flows", "helpdesk.ygtc"), []byte(strings.Replace(flowOf(1000), "id: big", "id: helpdesk", 1))
	if err := os.WriteFile(name, src, 0o600); err != nil {
		return nil, err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the commands do
	check, err := perOp(func() error {
		var checker flowcheck.Checker
		if f, found := checker.Check(ctx, name, src); f == nil || len(found) > 0 {
			return fmt.Errorf("flow check: %v", found)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	structure, err := perOp(func() error {
		checker := flowcheck.Checker{Structure: true}
		_, _ = checker.Check(ctx, name, src)
		return nil
	})
	if err != nil {
		return nil, err
	}
	formatted, err := perOp(func() error { _, err := format.Source(name, src); return err })
	if err != nil {
		return nil, err
	}
	var checker flowcheck.Checker
	f, _ := checker.Check(ctx, name, src)
	drawn, err := perOp(func() error { _ = graph.Of(f).SVG(graph.Run{}, graph.Look{}); return nil })
	return []figure{
		{Name: "flow_check_1000", Value: check / 1000, Unit: "ms CPU", Bar: bar(100)},
		{Name: "flow_check_1000_structure", Value: structure / 1000, Unit: "ms CPU"},
		{Name: "flow_fmt_1000", Value: formatted / 1000, Unit: "ms CPU"},
		{Name: "flow_svg_1000", Value: drawn / 1000, Unit: "ms CPU"},
	}, err
}
