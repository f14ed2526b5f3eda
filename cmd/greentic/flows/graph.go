package flows

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/graph"
)

func graphCommand(t Terminal) *cobra.Command {
	var format string
	var route []string
	c := &cobra.Command{
		Use:   "graph FILE",
		Short: "Draw a flow as Mermaid, DOT or SVG",
		Long: `Draw a flow as Mermaid, DOT or SVG on standard output. The same flow gives the same bytes. The SVG stands
alone, follows the light or dark colours of whoever looks, and tells more of nodes and edges on hover.

--route draws the path of a run over it: the nodes in the order they ran; the last may say how it ended,
as NODE=failed or NODE=waiting.`,
		Example: `  greentic flow graph flows/main.ygtc > main.mmd
  greentic flow graph flows/main.ygtc --format svg > main.svg
  greentic flow graph flows/main.ygtc --format svg --route welcome,menu=waiting > run.svg`,
		Args: t.Args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			formats := map[string]func(graph.Graph, graph.Run) string{
				"mermaid": graph.Graph.Mermaid, "dot": graph.Graph.DOT,
				"svg": func(g graph.Graph, run graph.Run) string { return g.SVG(run, graph.Look{}) },
			}
			draw, ok := formats[format]
			if !ok {
				err := fault.Newf(fault.Invalid, c.CommandPath(), "there is no format %q", format)
				if near := nearest.Word(format, []string{"mermaid", "dot", "svg"}); near != "" {
					return err.WithFix("did you mean " + near + "?")
				}
				return err.WithFix("use mermaid, dot or svg")
			}
			src, err := read("flow graph", args[0], maxSource)
			if err != nil {
				return err
			}
			f, err := flow.Compile(args[0], src)
			if err != nil {
				return err
			}
			run, err := runOf(f, route)
			if err != nil {
				return err
			}
			_, err = io.WriteString(t.Stdout, draw(graph.Of(f), run))
			return fault.Wrap("print", err)
		},
	}
	c.Flags().StringVar(&format, "format", "mermaid", "mermaid, dot or svg")
	c.Flags().StringSliceVar(&route, "route", nil, "nodes of a run in their order, NODE or NODE=STATE (done, failed, waiting, running or skipped)")
	return c
}

// runOf reads --route.
func runOf(f *flow.Flow, route []string) (run graph.Run, err error) {
	states := []string{string(graph.Done), string(graph.Failed), string(graph.Waiting), string(graph.Running), string(graph.Skipped)}
	var ids []string
	for _, n := range f.Nodes {
		ids = append(ids, n.ID)
	}
	known := func(what, word string, words []string, ok bool) error {
		if ok {
			return nil
		}
		fix := "use " + strings.Join(words, ", ")
		if near := nearest.Word(word, words); near != "" {
			fix = "did you mean " + near + "?"
		}
		return fault.Newf(fault.Invalid, "--route", "there is no %s %q", what, word).WithFix(fix)
	}
	for _, word := range route {
		id, state, ended := strings.Cut(word, "=")
		if err := known("node", id, ids, f.Node(id) != nil); err != nil {
			return run, err
		}
		run.Route = append(run.Route, id)
		if !ended {
			continue
		}
		if err := known("state", state, states, strings.Contains(" "+strings.Join(states, " ")+" ", " "+state+" ")); err != nil {
			return run, err
		}
		if run.State == nil {
			run.State = map[string]graph.State{}
		}
		run.State[id] = graph.State(state)
	}
	return run, nil
}
