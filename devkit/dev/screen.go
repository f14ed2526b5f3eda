package dev

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"greentic.dev/runtime/operate"
)

// Screen shows events to a person at a terminal, one line each and more for errors. It is not safe
// for concurrent use; a loop tells one event at a time.
type Screen struct {
	Out    io.Writer
	Folder string

	shown State
}

// Tell shows an event.
func (s *Screen) Tell(e Event) {
	at := e.At.Local().Format("15:04:05")
	switch {
	case e.Turn != nil:
		t := e.Turn
		fmt.Fprintf(s.Out, "%s  turn %s  %s, %d steps, %.1f ms", at, t.Status, orNone(t.Flow), t.Steps, t.DurationMS)
		if t.Error != "" {
			fmt.Fprintf(s.Out, "\n          %s", t.Error)
		}
		fmt.Fprintln(s.Out)
	case e.Follow != nil && e.Follow.Became == operate.Ended:
		fmt.Fprintf(s.Out, "%s  a conversation begins anew: it waited at %s of %s, which is gone\n", at, e.Follow.Node, e.Follow.Flow)
	case e.Follow != nil:
		fmt.Fprintf(s.Out, "%s  a conversation goes on at %s of %s\n", at, e.Follow.Node, e.Follow.Flow)
	case e.State != nil && e.State.Phase != Building:
		s.state(at, *e.State)
	}
}

func (s *Screen) state(at string, now State) {
	before := s.shown
	s.shown = now
	news := now.Release != before.Release || now.Phase != before.Phase || len(now.Rebuilt) > 0 || !slices.Equal(now.Problems, before.Problems)
	if !news {
		return
	}
	what := "serves"
	if len(now.Changed) > 0 && before.Phase != "" {
		what = names(now.Changed) + ":"
	}
	if now.Phase == Broken {
		stays := "nothing is served yet"
		if now.Pack != "" {
			stays = "the last good version stays"
		}
		fmt.Fprintf(s.Out, "%s  %s %s\n", at, names(now.Changed), "has errors; "+stays)
	} else {
		fixed := ""
		if now.Fixed {
			fixed = "fixed, "
		}
		fmt.Fprintf(s.Out, "%s  %s %s%s %s (%s) in %d ms\n", at, what, fixed, now.Pack, now.Version, now.Release.Short(), now.TookMS)
	}
	for _, p := range now.Problems {
		s.problem(p)
	}
}

func (s *Screen) problem(p Problem) {
	place := ""
	if p.File != "" {
		place = p.File + ":"
		if p.Line > 0 {
			place += fmt.Sprintf("%d:%d:", p.Line, p.Col)
		}
		place += " "
	}
	fmt.Fprintf(s.Out, "%s%s: %s\n", place, p.Severity, p.Message)
	if p.Excerpt != "" {
		fmt.Fprintf(s.Out, "  %5d | %s\n", p.Line, p.Excerpt)
		if p.Col > 0 {
			fmt.Fprintf(s.Out, "        | %s^\n", strings.Repeat(" ", p.Col-1))
		}
	}
	if p.Fix != "" {
		fmt.Fprintf(s.Out, "  fix: %s\n", p.Fix)
	}
}

// names lists a few files.
func names(list []string) string {
	switch {
	case len(list) == 0:
		return "the folder"
	case len(list) > 3:
		return fmt.Sprintf("%s and %d more", strings.Join(list[:2], ", "), len(list)-2)
	}
	return strings.Join(list, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "no flow"
	}
	return s
}
