package dev

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"greentic.dev/devkit/flowcheck"
	"greentic.dev/greentic/fault"
)

// check is everything flow check finds in the flows of the folder.
func (l *Loop) check(ctx context.Context) (found []Problem) {
	var checker flowcheck.Checker
	for _, name := range l.folder.Files() {
		if path.Ext(name) != ".ygtc" {
			continue
		}
		shown := filepath.Join(l.options.Folder, filepath.FromSlash(name))
		src, err := os.ReadFile(shown)
		if errors.Is(err, os.ErrNotExist) {
			continue // gone since the folder was looked at: the next look will say so
		}
		if err != nil {
			found = append(found, l.problem(err))
			continue
		}
		_, list := checker.Check(ctx, shown, src)
		for _, d := range list {
			p := l.problem(d.Fault())
			p.Severity, p.Message = d.Severity, d.Message
			found = append(found, p)
		}
	}
	if failing(found) { // warnings are for when it works: one error can have many
		found = slices.DeleteFunc(found, func(p Problem) bool { return p.Severity != "error" })
	}
	return found
}

// problem is problemOf with the line it is about, and a file below the folder named as the folder's.
func (l *Loop) problem(err error) Problem {
	p := problemOf(err)
	if p.Excerpt == "" && p.Line > 0 {
		if src, err := os.ReadFile(p.File); err == nil {
			if lines := strings.Split(string(src), "\n"); p.Line <= len(lines) {
				p.Excerpt = strings.TrimRight(lines[p.Line-1], "\r")
			}
		}
	}
	folder, err := filepath.Abs(l.options.Folder)
	file, ferr := filepath.Abs(p.File)
	if rel, rerr := filepath.Rel(folder, file); p.File != "" && err == nil && ferr == nil && rerr == nil && !strings.HasPrefix(rel, "..") {
		p.File = filepath.ToSlash(rel)
	}
	return p
}

// problemOf says an error the way findings are said.
func problemOf(err error) Problem {
	pos, fix, code := fault.Detail(err)
	p := Problem{Severity: "error", Code: code, Message: err.Error(), File: pos.File, Line: pos.Line, Col: pos.Col, Excerpt: pos.Excerpt, Fix: fix}
	var cause *fault.Error
	for e := err; errors.As(e, &cause); e = cause.Err {
		if cause.Pos == pos && cause.Msg != "" {
			p.Message = cause.Msg // the place is said beside it
		}
	}
	return p
}
