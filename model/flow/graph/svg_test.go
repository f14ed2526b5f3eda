package graph

import (
	"testing"

	"pgregory.net/rapid"
)

// Whatever leads where, boxes do not lie on each other, edges that do not go back lead to the right,
// and every edge is drawn.
func TestLayoutsAreReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 14).Draw(t, "nodes")
		g := Graph{ID: "g"}
		for i := range n {
			g.Nodes = append(g.Nodes, Node{ID: string(rune('a' + i)), Does: "emit.log"})
		}
		for range rapid.IntRange(0, 30).Draw(t, "edges") {
			e := Edge{From: g.Nodes[rapid.IntRange(0, n-1).Draw(t, "from")].ID, Label: rapid.SampledFrom([]string{"", "x == 1"}).Draw(t, "label")}
			if to := rapid.IntRange(-1, n-1).Draw(t, "to"); to >= 0 {
				e.To = g.Nodes[to].ID
			}
			g.Edges = append(g.Edges, e)
		}
		l := arrange(g)
		for i := range l.cells {
			a := &l.cells[i]
			if a.x < 0 || a.y < 0 || a.x+a.w > l.width || a.y+a.h > l.height {
				t.Fatalf("cell %d lies outside: %+v of %v x %v", i, a, l.width, l.height)
			}
			for j := range i {
				b := &l.cells[j]
				if a.layer == b.layer && a.y < b.y+b.h && b.y < a.y+a.h {
					t.Fatalf("cells %d and %d lie on each other", i, j)
				}
			}
		}
		for i := range l.segments {
			s := &l.segments[i]
			if from, to := &l.cells[s.from], &l.cells[s.to]; to.layer != from.layer+1 {
				t.Fatalf("segment %d goes from layer %d to %d", i, from.layer, to.layer)
			}
			track := l.channel[l.cells[s.from].layer] + float64(s.track)*trackGap
			if next := l.cells[s.to].layer; track >= l.cols[next] {
				t.Fatalf("track %d of segment %d lies in the next layer", s.track, i)
			}
			for j := range i {
				o := &l.segments[j]
				if l.cells[o.from].layer != l.cells[s.from].layer || o.track != s.track || s.y1 == s.y2 || o.y1 == o.y2 {
					continue
				}
				if min(s.y1, s.y2) < max(o.y1, o.y2) && min(o.y1, o.y2) < max(s.y1, s.y2) {
					t.Fatalf("segments %d and %d lie on each other", i, j)
				}
			}
		}
		for i, e := range g.Edges {
			if way, _, _, _ := l.way(i); way == "" {
				t.Fatalf("the edge %+v is not drawn", e)
			}
		}
	})
}
