package main

import (
	"maps"
	"strconv"
	"strings"
)

// next takes the reply to the question asked, if one was, and finds the next. An optional question that
// was left open is answered by null, so that it is not asked again. Answers to questions that are skipped
// by now are dropped.
func (f *form) next(answers map[string]any, asked string, reply any) step {
	s := step{Status: "done", Answers: map[string]any{}}
	given := maps.Clone(answers)
	if given == nil {
		given = map[string]any{}
	}
	why := ""
	var open *question
	for _, q := range f.questions {
		if q.skipped(s.Answers) {
			continue
		}
		s.Total++
		if q.ID == asked && open == nil {
			value, wrong := f.read(q, reply)
			if why = wrong; why == "" {
				given[q.ID] = value
			} else {
				delete(given, q.ID)
			}
		}
		value, ok := given[q.ID]
		switch {
		case ok:
			s.Answers[q.ID] = value
			s.Answered++
		case open == nil:
			open = q
		}
	}
	if open == nil {
		return s
	}
	s.Status, s.Asked = "ask", open.ID
	if open.ID == asked && why != "" {
		s.Status, s.Error = "again", why
	}
	s.Question = &shown{ID: open.ID, Kind: open.kind, Label: f.text(open.Label), Help: f.text(open.Help), Choices: open.options}
	s.Text = s.said()
	return s
}

// said is the question as a text.
func (s *step) said() string {
	var lines []string
	if s.Error != "" {
		lines = append(lines, s.Error)
	}
	lines = append(lines, s.Question.Label)
	if s.Question.Help != "" {
		lines = append(lines, s.Question.Help)
	}
	for i, c := range s.Question.Choices {
		lines = append(lines, strconv.Itoa(i+1)+". "+c.Label)
	}
	return strings.Join(lines, "\n")
}
