package graph

import (
	"fmt"
	"html"
	"strings"
)

// Look says how an SVG is to look. The zero value is a picture that stands alone.
type Look struct {
	Bare bool              // leave [Style] out: the page has it
	Link func(Node) string // address behind a node; nil: none
	Note func(Node) string // a word under the name of a node in place of the component; nil: none
}

// Style is the style sheet of the pictures, for pages that draw with Look.Bare. It follows the
// colour scheme of whoever looks.
const Style = `.flow-graph{--line:#8b8680;--ink:#1c1917;--soft:#57534e;--box:#fff;--edge:#d6d3d1;--accent:#0f766e;--bad:#b42318;--wait:#b45309;--paper:#fafaf9;` +
	`font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:13px}` +
	`@media (prefers-color-scheme:dark){.flow-graph{--line:#8a8580;--ink:#f5f5f4;--soft:#a8a29e;--box:#292524;--edge:#57534e;--accent:#2dd4bf;--bad:#f97066;--wait:#fbbf24;--paper:#1c1917}}` +
	`.flow-graph .paper{fill:var(--paper)}.flow-graph rect.box{fill:var(--box);stroke:var(--edge);stroke-width:1}` +
	`.flow-graph .waits rect.box{stroke-dasharray:5 3;stroke:var(--line)}.flow-graph .entry rect.box{stroke:var(--accent);stroke-width:1.5}` +
	`.flow-graph text{fill:var(--ink)}.flow-graph .name{font-weight:600}.flow-graph .does{fill:var(--soft);font:11px ui-monospace,"SF Mono",Menlo,Consolas,monospace}` +
	`.flow-graph .edge{fill:none;stroke:var(--line);stroke-width:1.25}.flow-graph .head{fill:var(--line)}.flow-graph .dashed .edge{stroke-dasharray:4 3}` +
	`.flow-graph .label{font-size:11px;fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}.flow-graph .end{fill:var(--line)}` +
	`.flow-graph .taken .edge{stroke:var(--accent);stroke-width:2.5}.flow-graph .taken .head,.flow-graph .taken .end{fill:var(--accent)}.flow-graph .taken .label{fill:var(--ink)}` +
	`.flow-graph .done rect.box,.flow-graph .running rect.box{stroke:var(--accent);stroke-width:2}.flow-graph .failed rect.box{stroke:var(--bad);stroke-width:2.5}` +
	`.flow-graph .waiting rect.box{stroke:var(--wait);stroke-width:2.5}.flow-graph .faint{opacity:.4}.flow-graph .skipped{opacity:.65}`

// SVG is the graph as a picture: layers from left to right, orthogonal edges, a box for every node
// with its name and what it does. With a run its path is bold and the rest faint; how a node ended
// also stands in words in its title.
func (g Graph) SVG(run Run, look Look) string {
	l := arrange(g)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="flow-graph" role="img" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`, l.width, l.height, l.width, l.height)
	title := g.Title
	if title == "" {
		title = g.ID
	}
	fmt.Fprintf(&b, "\n<title>%s</title>\n", html.EscapeString("Flow "+title))
	if !look.Bare {
		fmt.Fprintf(&b, "<style>%s</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", Style)
	}
	l.drawEdges(&b, run, false)
	l.drawEdges(&b, run, true) // over the others
	for i, n := range g.Nodes {
		l.drawNode(&b, &l.cells[i], n, run, look)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (l *layout) drawEdges(b *strings.Builder, run Run, taken bool) {
	for i, e := range l.g.Edges {
		if run.taken(e) != taken {
			continue
		}
		class := "route"
		if e.Kind == Timeout || e.Kind == Compensate {
			class += " dashed"
		}
		switch {
		case taken:
			class += " taken"
		case run.any():
			class += " faint"
		}
		way, x, y, label := l.way(i)
		if way == "" {
			continue
		}
		tip := e.From + " → " + e.To
		if e.To == "" {
			tip = e.From + " ends"
		}
		if e.Label != "" {
			tip += ": " + e.Label
		}
		fmt.Fprintf(b, `<g class="%s"><title>%s</title><path class="edge" d="%s"/>`, class, html.EscapeString(tip), way)
		switch {
		case e.To == "":
			fmt.Fprintf(b, `<circle class="end" cx="%.1f" cy="%.1f" r="%d"/>`, x+dotSize/2, y, dotSize/2)
		case e.From == e.To:
			fmt.Fprintf(b, `<path class="head" d="M%.1f %.1fl-4 -7h8z"/>`, x, y)
		case l.back[i]:
			fmt.Fprintf(b, `<path class="head" d="M%.1f %.1fl7 -4v8z"/>`, x, y)
		default:
			fmt.Fprintf(b, `<path class="head" d="M%.1f %.1fl-7 -4v8z"/>`, x, y)
		}
		b.WriteString(label + "</g>\n")
	}
}

// way is the path of an edge, where it arrives, and its label.
func (l *layout) way(i int) (way string, x, y float64, label string) {
	e := l.g.Edges[i]
	chain := l.chains[i]
	if len(chain) == 0 {
		return l.loop(e)
	}
	var p strings.Builder
	first, last := &l.segments[chain[0]], &l.segments[chain[len(chain)-1]]
	from, to := &l.cells[first.from], &l.cells[last.to]
	x, y = from.x+from.w, first.y1
	fmt.Fprintf(&p, "M%.1f %.1f", x, y)
	labelX, labelY, anchor := x+6, y-4, "start"
	for _, s := range chain {
		seg := &l.segments[s]
		track := l.channel[l.cells[seg.from].layer] + float64(seg.track)*trackGap
		if seg.y1 != seg.y2 {
			bend(&p, track, seg.y1, seg.y2)
		}
		if c := l.cells[seg.to]; c.node < 0 && !c.end {
			fmt.Fprintf(&p, "H%.1f", l.cols[c.layer])
		}
	}
	fmt.Fprintf(&p, "H%.1f", to.x)
	if l.back[i] {
		labelX, labelY, anchor = to.x-6, last.y2-4, "end"
	} else {
		x, y = to.x, last.y2
	}
	if e.Label != "" {
		label = fmt.Sprintf(`<text class="label" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, labelX, labelY, anchor, html.EscapeString(short(e.Label, labelRunes)))
	}
	return p.String(), x, y, label
}

