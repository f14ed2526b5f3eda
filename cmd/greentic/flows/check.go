package flows

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"greentic.dev/devkit/flowcheck"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/lint"
)

// report is what `flow check --json` prints.
type report struct {
	OK          bool             `json:"ok"`
	Files       int              `json:"files"`
	Errors      int              `json:"errors"`
	Warnings    int              `json:"warnings"`
	Diagnostics flow.Diagnostics `json:"diagnostics"`
}

// garbage is how much a command that soon ends lets lie, in percent of what it uses: collecting takes
// half as long again as checking a large flow.
const garbage = 400

func checkCommand(t Terminal) *cobra.Command {
	var structure, list bool
	var sarif string
	c := &cobra.Command{
		Use:   "check FILE|DIR...",
		Short: "Find what is wrong in flows",
		Long: `Find what is wrong in flows: schema, targets, nodes that nothing leads to, routes that are never taken,
components and operations that do not exist, payloads that do not fit the component's schema, templates
that name nothing, secrets and hosts that nobody declares.

Of a folder every .ygtc file is checked. --structure-only leaves out components, payloads and templates,
for a flow whose pack is not at hand. --rules lists what can be found. Exit code 2 says that there are
errors; warnings alone exit with 0.`,
		Example: `  greentic flow check flows/main.ygtc --structure-only
  greentic flow check examples --json
  greentic flow check . --sarif findings.sarif`,
		Args: t.Args(0, -1),
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				return printRules(t)
			}
			if len(args) == 0 {
				return fault.New(fault.Invalid, c.CommandPath(), "got 0 arguments").WithFix("usage: " + c.UseLine())
			}
			names, err := files("flow check", args, ".ygtc")
			if err != nil {
				return err
			}
			defer debug.SetGCPercent(debug.SetGCPercent(garbage))
			r := report{Files: len(names), Diagnostics: flow.Diagnostics{}}
			checker := flowcheck.Checker{Structure: structure}
			for _, name := range names {
				src, err := read("flow check", name, maxSource)
				if err != nil {
					return err
				}
				_, found := checker.Check(c.Context(), name, src)
				if err := c.Context().Err(); err != nil {
					return fault.Wrap("flow check", err)
				}
				r.Diagnostics = append(r.Diagnostics, found...)
			}
			return r.print(t, sarif)
		},
	}
	c.Flags().BoolVar(&structure, "structure-only", false, "check only schema, ids, targets and routing")
	c.Flags().BoolVar(&list, "rules", false, "list what can be found, and how severe it is")
	c.Flags().StringVar(&sarif, "sarif", "", "write the findings as SARIF 2.1.0 to this file (- for standard output)")
	return c
}

func (r report) print(t Terminal, sarif string) error {
	r.Errors = len(r.Diagnostics.Errors())
	r.Warnings = len(r.Diagnostics) - r.Errors
	r.OK = r.Errors == 0
	if sarif != "" {
		log, err := lint.SARIF(r.Diagnostics, t.Version)
		if err != nil {
			return err
		}
		if sarif == "-" {
			_, err = t.Stdout.Write(log)
		} else {
			err = os.WriteFile(sarif, log, 0o644)
		}
		if err != nil {
			return fault.As(fault.Unavailable, "flow check --sarif", err)
		}
	}
	switch {
	case sarif == "-":
	case t.JSON():
		if err := t.Print(r); err != nil {
			return err
		}
	default:
		for _, d := range r.Diagnostics {
			pos := d.Fault().Pos
			fmt.Fprintf(t.Stdout, "%s: %s: %s: %s\n", pos, d.Severity, d.Class, d.Message)
			t.Excerpt(t.Stdout, pos)
			if d.Fix != "" {
				fmt.Fprintf(t.Stdout, "  fix: %s\n", d.Fix)
			}
		}
		switch {
		case r.OK && r.Warnings > 0:
			fmt.Fprintf(t.Stdout, "ok: %d flows, %d warnings\n", r.Files, r.Warnings)
		case r.OK:
			fmt.Fprintf(t.Stdout, "ok: %d flows\n", r.Files)
		}
	}
	if r.OK {
		return nil
	}
	return fault.Newf(fault.Invalid, "flow check", "%d errors in %d flows", r.Errors, r.Files)
}

func printRules(t Terminal) error {
	for _, r := range lint.Rules() {
		if t.JSON() {
			if err := t.Print(map[string]string{"id": r.ID, "severity": r.Level, "short": r.Short, "help": r.Help}); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(t.Stdout, "%-28s %-8s %s\n", r.ID, r.Level, r.Short); err != nil {
			return fault.Wrap("print", err)
		}
	}
	return nil
}
