package linediff

import (
	"fmt"
	"strings"
)

const (
	around   = 3    // lines shown before and after a change
	maxSteps = 2000 // differences searched for; beyond them everything in between counts as changed
)

// edit is a line with what becomes of it: ' ' stays, '-' goes, '+' comes.
type edit struct {
	op   byte
	line string
}

// Unified is the difference between two texts in the unified form, with the names of both; empty
// when there is none. A text that does not end a line is marked as such.
func Unified(nameA, nameB, a, b string) string {
	if a == b {
		return ""
	}
	edits := compare(lines(a), lines(b))
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", nameA, nameB)
	atA, atB := 1, 1
	for i := 0; i < len(edits); {
		if edits[i].op == ' ' {
			atA, atB, i = atA+1, atB+1, i+1
			continue
		}
		begin := max(i-around, 0)
		end, quiet := i, 0
		for end < len(edits) && quiet <= 2*around {
			if quiet++; edits[end].op != ' ' {
				quiet = 0
			}
			end++
		}
		end -= max(quiet-around, 0)
		fromA, fromB := atA-(i-begin), atB-(i-begin)
		nA, nB := 0, 0
		var hunk strings.Builder
		for j, e := range edits[begin:end] {
			if e.op != '+' {
				nA++
			}
			if e.op != '-' {
				nB++
			}
			if begin+j >= i {
				if e.op != '+' {
					atA++
				}
				if e.op != '-' {
					atB++
				}
			}
			hunk.WriteByte(e.op)
			hunk.WriteString(e.line)
			if !strings.HasSuffix(e.line, "\n") {
				hunk.WriteString("\n\\ no end of line\n")
			}
		}
		fmt.Fprintf(&out, "@@ -%d,%d +%d,%d @@\n%s", fromA, nA, fromB, nB, hunk.String())
		i = end
	}
	return out.String()
}

// lines are the lines of a text with their ends.
func lines(s string) []string {
	list := strings.SplitAfter(s, "\n")
	if list[len(list)-1] == "" {
		list = list[:len(list)-1]
	}
	return list
}

// compare lists the lines of both texts in an order that turns a into b.
func compare(a, b []string) (out []edit) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	for _, line := range a[:head] {
		out = append(out, edit{' ', line})
	}
	out = append(out, myers(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, line := range a[len(a)-tail:] {
		out = append(out, edit{' ', line})
	}
	return out
}

// myers is the shortest script from a to b, or one that replaces all when it would be long.
func myers(a, b []string) []edit {
	limit := min(len(a)+len(b), maxSteps)
	furthest := make([]int, 2*limit+3) // by diagonal
	var trace [][]int
	at := func(d int) int { return d + limit + 1 }
	for d := range limit + 1 {
		trace = append(trace, append([]int{}, furthest...))
		for k := -d; k <= d; k += 2 {
			x := furthest[at(k-1)] + 1
			if k == -d || k != d && furthest[at(k-1)] < furthest[at(k+1)] {
				x = furthest[at(k+1)]
			}
			y := x - k
			for x < len(a) && y < len(b) && a[x] == b[y] {
				x, y = x+1, y+1
			}
			furthest[at(k)] = x
			if x >= len(a) && y >= len(b) {
				return back(a, b, trace, at)
			}
		}
	}
	var out []edit
	for _, line := range a {
		out = append(out, edit{'-', line})
	}
	for _, line := range b {
		out = append(out, edit{'+', line})
	}
	return out
}

// back follows the trace of a search to its beginning.
func back(a, b []string, trace [][]int, at func(int) int) []edit {
	var out []edit
	x, y := len(a), len(b)
	for d := len(trace) - 1; d >= 0; d-- {
		was := trace[d]
		k := x - y
		from := k - 1
		if k == -d || k != d && was[at(k-1)] < was[at(k+1)] {
			from = k + 1
		}
		fromX := was[at(from)]
		fromY := fromX - from
		for x > fromX && y > fromY && x > 0 && y > 0 {
			x, y = x-1, y-1
			out = append(out, edit{' ', a[x]})
		}
		switch {
		case d == 0:
		case from == k+1:
			y--
			out = append(out, edit{'+', b[y]})
		default:
			x--
			out = append(out, edit{'-', a[x]})
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}
