package main

import (
	"context"

	"greentic.dev/cmd/greentic/flows"
	"greentic.dev/system"
	"greentic.dev/wasm"
)

// flowTerminal is what the commands of flows use of this program.
func flowTerminal(env *environment) flows.Terminal {
	return flows.Terminal{
		Stdin: env.Stdin, Stdout: env.Stdout, Stderr: env.Stderr,
		JSON:    func() bool { return env.JSON },
		Print:   func(v any) error { return printJSON(env, v) },
		Args:    argsBetween,
		Group:   onlyCommands,
		Excerpt: printExcerpt,
		Version: version,
		Engine: func(ctx context.Context) (*wasm.Engine, error) {
			config, err := system.Load(env.ConfigFile, env.Getenv, nil)
			if err != nil {
				return nil, err
			}
			return wasm.New(ctx, wasm.Options{CacheDir: config.CodeCache(false)})
		},
	}
}
