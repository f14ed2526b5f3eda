package graph

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Sizes of the drawing, in pixels.
const (
	boxHeight = 48
	portGap   = 15 // between edges that leave or reach a box on one side: the height of a label
	dotSize   = 12
	rowGap    = 28 // between boxes of a layer
	laneGap   = 16 // beside an edge that passes through a layer
	trackGap  = 12 // between vertical lines of a channel
	margin    = 24
	minBox    = 104
	maxBox    = 240
	sweeps    = 12

	largeCells = 3000 // from here on time counts more than a few crossings
)

// cell is a place in a layer: a box, the end of a run, or an edge on its way through.
type cell struct {
	node  int // index in Graph.Nodes, or -1
	end   bool
	layer int
	order int
	w, h  float64
	x, y  float64 // of its upper left corner
	left  []int   // segments that arrive from the layer before
	right []int   // segments that leave to the next layer
}

func (c *cell) middle() float64 { return c.y + c.h/2 }

// segment is the part of an edge between two neighbouring layers.
type segment struct {
	from, to int // cells, left and right
	edge     int // index in Graph.Edges
	y1, y2   float64
	track    int
}

// layout is a graph on its way to a drawing: layers from left to right, edges that go back turned
// round, long edges cut at every layer they pass.
type layout struct {
	g        Graph
	cells    []cell
	layers   [][]int
	segments []segment
	back     []bool    // by edge: it goes from right to left
	chains   [][]int   // by edge: its segments from left to right
	cols     []float64 // x of each layer
	channel  []float64 // x of the first track behind each layer
	width    float64
	height   float64
}

func arrange(g Graph) *layout {
	l := &layout{g: g, back: make([]bool, len(g.Edges)), chains: make([][]int, len(g.Edges))}
	index := map[string]int{}
	for i, n := range g.Nodes {
		index[n.ID] = i
		l.cells = append(l.cells, cell{node: i, w: boxWidth(n), h: boxHeight})
	}
	to := make([]int, len(g.Edges)) // cells
	for i, e := range g.Edges {
		var ok bool
		if to[i], ok = index[e.To]; e.To == "" {
			to[i] = len(l.cells)
			l.cells = append(l.cells, cell{node: -1, end: true, w: dotSize, h: dotSize})
		} else if !ok {
			to[i] = -1
		}
	}
	l.turn(index, to)
	l.layer(index, to)
	l.cut(index, to)
	l.order()
	l.rows()
	l.columns()
	return l
}

func boxWidth(n Node) float64 {
	w := max(float64(utf8.RuneCountInString(n.ID))*7.8, float64(utf8.RuneCountInString(n.Does))*6.7) + 28
	return min(max(w, minBox), maxBox)
}

// turn finds the edges that go back, by walking from the first nodes in the order of the flow.
func (l *layout) turn(index map[string]int, to []int) {
	out := make([][]int, len(l.cells))
	for i, e := range l.g.Edges {
		out[index[e.From]] = append(out[index[e.From]], i)
	}
	const fresh, open, done = 0, 1, 2
	state := make([]uint8, len(l.cells))
	var walk func(c int)
	type frame struct{ c, next int }
	walk = func(c int) {
		stack := []frame{{c, 0}}
		state[c] = open
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(out[top.c]) {
				state[top.c] = done
				stack = stack[:len(stack)-1]
				continue
			}
			e := out[top.c][top.next]
			top.next++
			switch t := to[e]; {
			case t < 0:
			case state[t] == open:
				l.back[e] = true
			case state[t] == fresh:
				state[t] = open
				stack = append(stack, frame{t, 0})
			}
		}
	}
	for _, first := range []bool{true, false} {
		for i, n := range l.g.Nodes {
			if state[i] == fresh && (len(n.Entry) > 0) == first {
				walk(i)
			}
		}
	}
}

// ends are the cells of an edge from left to right; ok is false for a loop and an edge to nowhere.
func (l *layout) ends(e int, index map[string]int, to []int) (a, b int, ok bool) {
	a, b = index[l.g.Edges[e].From], to[e]
	if l.back[e] {
		a, b = b, a
	}
	return a, b, b >= 0 && a != b
}

