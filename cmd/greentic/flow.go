package main

import (
	"greentic.dev/cmd/greentic/flows"
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
	}
}
