package graph_test

import (
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"greentic.dev/model/flow"
	"greentic.dev/model/flow/graph"
)

var update = flag.Bool("update", false, "write what is drawn into the golden files")

func of(t *testing.T, src string) graph.Graph {
	t.Helper()
	f, err := flow.Compile("flow.ygtc", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return graph.Of(f)
}

// runOf reads a run: its route, and node=state.
func runOf(s string) (run graph.Run) {
	for _, word := range strings.Fields(s) {
		if id, state, ok := strings.Cut(word, "="); ok {
			if run.State == nil {
				run.State = map[string]graph.State{}
			}
			run.State[id] = graph.State(state)
			continue
		}
		run.Route = append(run.Route, word)
	}
	return run
}

// Each archive holds cases: CASE/flow.ygtc, perhaps CASE/run, and CASE/FORMAT, which is the drawing.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, f := range archive.Files {
			files[f.Name] = string(f.Data)
		}
		for i, f := range archive.Files {
			dir, format := path.Split(f.Name)
			if format == "flow.ygtc" || format == "run" {
				continue
			}
			g, run := of(t, files[dir+"flow.ygtc"]), runOf(files[dir+"run"])
			var got string
			switch format {
			case "mermaid":
				got = g.Mermaid(run)
			case "dot":
				got = g.DOT(run)
			case "svg":
				got = g.SVG(run, graph.Look{Bare: true})
			default:
				t.Fatalf("%s: %s is no format", name, f.Name)
			}
			if *update {
				archive.Files[i].Data = []byte(got)
			} else if got != string(f.Data) {
				t.Errorf("%s %s is drawn as:\n%s", filepath.Base(name), f.Name, got)
			}
		}
		if *update {
			if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wellFormed fails when an SVG is not XML.
func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in %.200s", err, svg)
		}
	}
}

func TestEqualFlowsAreDrawnEqually(t *testing.T) {
	src, err := os.ReadFile("../../../examples/helpdesk/pack/flows/helpdesk.ygtc")
	if err != nil {
		t.Fatal(err)
	}
	run := runOf("welcome menu choose triage open menu=waiting menu")
	first := of(t, string(src)).SVG(run, graph.Look{})
	for range 20 {
		g := of(t, string(src))
		if g.SVG(run, graph.Look{}) != first {
			t.Fatal("two drawings of one flow differ")
		}
	}
	wellFormed(t, first)
	for _, want := range []string{`class="node entry done" data-node="welcome"`, `class="node waits waiting" data-node="menu"`, `class="node faint" data-node="goodbye"`, "prefers-color-scheme:dark"} {
		if !strings.Contains(first, want) {
			t.Errorf("the drawing lacks %s", want)
		}
	}
}

// What stands in a flow cannot leave the text it stands in.
func TestTextsAreEscaped(t *testing.T) {
	g := of(t, "id: t\ntitle: '</title><script>x</script>'\ntype: messaging\nnodes:\n  a:\n    emit.log: 1\n    routing:\n      - condition: 'x == \"</text><script>\" && y < 3'\n        to: b\n  b:\n    emit.log: 1\n")
	svg := g.SVG(graph.Run{}, graph.Look{Link: func(n graph.Node) string { return `/x?"onload=` + n.ID }, Note: func(graph.Node) string { return "<b>" }})
	wellFormed(t, svg)
	if strings.Contains(svg, "<script") || strings.Contains(svg, `"onload`) || strings.Contains(svg, "<b>") {
		t.Error(svg)
	}
	if m := g.Mermaid(graph.Run{}); strings.Contains(m, `"</`) || strings.Contains(m, "<script") {
		t.Error(m)
	}
	if d := g.DOT(graph.Run{}); !strings.Contains(d, `\"</text>`) {
		t.Error(d)
	}
}

func TestALinkIsPutAroundItsNode(t *testing.T) {
	g := of(t, "id: t\ntype: messaging\nnodes:\n  a:\n    emit.log: 1\n")
	svg := g.SVG(graph.Run{}, graph.Look{Link: func(n graph.Node) string { return "/nodes/" + n.ID }, Note: func(graph.Node) string { return "12 ms" }})
	if !strings.Contains(svg, `<a href="/nodes/a"><g `) || !strings.Contains(svg, ">12 ms</text></g></a>") {
		t.Error(svg)
	}
}

// big is a flow of n nodes that lead to each other in many ways.
func big(n int) string {
	var b strings.Builder
	b.WriteString("id: big\ntype: messaging\nnodes:\n")
	for i := range n {
		fmt.Fprintf(&b, "  n%d:\n    emit.log: 1\n    routing:\n      - { status: a, to: n%d }\n      - { status: b, to: n%d }\n      - { to: n%d }\n", i, (i+1)%n, (i*7+3)%n, (i+2)%n)
	}
	return b.String()
}

func TestALargeFlowIsDrawn(t *testing.T) {
	g := of(t, big(300))
	svg := g.SVG(graph.Run{}, graph.Look{})
	wellFormed(t, svg)
	if n := strings.Count(svg, "data-node="); n != 300 {
		t.Errorf("%d nodes", n)
	}
}
