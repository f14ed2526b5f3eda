package main

import (
	"bytes"
	"context"
	"io"

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// outcome is the output of a command as JSON.
type outcome struct {
	ExitCode uint8  `json:"exit_code"`
	Stdout   string `json:"stdout"`
	Stderr   string `json:"stderr"`
}

// runCommand runs a command with the streams of this process, or as JSON with what it printed.
// Another exit code than 0 is fault.Invalid.
func (w *workbench) runCommand(ctx context.Context, env *environment, args []string, f invokeFlags) error {
	op := "command " + w.name
	if len(f.secrets)+len(f.hosts) > 0 || f.config != "" {
		return fault.New(fault.Unsupported, op, "a command reaches no secrets, hosts or configuration").
			WithFix("leave out --secret, --allow-http and --component-config")
	}
	bound, err := w.code.Bind(nil)
	if err != nil {
		return fault.Wrap(op, err)
	}
	defer bound.Close()
	var stdout, stderr bytes.Buffer
	cfg := wasi.Config{Args: append([]string{w.name}, args...), Stdin: env.Stdin, Stdout: env.Stdout, Stderr: env.Stderr}
	if env.JSON {
		cfg.Stdout, cfg.Stderr = io.Writer(&stdout), io.Writer(&stderr)
	}
	code, stats, err := bound.Run(ctx, wasm.Invocation{WASI: cfg, Limits: w.options().Limits})
	if err == nil && code != 0 {
		err = fault.Newf(fault.Invalid, op, "it exited with code %d", code)
	}
	if !env.JSON {
		return fault.Wrap(op, err)
	}
	return printResponse(env, host.Response{OK: err == nil, Output: outcome{code, stdout.String(), stderr.String()}, Stats: stats}, err)
}
