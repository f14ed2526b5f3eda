package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

// diagnosis is what `component doctor --json` prints.
type diagnosis struct {
	File     string    `json:"file"`
	OK       bool      `json:"ok"` // nothing stops it from running here
	Findings []symptom `json:"findings"`
}

// severity orders findings: errors stop a component from running, warnings cost or may
// surprise, notes are good to know.
type severity string

const (
	isError   severity = "error"
	isWarning severity = "warning"
	isNote    severity = "note"
)

// symptom is one finding. Kind decides the exit code of an error.
type symptom struct {
	Severity severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Where    *site    `json:"where,omitempty"`
	Fix      string   `json:"fix,omitempty"`

	kind fault.Kind
}

// site is where a finding is: an offset in the binary, or an import or export.
type site struct {
	Offset    *int     `json:"offset,omitempty"` // bytes
	Interface string   `json:"interface,omitempty"`
	Functions []string `json:"functions,omitempty"`
}

func componentDoctorCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor FILE",
		Short: "Say what would stop a component from running here, and what to do",
		Long: `Say what would stop a component from running here, and what to do.

An error stops it, a warning costs time or may surprise, a note is good to know. With an error
the exit code is that of the first one: 2 for a binary that is wrong, 8 for something this host
does not have, 9 for a limit.`,
		Example: "  greentic component doctor provider.wasm --json",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := system.Load(env.ConfigFile, env.Getenv, nil)
			if err != nil {
				return err
			}
			code, err := readComponent(args[0])
			if err != nil {
				return err
			}
			d := doctor{config: config, code: code}
			if err := d.examine(c.Context()); err != nil {
				return fault.Wrap("component doctor "+args[0], err)
			}
			return d.report(env, args[0])
		},
	}
}

// report prints what was found. Errors come first.
func (d *doctor) report(env *environment, file string) error {
	rank := map[severity]int{isError: 0, isWarning: 1, isNote: 2}
	slices.SortStableFunc(d.found, func(a, b symptom) int { return cmp.Compare(rank[a.Severity], rank[b.Severity]) })
	count := map[severity]int{}
	for _, f := range d.found {
		count[f.Severity]++
	}
	r := diagnosis{File: file, OK: count[isError] == 0, Findings: append([]symptom{}, d.found...)}
	if env.JSON {
		if err := printJSON(env, r); err != nil {
			return err
		}
	} else {
		for _, f := range r.Findings {
			fmt.Fprintf(env.Stdout, "%s %s: %s%s\n", f.Severity, f.Code, f.Message, f.Where)
			if f.Fix != "" {
				fmt.Fprintf(env.Stdout, "  fix: %s\n", f.Fix)
			}
		}
		if r.OK {
			fmt.Fprintf(env.Stdout, "ok: it runs here; %s, %s\n", plural(count[isWarning], "warning"), plural(count[isNote], "note"))
		}
	}
	if r.OK {
		return nil
	}
	return fault.Newf(d.found[0].kind, "component doctor "+file, "%s would stop it from running here", plural(count[isError], "error"))
}

// String is the place in parentheses, if it is not in the message anyway.
func (s *site) String() string {
	if s == nil || s.Offset == nil {
		return ""
	}
	return fmt.Sprintf(" (component offset %#x)", *s.Offset)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (d *doctor) add(s severity, code string, where *site, fix, format string, args ...any) {
	d.found = append(d.found, symptom{Severity: s, Code: code, Message: fmt.Sprintf(format, args...), Where: where, Fix: fix, kind: fault.Unsupported})
}

// failed adds an error that ends the examination.
func (d *doctor) failed(code, fix string, err error) {
	d.add(isError, code, offsetOf(err), fix, "%s", cause(err))
	d.found[len(d.found)-1].kind = fault.KindOf(err)
}

const offsetPrefix = "component offset "

// offsetOf is the place in the binary that an error names.
func offsetOf(err error) *site {
	for ; err != nil; err = errors.Unwrap(err) {
		var offset int
		if e, ok := err.(*fault.Error); ok {
			if _, scanned := fmt.Sscanf(e.Op, offsetPrefix+"0x%x", &offset); scanned == nil {
				return &site{Offset: &offset}
			}
		}
	}
	return nil
}

// cause is the text of an error without what was being done and the offset, which stands beside
// it.
func cause(err error) string {
	for {
		e, ok := err.(*fault.Error)
		if !ok || e.Msg != "" || e.Err == nil {
			text := err.Error()
			if ok && strings.HasPrefix(e.Op, offsetPrefix) {
				text = strings.TrimPrefix(text, e.Op+": ")
			}
			return text
		}
		err = e.Err
	}
}

// examine looks at everything; an error means that it could not.
func (d *doctor) examine(ctx context.Context) error {
	if !d.binary() {
		return nil
	}
	return d.behaviour(ctx)
}
