package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"greentic.dev/devkit/doctor"
	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

// doctorReport is what `component doctor --json` prints.
type doctorReport struct {
	File string `json:"file"`
	doctor.Diagnosis
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
			d, err := doctor.Examine(c.Context(), config, code)
			if err != nil {
				return fault.Wrap("component doctor "+args[0], err)
			}
			return printDoctorReport(env, doctorReport{args[0], d})
		},
	}
}

func printDoctorReport(env *environment, r doctorReport) error {
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
			fmt.Fprintf(env.Stdout, "ok: it runs here; %s, %s\n", plural(r.Count(doctor.Warning), "warning"), plural(r.Count(doctor.Note), "note"))
		}
	}
	if r.OK {
		return nil
	}
	return fault.Newf(r.Findings[0].Kind, "component doctor "+r.File, "%s would stop it from running here", plural(r.Count(doctor.Error), "error"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
