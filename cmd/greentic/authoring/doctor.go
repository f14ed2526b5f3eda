package authoring

import (
	"fmt"

	"github.com/spf13/cobra"

	"greentic.dev/devkit/doctor"
	"greentic.dev/greentic/fault"
)

// doctorReport is what `component doctor --json` prints.
type doctorReport struct {
	File string `json:"file"`
	doctor.Diagnosis
}

func doctorCommand(t Terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [DIR|FILE]",
		Short: "Say what would stop a component from running here, and what to do",
		Long: `Say what would stop a component from running here, and what to do.

DIR is a folder with component.wasm and component.manifest.json (default: this one); a manifest is compared
with the code: hash, operations, schemas, capabilities. An error stops it, a warning costs time or may surprise, a
note is good to know. With an error the exit code is that of the first one: 2 for a binary that is wrong, 8
for something this host does not have, 9 for a limit.`,
		Example: "  greentic component doctor\n  greentic component doctor provider.wasm --json",
		Args:    t.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := t.Config()
			if err != nil {
				return err
			}
			x, err := find(args)
			if err != nil {
				return err
			}
			if x.code == nil {
				return fault.Newf(fault.NotFound, "component doctor "+x.folder, "it is not built").WithFix("greentic component build " + x.folder)
			}
			d, err := doctor.Examine(c.Context(), config, x.code, x.manifest)
			if err != nil {
				return fault.Wrap("component doctor "+x.file, err)
			}
			return t.printDoctorReport(doctorReport{x.file, d})
		},
	}
}

func (t Terminal) printDoctorReport(r doctorReport) error {
	if t.JSON() {
		if err := t.Print(r); err != nil {
			return err
		}
	} else {
		for _, f := range r.Findings {
			fmt.Fprintf(t.Stdout, "%s %s: %s%s\n", f.Severity, f.Code, f.Message, f.Where)
			if f.Fix != "" {
				fmt.Fprintf(t.Stdout, "  fix: %s\n", f.Fix)
			}
		}
		if r.OK {
			fmt.Fprintf(t.Stdout, "ok: it runs here; %s, %s\n", plural(r.Count(doctor.Warning), "warning"), plural(r.Count(doctor.Note), "note"))
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