// layer puts every cell one layer behind the last of those that lead to it.
func (l *layout) layer(index map[string]int, to []int) {
	waits := make([]int, len(l.cells))
	out := make([][]int, len(l.cells))
	for e := range l.g.Edges {
		if a, b, ok := l.ends(e, index, to); ok {
			out[a] = append(out[a], b)
			waits[b]++
		}
	}
	var ready []int
	for i := range l.cells {
		if waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		c := ready[0]
		ready = ready[1:]
		for _, b := range out[c] {
			l.cells[b].layer = max(l.cells[b].layer, l.cells[c].layer+1)
			if waits[b]--; waits[b] == 0 {
				ready = append(ready, b)
			}
		}
	}
	for i, c := range l.cells {
		for len(l.layers) <= c.layer {
			l.layers = append(l.layers, nil)
		}
		l.layers[c.layer] = append(l.layers[c.layer], i)
	}
}

// cut makes segments of the edges.
func (l *layout) cut(index map[string]int, to []int) {
	for e := range l.g.Edges {
		a, b, ok := l.ends(e, index, to)
		if !ok {
			continue
		}
		at := a
		for layer := l.cells[a].layer + 1; layer <= l.cells[b].layer; layer++ {
			next := b
			if layer < l.cells[b].layer {
				next = len(l.cells)
				l.cells = append(l.cells, cell{node: -1, layer: layer})
				l.layers[layer] = append(l.layers[layer], next)
			}
			s := len(l.segments)
			l.segments = append(l.segments, segment{from: at, to: next, edge: e})
			l.cells[at].right = append(l.cells[at].right, s)
			l.cells[next].left = append(l.cells[next].left, s)
			l.chains[e] = append(l.chains[e], s)
			at = next
		}
	}
	for i := range l.cells {
		if c := &l.cells[i]; c.node >= 0 {
			c.h = max(c.h, portGap*float64(max(len(c.left), len(c.right))+1))
		}
	}
}

// order sorts each layer by where its neighbours stand, forth and back, and keeps the best.
func (l *layout) order() {
	number := func() {
		for _, layer := range l.layers {
			for i, c := range layer {
				l.cells[c].order = i
			}
		}
	}
	number()
	best, least := l.copyLayers(), l.crossings()
	for sweep := range sweeps {
		if least == 0 || sweep >= 4 && len(l.cells) > largeCells {
			break
		}
		forth := sweep%2 == 0
		for i := range l.layers {
			layer := l.layers[i]
			if !forth {
				layer = l.layers[len(l.layers)-1-i]
			}
			weight := map[int]float64{}
			for _, c := range layer {
				weight[c] = l.weight(c, forth)
			}
			slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(weight[a], weight[b]) })
			for i, c := range layer {
				l.cells[c].order = i
			}
		}
		if n := l.crossings(); n < least {
			best, least = l.copyLayers(), n
		}
	}
	l.layers = best
	number()
}

// weight is the mean place of the neighbours on one side, or the own place.
func (l *layout) weight(c int, left bool) float64 {
	list := l.cells[c].right
	if left {
		list = l.cells[c].left
	}
	if len(list) == 0 {
		return float64(l.cells[c].order)
	}
	sum := 0
	for _, s := range list {
		other := l.segments[s].to
		if left {
			other = l.segments[s].from
		}
		sum += l.cells[other].order
	}
	return float64(sum) / float64(len(list))
}

func (l *layout) copyLayers() [][]int {
	out := make([][]int, len(l.layers))
	for i := range l.layers {
		out[i] = slices.Clone(l.layers[i])
	}
	return out
}

// crossings counts pairs of segments that cross, up to a bound that keeps large flows quick.
func (l *layout) crossings() int {
	n := 0
	for _, layer := range l.layers {
		var ends [][2]int
		for _, c := range layer {
			for _, s := range l.cells[c].right {
				ends = append(ends, [2]int{l.cells[c].order, l.cells[l.segments[s].to].order})
			}
		}
		if len(ends) > 2000 {
			continue
		}
		for i, a := range ends {
			for _, b := range ends[:i] {
				if (a[0]-b[0])*(a[1]-b[1]) < 0 {
					n++
				}
			}
		}
	}
	return n
}
