package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"greentic.dev/system"
)

func configCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Look at the configuration",
		Args:  onlyCommands,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "explain",
		Short: "List every setting, its value and where the value came from",
		Long: `List every setting. Values come from defaults, greentic.yaml (or --config FILE), GREENTIC_*
variables and flags, in this order; later ones win.`,
		Example: "  greentic config explain\n  GREENTIC_LISTEN=:9000 greentic config explain --json",
		Args:    exactArgs(0),
		RunE: func(*cobra.Command, []string) error {
			config, err := system.Load(env.ConfigFile, env.Getenv, nil)
			if err != nil {
				return err
			}
			all := config.Explain()
			if env.JSON {
				return printJSON(env, all)
			}
			w := tabwriter.NewWriter(env.Stdout, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "KEY\tVALUE\tSOURCE\tMEANING")
			for _, e := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Key, e.Value, e.Source, e.Doc)
			}
			return w.Flush()
		},
	})
	return c
}
