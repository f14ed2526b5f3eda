package flow

import (
	"fmt"
	"strings"

	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/source"
)

// Diagnostic is one finding about the source of a flow.
type Diagnostic = source.Diagnostic

// Diagnostics are findings in the order they were found.
type Diagnostics = source.Diagnostics

// Compile compiles the source of a flow; name is its file name for messages. The error is the
// first finding as fault.Invalid; its text counts the others.
func Compile(name string, src []byte) (*Flow, error) {
	f, all := Check(name, src)
	errs := all.Errors()
	if len(errs) == 0 {
		return f, nil
	}
	first := errs[0].Fault()
	if n := len(errs) - 1; n > 0 {
		first.Msg += fmt.Sprintf(" (and %d more)", n)
	}
	return nil, first
}

// Check compiles the source of a flow and returns every finding. The flow is nil when one of
// them is an error.
func Check(name string, src []byte) (*Flow, Diagnostics) {
	c := check(name, src)
	if len(c.found.Errors()) > 0 {
		return nil, c.found
	}
	return c.flow, c.found
}

func check(name string, src []byte) *compiler {
	c := &compiler{name: name, lines: strings.Split(string(src[:min(len(src), source.MaxBytes)]), "\n")}
	doc, wrong := source.Read(src)
	for _, w := range wrong {
		c.report(w.Pos, w.At, "Yaml", w.Fix, "%s", w.Message)
	}
	if doc != nil && len(wrong) == 0 {
		c.compile(doc)
	}
	return c
}

// compiler compiles one source.
type compiler struct {
	name  string
	lines []string
	found Diagnostics
	flow  *Flow
	doc   *source.Value
	old   bool // schema_version 1

	conditions expr.Language
}

func (c *compiler) excerpt(line int) string {
	if line < 1 || line > len(c.lines) {
		return ""
	}
	return strings.TrimSuffix(c.lines[line-1], "\r")
}

const maxFindings = 100

func (c *compiler) report(p Pos, pointer, class, fix, format string, args ...any) {
	c.add(source.Error, p, pointer, class, fix, format, args...)
}

func (c *compiler) add(severity string, p Pos, pointer, class, fix, format string, args ...any) {
	if len(c.found) < maxFindings {
		c.found = append(c.found, Diagnostic{Class: class, Message: fmt.Sprintf(format, args...), File: c.name,
			Line: p.Line, Col: p.Col, Pointer: pointer, Fix: fix, Severity: severity, Excerpt: c.excerpt(p.Line)})
	}
}
