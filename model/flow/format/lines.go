package format

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// step is the indentation of what lies below a key.
const step = "  "

// formatter formats the lines of one document.
type formatter struct{ lines []string }

// entry is a key of a map or an item of a list with the lines that belong to it.
type entry struct {
	key  string
	lead []string // comments and blank lines before it, at column 0
	body []string // at column 0
	keep bool     // blank lines after it would be part of it
}

// mapping are the entries of a map in block style, or nil.
func mapping(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values
		}
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// place is where a node begins, from 0.
func place(n ast.Node) (line, col int) {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line - 1, t.Position.Column - 1
	}
	return -1, -1
}

// inBlock says whether the entries of a map stand one below the other at one column.
func (f *formatter) inBlock(entries []*ast.MappingValueNode) bool {
	_, first := place(entries[0].Key)
	last := -1
	for _, e := range entries {
		line, col := place(e.Key)
		if line <= last || col != first || line >= len(f.lines) || col < 0 || col > len(f.lines[line]) || strings.Trim(f.lines[line][:col], " -") != "" {
			return false
		}
		last = line
	}
	return true
}

// document formats all lines. Comments before the first key stay at the top.
func (f *formatter) document(entries []*ast.MappingValueNode) []string {
	top, _ := place(entries[0].Key)
	out := squeeze(f.lead(0, top))
	return append(out, f.entries(entries, document, top, len(f.lines))...)
}

// entries formats the entries of a map, which stand in the lines from begin to end. What it returns
// begins at column 0.
func (f *formatter) entries(entries []*ast.MappingValueNode, s *shape, begin, end int) []string {
	var list []entry
	at := begin
	_, col := place(entries[0].Key)
	for i, e := range entries {
		line, _ := place(e.Key)
		stop := end
		if i+1 < len(entries) {
			stop, _ = place(entries[i+1].Key)
		}
		key := e.Key.GetToken().Value
		content := f.content(line, stop, col, keeps(e.Value))
		list = append(list, entry{key, f.lead(at, line), f.value(e, s.at(key), line, content, col), keeps(e.Value)})
		at = content
	}
	slices.SortStableFunc(list, func(a, b entry) int { return s.rank(a.key) - s.rank(b.key) })
	return join(list, f.lead(at, end))
}

// content is the line after the last one that belongs to an entry which begins at a line: comments
// and blank lines that follow it, not indented deeper than its column, belong to what comes next.
func (f *formatter) content(line, stop, col int, keep bool) int {
	at := stop
	for at > line+1 {
		text := strings.TrimSpace(f.lines[at-1])
		if text != "" && (text[0] != '#' || indent(f.lines[at-1]) > col) {
			break
		}
		at--
	}
	if keep { // blank lines are part of its text
		for at < stop && strings.TrimSpace(f.lines[at]) == "" {
			at++
		}
	}
	return at
}

// keeps says whether a value ends with a text to which the blank lines after it belong.
func keeps(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return n.Start != nil && strings.Contains(n.Start.Value, "+")
	case *ast.SequenceNode:
		return !n.IsFlowStyle && len(n.Values) > 0 && keeps(n.Values[len(n.Values)-1])
	}
	entries := mapping(n)
	return len(entries) > 0 && keeps(entries[len(entries)-1].Value)
}

