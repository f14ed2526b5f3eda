package graph

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// labelRunes is how much of a label is drawn; SVG shows the rest on hover.
const labelRunes = 32

// short cuts a text in the middle of nowhere, with an ellipsis.
func short(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// names gives every node a name that any format takes.
func (g Graph) names() map[string]string {
	names := make(map[string]string, len(g.Nodes))
	for i, n := range g.Nodes {
		names[n.ID] = fmt.Sprintf("n%d", i)
	}
	return names
}

// Mermaid is the graph as a Mermaid flowchart, from left to right.
func (g Graph) Mermaid(run Run) string {
	var b strings.Builder
	text := strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;", "#", "#35;", "\n", " ", "`", "#96;")
	names := g.names()
	fmt.Fprintf(&b, "flowchart LR\n")
	for _, n := range g.Nodes {
		open, shut := "[", "]"
		if n.Waits {
			open, shut = "([", "])"
		}
		fmt.Fprintf(&b, "  %s%s\"%s<br/>%s\"%s\n", names[n.ID], open, text.Replace(n.ID), text.Replace(n.Does), shut)
	}
	ends, drawn := 0, 0
	var thick []string
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Kind == Timeout || e.Kind == Compensate {
			arrow = "-.->"
		}
		label := ""
		if e.Label != "" {
			label = `|"` + text.Replace(short(e.Label, labelRunes)) + `"|`
		}
		to, known := names[e.To]
		switch {
		case e.To == "":
			ends++
			to = fmt.Sprintf("e%d((( )))", ends)
		case !known:
			continue
		}
		if run.taken(e) {
			thick = append(thick, fmt.Sprint(drawn))
		}
		drawn++
		fmt.Fprintf(&b, "  %s %s%s %s\n", names[e.From], arrow, label, to)
	}
	if run.any() {
		fmt.Fprintf(&b, "  classDef faint opacity:0.4\n  classDef failed stroke:#b42318,stroke-width:3px\n")
		for _, n := range g.Nodes {
			switch run.state(n.ID) {
			case "":
				fmt.Fprintf(&b, "  class %s faint\n", names[n.ID])
			case Failed:
				fmt.Fprintf(&b, "  class %s failed\n", names[n.ID])
			}
		}
	}
	if len(thick) > 0 {
		fmt.Fprintf(&b, "  linkStyle %s stroke-width:3px\n", strings.Join(thick, ","))
	}
	return b.String()
}

// DOT is the graph in the language of Graphviz.
func (g Graph) DOT(run Run) string {
	var b strings.Builder
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
	}
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=LR\n  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11]\n  edge [fontname=\"sans-serif\", fontsize=9]\n", quote(g.ID))
	known := map[string]bool{}
	for _, n := range g.Nodes {
		known[n.ID] = true
		more := ""
		if n.Waits {
			more = ", peripheries=2"
		}
		switch s := run.state(n.ID); {
		case s == Failed:
			more += ", color=\"#b42318\", penwidth=2"
		case s != "":
			more += ", penwidth=2"
		case run.any():
			more += ", color=gray, fontcolor=gray"
		}
		fmt.Fprintf(&b, "  %s [label=%s%s]\n", quote(n.ID), quote(n.ID+"\n"+n.Does), more)
	}
	ends := 0
	for _, e := range g.Edges {
		to := quote(e.To)
		if e.To == "" {
			ends++
			to = fmt.Sprintf("%q", fmt.Sprintf("/end %d", ends))
			fmt.Fprintf(&b, "  %s [shape=point, width=0.12, label=\"\"]\n", to)
		} else if !known[e.To] {
			continue
		}
		var more []string
		if e.Label != "" {
			more = append(more, "label="+quote(short(e.Label, labelRunes)))
		}
		if e.Kind == Timeout || e.Kind == Compensate {
			more = append(more, "style=dashed")
		}
		switch {
		case run.taken(e):
			more = append(more, "penwidth=2")
		case run.any():
			more = append(more, "color=gray, fontcolor=gray")
		}
		attributes := ""
		if len(more) > 0 {
			attributes = " [" + strings.Join(more, ", ") + "]"
		}
		fmt.Fprintf(&b, "  %s -> %s%s\n", quote(e.From), to, attributes)
	}
	return b.String() + "}\n"
}
