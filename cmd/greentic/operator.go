package main

import (
	"context"

	"greentic.dev/cmd/greentic/operations"
	"greentic.dev/system"
)

// operator is what operators' commands use of this program.
func operator(env *environment) operations.Terminal {
	return operations.Terminal{
		Stdout: env.Stdout,
		JSON:   func() bool { return env.JSON },
		Print:  func(v any) error { return printJSON(env, v) },
		Args:   exactArgs,
		Group:  onlyCommands,
		Open: func(ctx context.Context, data string) (*system.Operator, error) {
			var overrides []system.Override
			if data != "" {
				overrides = append(overrides, system.Override{Key: "data", Value: data, Flag: "--data"})
			}
			config, err := system.Load(env.ConfigFile, env.Getenv, overrides)
			if err != nil {
				return nil, err
			}
			if config.LogLevel == "info" {
				config.LogLevel = "warn" // the answer is the output
			}
			return system.OpenOperator(ctx, config, system.Options{Log: newLog(env, config), Getenv: env.Getenv})
		},
	}
}
