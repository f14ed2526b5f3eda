package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // schedules know their zones on machines that have no zone database

	"github.com/spf13/cobra"

	"greentic.dev/cmd/greentic/flows"
	"greentic.dev/cmd/greentic/operations"
	"greentic.dev/greentic/fault"
)

func main() {
	os.Exit(realMain())
}

// realMain is main without the exit, so that script tests can run it in process.
func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(ctx, os.Args[1:], &environment{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
	})
}

// environment is everything a command may touch of the process it runs in.
type environment struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string

	JSON       bool   // --json: machine-readable output on Stdout
	ConfigFile string // --config; empty means ./greentic.yaml if it exists
}

// execute runs one command line and returns the process exit code (fault.Kind.ExitCode).
func execute(ctx context.Context, args []string, env *environment) int {
	root := rootCommand(env)
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		printError(env, err)
		return fault.KindOf(err).ExitCode()
	}
	return 0
}

func rootCommand(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "greentic",
		Short: "Build, check, run and serve automation packs",
		Long: `Greentic runs automation: components (WebAssembly) in flows (.ygtc), shipped as signed packs (.gtpack).

Exit codes: 0 ok, 1 internal, 2 invalid input, 3 not found, 4 exists, 5 conflict, 6 denied,
7 unverified, 8 unsupported, 9 exhausted, 10 timeout, 11 unavailable, 12 canceled.`,
		Example: `  greentic up --demo                                  serve the demo chat
  greentic dev examples/helpdesk                         work on it while it runs
  greentic run examples/helpdesk --message "my printer is broken"
  greentic pack build examples/helpdesk
  greentic component invoke provider.wasm --op healthcheck --input '{}'`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          onlyCommands,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentFlags().BoolVar(&env.JSON, "json", false, "print machine-readable JSON on standard output")
	root.PersistentFlags().StringVar(&env.ConfigFile, "config", "", "configuration file (default ./greentic.yaml when it exists)")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &fault.Error{Kind: fault.Invalid, Op: c.CommandPath(), Err: err, Fix: "see " + c.CommandPath() + " --help"}
	})
	root.AddCommand(
		upCommand(env), runCommand(env), devCommand(env), componentCommand(env), packCommand(env), flows.Command(flowTerminal(env)), keyCommand(env),
		configCommand(env), versionCommand(env),
	)
	root.AddCommand(operations.Commands(operator(env))...)
	return root
}

// onlyCommands is for commands that group others: any word is refused, with the nearest command.
func onlyCommands(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	fix := "see " + c.CommandPath() + " --help"
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		fix = "did you mean " + c.CommandPath() + " " + strings.Join(near, " or ") + "?"
	}
	return fault.Newf(fault.Invalid, c.CommandPath(), "unknown command %q", args[0]).WithFix(fix)
}

// exactArgs is cobra.ExactArgs with a fault that shows the usage line.
func exactArgs(n int) cobra.PositionalArgs { return argsBetween(n, n) }

// argsBetween refuses fewer than min and, unless max is negative, more than max arguments.
func argsBetween(min, max int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= min && (max < 0 || len(args) <= max) {
			return nil
		}
		return fault.Newf(fault.Invalid, c.CommandPath(), "got %d arguments", len(args)).WithFix("usage: " + c.UseLine())
	}
}