// bend goes to a track, along it and on, with round corners.
func bend(p *strings.Builder, track, y1, y2 float64) {
	r := min(6, max(y1-y2, y2-y1)/2)
	sign := 1.0
	if y2 < y1 {
		sign = -1
	}
	fmt.Fprintf(p, "H%.1fQ%.1f %.1f %.1f %.1fV%.1fQ%.1f %.1f %.1f %.1f", track-r, track, y1, track, y1+sign*r, y2-sign*r, track, y2, track+r, y2)
}

// loop is an edge from a node to itself, over its upper right corner.
func (l *layout) loop(e Edge) (way string, x, y float64, label string) {
	if e.From != e.To {
		return "", 0, 0, ""
	}
	for i, n := range l.g.Nodes {
		if n.ID != e.From {
			continue
		}
		c := &l.cells[i]
		x, y = c.x+c.w-28, c.y
		way = fmt.Sprintf("M%.1f %.1fH%.1fV%.1fH%.1fV%.1f", c.x+c.w, c.y+10, c.x+c.w+8, c.y-12, x, y)
		if e.Label != "" {
			label = fmt.Sprintf(`<text class="label" x="%.1f" y="%.1f" text-anchor="end">%s</text>`, x-4, y-4, html.EscapeString(short(e.Label, labelRunes)))
		}
	}
	return way, x, y, label
}

func (l *layout) drawNode(b *strings.Builder, c *cell, n Node, run Run, look Look) {
	class := "node"
	if n.Waits {
		class += " waits"
	}
	if len(n.Entry) > 0 {
		class += " entry"
	}
	state := run.state(n.ID)
	tip := n.ID + ": " + n.Does
	if len(n.Entry) > 0 {
		tip += "; starts " + strings.Join(n.Entry, ", ")
	}
	switch {
	case state != "":
		class += " " + string(state)
		tip += "; " + string(state)
	case run.any():
		class += " faint"
	}
	does := n.Does
	if look.Note != nil {
		if note := look.Note(n); note != "" {
			does = note
		}
	}
	address := ""
	if look.Link != nil {
		address = look.Link(n)
	}
	if address != "" {
		fmt.Fprintf(b, `<a href="%s">`, html.EscapeString(address))
	}
	fmt.Fprintf(b, `<g class="%s" data-node="%s" transform="translate(%.1f %.1f)"><title>%s</title><rect class="box" width="%.0f" height="%.0f" rx="8"/>`,
		class, html.EscapeString(n.ID), c.x, c.y, html.EscapeString(tip), c.w, c.h)
	fmt.Fprintf(b, `<text class="name" x="14" y="%.1f">%s</text><text class="does" x="14" y="%.1f">%s</text></g>`, c.h/2-4,
		html.EscapeString(short(n.ID, int((c.w-20)/7.6))), c.h/2+13, html.EscapeString(short(does, int((c.w-20)/6.6))))
	if address != "" {
		b.WriteString("</a>")
	}
	b.WriteByte('\n')
}
