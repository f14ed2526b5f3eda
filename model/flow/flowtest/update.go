package flowtest

import (
	"encoding/json"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/source"
)

// Update is the source of the suite with what came of its cases in place of what their steps expect:
// every expectation that differs is written anew, and a step that expects nothing gets replies, route
// and status. Comments and everything else stay. The error is fault.Invalid for a step on one line,
// which has no room for that.
func (s *Suite) Update(cases []Case, outcomes [][]Outcome) ([]byte, error) {
	lines := strings.Split(string(s.src), "\n")
	var edits []edit
	for i, c := range cases {
		for j, step := range c.Steps {
			if j >= len(outcomes[i]) {
				break
			}
			more, err := s.stepEdits(step, outcomes[i][j])
			if err != nil {
				return nil, err
			}
			edits = append(edits, more...)
		}
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return b.from - a.from }) // from the end, so that places stay
	for _, e := range edits {
		lines = slices.Replace(lines, e.from, e.to, e.lines...)
	}
	out := []byte(strings.Join(lines, "\n"))
	if _, wrong := Read(s.File, out); len(wrong) > 0 {
		return nil, fault.Newf(fault.Internal, "flow test --update", "the updated test would be wrong: %v", wrong[0])
	}
	return out, nil
}

// edit replaces lines, counted from 0.
type edit struct {
	from, to int
	lines    []string
}

// expectation is one key of a step with its new value.
type expectation struct {
	key   string
	value any
	wrong bool // what stands there differs
}

func (s *Suite) stepEdits(step Step, got Outcome) (out []edit, err error) {
	list := s.expectations(step, got)
	expects := slices.ContainsFunc(list, func(e expectation) bool { _, has := step.Want.places[e.key]; return has })
	fields := step.at.Fields
	last := fields[len(fields)-1]
	col := fields[0].Pos.Col - 1
	var added []string
	for _, e := range list {
		place, has := step.Want.places[e.key]
		switch {
		case has && !e.wrong, !has && (expects || !slices.Contains([]string{"replies", "route", "status"}, e.key)):
			continue
		case !inBlock(step.at, s.lines):
			p := s.position(step.Pos)
			return nil, fault.New(fault.Invalid, "flow test --update", "the step stands on one line and cannot take what came of it").At(p).
				WithFix("write its keys below each other")
		}
		text := strings.Repeat(" ", col) + e.key + ": " + flowStyle(e.value)
		if !has {
			added = append(added, text)
			continue
		}
		i := slices.IndexFunc(fields, func(f source.Field) bool { return f.Key == e.key })
		from := place.Line - 1
		if from == fields[0].Pos.Line-1 { // behind the dash
			text = s.lines[from][:col] + strings.TrimLeft(text, " ")
		}
		out = append(out, edit{from, s.end(fields[i], col), []string{text}})
	}
	if len(added) > 0 {
		end := s.end(last, col)
		out = append(out, edit{end, end, added})
	}
	return out, nil
}

// inBlock says whether the keys of a step stand one below the other.
func inBlock(v *source.Value, lines []string) bool {
	for _, f := range v.Fields {
		if p := f.Pos; p.Col != v.Fields[0].Pos.Col || p.Line > len(lines) || strings.Trim(lines[p.Line-1][:p.Col-1], " -") != "" {
			return false
		}
	}
	return true
}

// end is the line after a field whose column is given.
func (s *Suite) end(f source.Field, col int) int {
	at := f.Pos.Line
	for at < len(s.lines) {
		line := s.lines[at]
		if strings.TrimSpace(line) != "" && len(line)-len(strings.TrimLeft(line, " ")) <= col {
			break
		}
		at++
	}
	for at > f.Pos.Line && strings.TrimSpace(s.lines[at-1]) == "" {
		at--
	}
	return at
}

// expectations are the keys of a step with what came of them.
func (s *Suite) expectations(step Step, got Outcome) []expectation {
	c := &comparison{suite: s, step: step}
	differs := func(check func()) bool {
		before := len(c.found)
		check()
		return len(c.found) > before
	}
	replies := []any{}
	for _, r := range got.Replies {
		one := map[string]any{"text": r.Text}
		if r.Card != nil {
			if delete(one, "text"); r.Text != "" {
				one["text"] = r.Text
			}
			one["contains"] = cardTexts(r.Card)
		}
		replies = append(replies, one)
	}
	route := got.Route
	if route == nil {
		route = []string{}
	}
	list := []expectation{
		{"replies", replies, differs(func() { c.replies(got.Replies) })},
		{"route", route, step.Want.Route != nil && !slices.Equal(*step.Want.Route, got.Route)},
		{"status", got.Status, step.Want.Status != got.Status},
	}
	if step.Want.Events != nil {
		list = append(list, expectation{"events", orNone(got.Events), differs(func() { c.events(got.Events) })})
	}
	if step.Want.Error != nil && got.Error != nil {
		list = append(list, expectation{"error", got.Error, got.Error.Code != step.Want.Error.Code})
	}
	if step.Want.HasOut {
		_, same := Matches(step.Want.Output, got.Output)
		list = append(list, expectation{"output", got.Output, !same})
	}
	return list
}

func orNone(events []Event) []Event {
	if events == nil {
		return []Event{}
	}
	return events
}

// flowStyle is a value on one line: JSON, which YAML reads.
func flowStyle(v any) string {
	if s, ok := v.(string); ok && (s == "done" || s == "waiting" || s == "failed") {
		return s
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "null"
	}
	return strings.TrimSpace(b.String())
}
