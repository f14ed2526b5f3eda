package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/cmd/greentic/authoring"
	"greentic.dev/greentic/fault"
	"greentic.dev/system"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
	"greentic.dev/wasm/wit"
)

func componentCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "component",
		Short: "Write, build and test components, look into them and call them",
		Args:  onlyCommands,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(componentInspectCommand(env), componentWITCommand(env), componentInvokeCommand(env))
	c.AddCommand(authoring.Commands(author(env))...)
	return c
}

// workbench is one component file, compiled, with the engine it needs.
type workbench struct {
	config *system.Config
	engine *wasm.Engine
	name   string // the file without folder and extension
	bytes  []byte
	code   *wasm.Component
}

func openComponent(ctx context.Context, env *environment, file string) (*workbench, error) {
	config, err := system.Load(env.ConfigFile, env.Getenv, nil)
	if err != nil {
		return nil, err
	}
	b, err := readComponent(file)
	if err != nil {
		return nil, err
	}
	w := &workbench{config: config, bytes: b, name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))}
	w.engine, err = wasm.New(ctx, wasm.Options{CacheDir: config.CodeCache(false)})
	if err != nil {
		return nil, err
	}
	if w.code, err = w.engine.Compile(ctx, b); err != nil {
		_ = w.close()
		return nil, fault.Wrap("component "+file, err)
	}
	return w, nil
}

func readComponent(file string) ([]byte, error) {
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return nil, fault.New(fault.Invalid, "component "+file, "it is a folder").WithFix("give the .wasm file of a component")
	}
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "component "+file, "no such file")
	case err != nil:
		return nil, fault.As(fault.Unavailable, "component "+file, err)
	}
	return b, nil
}

func (w *workbench) close() error { return w.engine.Close(context.Background()) }

func componentWITCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "wit FILE",
		Short:   "Print the WIT of a component",
		Example: "  greentic component wit provider.wasm",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			code, err := readComponent(args[0])
			if err != nil {
				return err
			}
			text, err := witOf(code)
			if err != nil {
				return fault.Wrap("component "+args[0], err)
			}
			if env.JSON {
				return printJSON(env, map[string]string{"wit": text})
			}
			_, err = fmt.Fprint(env.Stdout, text)
			return fault.Wrap("print", err)
		},
	}
}

func witOf(code []byte) (string, error) {
	o, err := outline.Read(code, binary.Limits{})
	if err != nil {
		return "", err
	}
	set, err := o.WIT()
	if err != nil {
		return "", err
	}
	return wit.Format(set), nil
}
