package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/google/renameio/v2/maybe"
	"github.com/spf13/cobra"

	"greentic.dev/backing/keys"
	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

func keyCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Make signing keys and decide which keys to trust",
		Args:  onlyCommands,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(keyNewCommand(env), keyListCommand(env), keyExportCommand(env), keyTrustCommand(env))
	return c
}

func openKeys(env *environment) (*keys.Store, error) {
	config, err := system.Load(env.ConfigFile, env.Getenv, nil)
	if err != nil {
		return nil, err
	}
	return config.KeyStore()
}

func keyNewCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "new NAME",
		Short:   "Make a signing key; nobody trusts it until they are told to",
		Example: "  greentic key new release\n  greentic key export release > release.pem",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := openKeys(env)
			if err != nil {
				return err
			}
			k, err := store.Create(c.Context(), args[0])
			if err != nil {
				return err
			}
			return printKey(env, k, "made")
		},
	}
}

func keyListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List signing keys and trusted keys",
		Args:  exactArgs(0),
		RunE: func(c *cobra.Command, _ []string) error {
			store, err := openKeys(env)
			if err != nil {
				return err
			}
			list, err := store.List(c.Context())
			if err != nil {
				return err
			}
			if env.JSON {
				if list == nil {
					list = []keys.Key{}
				}
				return printJSON(env, map[string]any{"keys": list})
			}
			w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tFINGERPRINT\tSIGNS\tTRUSTED")
			for _, k := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Name, k.Fingerprint[:16], yes(k.Private), yes(k.Trusted))
			}
			return fault.Wrap("print", w.Flush())
		},
	}
}

func keyExportCommand(env *environment) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:     "export NAME",
		Short:   "Print a public key as PEM, to be trusted elsewhere",
		Example: "  greentic key export developer > me.pem",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := openKeys(env)
			if err != nil {
				return err
			}
			text, err := store.Export(c.Context(), args[0])
			if err != nil {
				return err
			}
			if out != "" {
				return fault.As(fault.Unavailable, "key export "+args[0], maybe.WriteFile(out, text, 0o644))
			}
			if env.JSON {
				return printJSON(env, map[string]string{"name": args[0], "public_key": string(text)})
			}
			_, err = env.Stdout.Write(text)
			return fault.Wrap("print", err)
		},
	}
	c.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	return c
}

func keyTrustCommand(env *environment) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:     "trust FILE",
		Short:   "Trust packs signed with a public key (PEM; - reads standard input)",
		Example: "  greentic key trust acme.pem --name acme",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := openKeys(env)
			if err != nil {
				return err
			}
			text, err := readKeyFile(env, args[0])
			if err != nil {
				return err
			}
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			k, err := store.Trust(c.Context(), name, text)
			if err != nil {
				return err
			}
			return printKey(env, k, "trusted")
		},
	}
	c.Flags().StringVar(&name, "name", "", "what to call the key (default: the name of the file)")
	return c
}

func readKeyFile(env *environment, file string) ([]byte, error) {
	in := env.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fault.As(fault.NotFound, "key trust "+file, err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, 64<<10))
	return text, fault.As(fault.Unavailable, "key trust "+file, err)
}

func printKey(env *environment, k keys.Key, verb string) error {
	if env.JSON {
		return printJSON(env, k)
	}
	fmt.Fprintf(env.Stdout, "%s key %s, fingerprint %s\n", verb, k.Name, k.Fingerprint)
	return nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