// lead are comments and blank lines, at column 0.
func (f *formatter) lead(begin, end int) []string {
	var out []string
	for _, line := range f.lines[begin:max(begin, end)] {
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

// value formats one entry of a map: its key, and what is below it.
func (f *formatter) value(e *ast.MappingValueNode, s *shape, line, end, col int) []string {
	first := tidy(f.lines[line][col:])
	var below []string
	switch v := e.Value.(type) {
	case *ast.SequenceNode:
		if starts := dashes(v); !v.IsFlowStyle && f.list(starts, line) {
			below = f.items(v.Values, starts, s, line+1, end)
		}
	default:
		if entries := mapping(e.Value); entries != nil && f.inBlock(entries) {
			if at, _ := place(entries[0].Key); at > line {
				below = f.entries(entries, s, line+1, end)
			}
		}
	}
	if below == nil {
		return append([]string{first}, f.rest(e.Value, line+1, end, col, len(step))...)
	}
	out := []string{first}
	for _, one := range trimBlank(below) {
		out = append(out, indented(one, step))
	}
	return out
}

// dashes are the places of the dashes of a list in block style.
func dashes(n *ast.SequenceNode) (out [][2]int) {
	for _, e := range n.Entries {
		if e.Start == nil || e.Start.Position == nil {
			return nil
		}
		out = append(out, [2]int{e.Start.Position.Line - 1, e.Start.Position.Column - 1})
	}
	if len(out) != len(n.Values) {
		return nil
	}
	return out
}

// list says whether dashes stand one below the other after a line.
func (f *formatter) list(starts [][2]int, after int) bool {
	for _, p := range starts {
		if p[0] <= after || p[1] != starts[0][1] || p[0] >= len(f.lines) || p[1] >= len(f.lines[p[0]]) || f.lines[p[0]][p[1]] != '-' || strings.TrimSpace(f.lines[p[0]][:p[1]]) != "" {
			return false
		}
		after = p[0]
	}
	return len(starts) > 0
}

// items formats the items of a list.
func (f *formatter) items(values []ast.Node, starts [][2]int, s *shape, begin, end int) []string {
	var list []entry
	at, col := begin, starts[0][1]
	for i, v := range values {
		line, stop := starts[i][0], end
		if i+1 < len(starts) {
			stop = starts[i+1][0]
		}
		content := f.content(line, stop, col, keeps(v))
		lead := f.lead(at, line)
		own := f.lines[line]
		f.lines[line] = own[:col] + " " + own[col+1:] // the dash is a blank to what is behind it
		body := f.item(v, s, line, content, col)
		f.lines[line] = own
		for j := range body {
			if j == 0 {
				body[j] = strings.TrimRight("- "+body[j], " ")
			} else {
				body[j] = indented(body[j], step)
			}
		}
		list = append(list, entry{"", lead, body, keeps(v)})
		at = content
	}
	return join(list, f.lead(at, end))
}

// item formats what is behind the dash of an item.
func (f *formatter) item(v ast.Node, s *shape, line, end, col int) []string {
	if entries := mapping(v); entries != nil && f.inBlock(entries) {
		below := s.items
		if below == nil {
			below = anything
		}
		return trimBlank(f.entries(entries, below, line, end))
	}
	if list, ok := v.(*ast.SequenceNode); ok && !list.IsFlowStyle {
		if starts := dashes(list); f.list(starts, line-1) {
			return trimBlank(f.items(list.Values, starts, anything, line, end))
		}
	}
	return append([]string{strings.TrimSpace(f.lines[line])}, f.rest(v, line+1, end, col+len(step), 0)...)
}

// rest are the lines of a value after its first one, which are kept as they are but for their
// indentation: a text in a block goes to least, everything else moves with the column it belongs to.
func (f *formatter) rest(v ast.Node, begin, end, col, least int) []string {
	by := col
	if l, ok := v.(*ast.LiteralNode); ok && l.Start != nil && !strings.ContainsAny(l.Start.Value, "123456789") {
		in := -1
		for _, line := range f.lines[begin:end] {
			if strings.TrimSpace(line) != "" && (in < 0 || indent(line) < in) {
				in = indent(line)
			}
		}
		if by = in - least; in < 0 { // nothing but blanks
			by = col
		}
	}
	var out []string
	for _, line := range f.lines[begin:end] {
		switch in := indent(line); {
		case by < 0:
			line = strings.Repeat(" ", -by) + line
		default:
			line = line[min(in, by):]
		}
		if strings.TrimSpace(line) == "" && len(line) <= least {
			line = ""
		}
		out = append(out, line)
	}
	return out
}
