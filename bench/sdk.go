//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"greentic.dev/build/guest"
	"greentic.dev/devkit/scaffold"
	"greentic.dev/devkit/vendored"
	"greentic.dev/greentic"
	"greentic.dev/runtime/host"
)

// hello is a component as a developer begins it, without state.
const hello = `package main

import "greentic.dev/sdk/go/greentic"

type GreetIn struct {
	Name string ` + "`json:\"name\" min:\"1\"`" + `
}

type GreetOut struct {
	Text string ` + "`json:\"text\"`" + `
}

var component = greentic.Component(greentic.Info{ID: "hello", Version: "0.1.0"},
	greentic.Op("greet", func(_ *greentic.Context, in GreetIn) (GreetOut, error) {
		return GreetOut{Text: "Hello, " + in.Name}, nil
	}))

func main() {}
`

// sdk measures a component of the Go SDK through the platform's host: input and output in CBOR, checked
// against the types, grants, fresh state.
func (g *guests) sdk(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	built, err := buildHello(ctx, filepath.Join(dir, "hello"), guest.Options{Engine: g.engine, Getenv: os.Getenv, Look: exec.LookPath})
	if err != nil {
		return err
	}
	g.add("sdk_hello_size", float64(len(built.Code))/1e6, "MB", bar(3))
	component, err := host.New(host.Deps{Engine: g.engine}, host.Options{}).Load(ctx, "hello", built.Code)
	if err != nil {
		return err
	}
	tenant := greentic.DefaultTenant()
	request := host.Request{Flow: "bench", Node: "bench", Operation: "greet", Input: map[string]any{"name": "Ada"}}
	us, err := perOp(func() error {
		answer, err := component.Invoke(ctx, tenant, request)
		if err == nil && !answer.OK {
			return fmt.Errorf("hello fails: %v", answer.Output)
		}
		return err
	})
	if err == nil {
		g.add("invoke_sdk_hello", us, "us CPU, through the platform's host", bar(30))
	}
	return err
}

func buildHello(ctx context.Context, dir string, opt guest.Options) (*guest.Built, error) {
	sources, err := vendored.Go()
	if err != nil {
		return nil, err
	}
	if _, err := scaffold.Component(dir, "go", nil, sources); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(hello), 0o644); err != nil {
		return nil, err
	}
	return guest.Build(ctx, dir, opt)
}
