package main

import (
	"greentic.dev/cmd/greentic/authoring"
	"greentic.dev/devkit/scaffold"
	"greentic.dev/system"
)

// author is what the commands of component authors use of this program.
func author(env *environment) authoring.Terminal {
	return authoring.Terminal{
		Stdout: env.Stdout, Stderr: env.Stderr, Getenv: env.Getenv,
		JSON:   func() bool { return env.JSON },
		Print:  func(v any) error { return printJSON(env, v) },
		Args:   argsBetween,
		Config: func() (*system.Config, error) { return system.Load(env.ConfigFile, env.Getenv, nil) },
		Answers: func(w scaffold.Wizard, file string, given []string) (map[string]string, error) {
			return readAnswers(env, w, file, given)
		},
	}
}
