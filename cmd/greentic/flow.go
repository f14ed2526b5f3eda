package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/devkit/flowcheck"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

func flowCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "flow",
		Short: "Check flows",
		Args:  exactArgs(0),
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(flowCheckCommand(env))
	return c
}

// flowReport is what `flow check --json` prints.
type flowReport struct {
	OK          bool             `json:"ok"`
	Diagnostics flow.Diagnostics `json:"diagnostics"`
}

func flowCheckCommand(env *environment) *cobra.Command {
	var structure bool
	c := &cobra.Command{
		Use:   "check FILE|DIR...",
		Short: "Check the schema, ids, targets, routing, templates and components of flows",
		Long: `Check the schema, ids, targets, routing, templates and components of flows.

Of a folder every .ygtc file is checked. What is wrong in a template is a warning. A component that
the flow's pack does not have is an error; --structure-only leaves components and templates out,
for a flow whose components are not at hand. Exit code 2 says that there are errors.`,
		Example: "  greentic flow check flows/main.ygtc --structure-only\n  greentic flow check examples --json",
		Args:    argsBetween(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			files, err := flowFiles(args)
			if err != nil {
				return err
			}
			report := flowReport{Diagnostics: flow.Diagnostics{}}
			var checker flowcheck.Checker
			for _, name := range files {
				src, err := readFlow(name)
				if err != nil {
					return err
				}
				f, found := flow.Check(name, src)
				if f != nil && !structure {
					found = append(found, checker.Components(c.Context(), name, f)...)
				}
				if err := c.Context().Err(); err != nil {
					return fault.Wrap("flow check", err)
				}
				for _, d := range found {
					if structure && d.Class == "Template" {
						continue
					}
					report.Diagnostics = append(report.Diagnostics, d)
				}
			}
			return printFlowReport(env, report, len(files))
		},
	}
	c.Flags().BoolVar(&structure, "structure-only", false, "check only schema, ids, targets and routing")
	return c
}

func printFlowReport(env *environment, r flowReport, files int) error {
	errs := r.Diagnostics.Errors()
	r.OK = len(errs) == 0
	if env.JSON {
		if err := printJSON(env, r); err != nil {
			return err
		}
	} else {
		for _, d := range r.Diagnostics {
			pos := d.Fault().Pos
			fmt.Fprintf(env.Stdout, "%s: %s: %s: %s\n", pos, d.Severity, d.Class, d.Message)
			printExcerpt(env.Stdout, pos)
			if d.Fix != "" {
				fmt.Fprintf(env.Stdout, "  fix: %s\n", d.Fix)
			}
		}
		if r.OK {
			fmt.Fprintf(env.Stdout, "ok: %d flows\n", files)
		}
	}
	if r.OK {
		return nil
	}
	return fault.Newf(fault.Invalid, "flow check", "%d errors in %d flows", len(errs), files)
}

// maxFlowSource is one byte more than the compiler accepts, so that it can refuse.
const maxFlowSource = 4<<20 + 1

func readFlow(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, flowFileError(name, err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFlowSource))
	return src, flowFileError(name, err)
}

func flowFileError(name string, err error) error {
	if os.IsNotExist(err) {
		return fault.As(fault.NotFound, "flow check "+name, err)
	}
	return fault.As(fault.Invalid, "flow check "+name, err)
}

// flowFiles lists files as they are given and every .ygtc below folders.
func flowFiles(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		before := len(out)
		err := filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (name == arg || filepath.Ext(name) == ".ygtc" && !strings.HasPrefix(d.Name(), ".")) {
				out = append(out, name)
			}
			return err
		})
		if err != nil {
			return nil, flowFileError(arg, err)
		}
		if len(out) == before {
			return nil, fault.New(fault.NotFound, "flow check "+arg, "there is no .ygtc file")
		}
	}
	return out, nil
}
