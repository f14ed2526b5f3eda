package main

import (
	"context"
	"fmt"
	"os"

	"greentic.dev/build/componentise"
	"greentic.dev/wasm"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: gocomponent CORE WIT COMPONENT")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "gocomponent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, core, wit, out string) error {
	module, err := os.ReadFile(core)
	if err != nil {
		return err
	}
	world, err := os.ReadFile(wit)
	if err != nil {
		return err
	}
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		return err
	}
	defer engine.Close(ctx)
	tool, err := componentise.Open(ctx, engine)
	if err != nil {
		return err
	}
	defer tool.Close()
	code, err := tool.Component(ctx, module, string(world))
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
