package graph

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// rows gives every cell its height in the drawing: near the middle of its neighbours, in the order
// of its layer.
func (l *layout) rows() {
	for _, layer := range l.layers {
		y := 0.0
		for i, c := range layer {
			if i > 0 {
				y += l.gap(layer[i-1], c)
			}
			l.cells[c].y = y
			y += l.cells[c].h
		}
	}
	for pass := range 8 {
		left := pass%2 == 0
		for i := range l.layers {
			layer := l.layers[i]
			if !left {
				layer = l.layers[len(l.layers)-1-i]
			}
			l.settle(layer, left)
		}
	}
	top := 0.0
	for i := range l.cells {
		top = min(top, l.cells[i].y)
	}
	for i := range l.cells {
		l.cells[i].y += margin - top + loopRoom
		l.height = max(l.height, l.cells[i].y+l.cells[i].h+margin)
	}
}

// loopRoom is kept free above the first row for loops from a node to itself.
const loopRoom = 14

// gap is the room between two cells of a layer.
func (l *layout) gap(a, b int) float64 {
	if l.cells[a].node < 0 && l.cells[b].node < 0 && !l.cells[a].end && !l.cells[b].end {
		return laneGap
	}
	return rowGap
}

// settle moves the cells of a layer to where their neighbours on one side want them. Cells that
// get in each other's way move as a block to the mean of what they want.
func (l *layout) settle(layer []int, left bool) {
	type block struct {
		first, n  int
		want, len float64 // sum of the wishes for the first cell; height of the whole
	}
	var blocks []block
	offset := make([]float64, len(layer)) // within its block
	for i, c := range layer {
		b := block{first: i, n: 1, want: l.wish(c, left), len: l.cells[c].h}
		for len(blocks) > 0 {
			p := blocks[len(blocks)-1]
			gap := l.gap(layer[b.first-1], layer[b.first])
			if p.want/float64(p.n)+p.len+gap <= b.want/float64(b.n) {
				break
			}
			shift := p.len + gap
			for j := b.first; j < b.first+b.n; j++ {
				offset[j] += shift
			}
			b = block{first: p.first, n: p.n + b.n, want: p.want + b.want - float64(b.n)*shift, len: p.len + gap + b.len}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		for j := b.first; j < b.first+b.n; j++ {
			l.cells[layer[j]].y = b.want/float64(b.n) + offset[j]
		}
	}
}

// wish is where a cell wants its upper edge: the median of its neighbours on one side.
func (l *layout) wish(c int, left bool) float64 {
	list := l.cells[c].right
	if left {
		list = l.cells[c].left
	}
	if len(list) == 0 {
		return l.cells[c].y
	}
	var at []float64
	for _, s := range list {
		other := l.segments[s].to
		if left {
			other = l.segments[s].from
		}
		at = append(at, l.cells[other].middle())
	}
	slices.Sort(at)
	mid := (at[(len(at)-1)/2] + at[len(at)/2]) / 2
	return mid - l.cells[c].h/2
}

// columns gives layers and channels their places from left to right, and segments their tracks.
func (l *layout) columns() {
	l.ports()
	x := float64(margin)
	for i, layer := range l.layers {
		w, label := 0.0, 0.0
		for _, c := range layer {
			w = max(w, l.cells[c].w)
		}
		var list []int
		for _, c := range layer {
			l.cells[c].x = x + (w-l.cells[c].w)/2
			if l.cells[c].end || l.cells[c].node >= 0 {
				l.cells[c].x = x
			}
			list = append(list, l.cells[c].right...)
			for _, s := range l.cells[c].right {
				if l.cells[c].node >= 0 {
					label = max(label, labelWidth(l.g.Edges[l.segments[s].edge].Label))
				}
			}
		}
		tracks := l.tracks(list)
		l.cols = append(l.cols, x)
		l.channel = append(l.channel, x+w+label+2*trackGap)
		x += w + label + float64(tracks)*trackGap + 4*trackGap
		if i == len(l.layers)-1 {
			x = l.cols[i] + w
		}
	}
	l.width = x + margin
}

func labelWidth(label string) float64 {
	if label == "" {
		return 0
	}
	return float64(utf8.RuneCountInString(short(label, labelRunes)))*5.9 + 8
}

// ports spreads the segments of a cell over its sides, in the order of what they lead to.
func (l *layout) ports() {
	for i := range l.cells {
		c := &l.cells[i]
		spread := func(list []int, place func(s *segment) *float64, other func(s *segment) float64) {
			sorted := slices.Clone(list)
			slices.SortStableFunc(sorted, func(a, b int) int { return cmp.Compare(other(&l.segments[a]), other(&l.segments[b])) })
			for i, s := range sorted {
				*place(&l.segments[s]) = c.y + c.h*float64(i+1)/float64(len(sorted)+1)
			}
		}
		spread(c.right, func(s *segment) *float64 { return &s.y1 }, func(s *segment) float64 { return l.cells[s.to].middle() })
		spread(c.left, func(s *segment) *float64 { return &s.y2 }, func(s *segment) float64 { return l.cells[s.from].middle() })
	}
}

// tracks gives the vertical lines of a channel places side by side so that none lies on another,
// and says how many there are. Lines that go down stand the further left the lower they begin, so
// that those of one node do not cross each other.
func (l *layout) tracks(list []int) int {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b int) int {
		x, y := &l.segments[a], &l.segments[b]
		down := func(s *segment) bool { return s.y2 > s.y1 }
		switch {
		case down(x) && down(y):
			return cmp.Compare(y.y1, x.y1)
		case !down(x) && !down(y):
			return cmp.Compare(x.y1, y.y1)
		case down(x):
			return -1
		}
		return 1
	})
	var used [][][2]float64
	for _, i := range sorted {
		s := &l.segments[i]
		span := [2]float64{min(s.y1, s.y2) - 4, max(s.y1, s.y2) + 4}
		if s.y1 == s.y2 {
			continue
		}
		track := slices.IndexFunc(used, func(t [][2]float64) bool {
			return !slices.ContainsFunc(t, func(o [2]float64) bool { return span[0] < o[1] && o[0] < span[1] })
		})
		if track < 0 {
			track = len(used)
			used = append(used, nil)
		}
		used[track] = append(used[track], span)
		s.track = track
	}
	return max(len(used), 1)
}
