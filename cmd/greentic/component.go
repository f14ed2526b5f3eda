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

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/system"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
	"greentic.dev/wasm/wit"
)

func componentCommand(env *environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "component",
		Short: "Look into WebAssembly components and call them",
		Args:  onlyCommands,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(componentInspectCommand(env), componentWITCommand(env), componentInvokeCommand(env))
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

// inspection is what `component inspect --json` prints.
type inspection struct {
	File         string            `json:"file"`
	Digest       string            `json:"digest"`
	Size         int               `json:"size"`
	ABI          host.ABI          `json:"abi,omitempty"` // empty: nothing this host can call
	Imports      []host.Import     `json:"imports"`
	Exports      []host.Import     `json:"exports"`
	Capabilities []string          `json:"capabilities"`
	Operations   []host.Operation  `json:"operations,omitempty"`
	Description  *host.Description `json:"description,omitempty"`
	Notes        []string          `json:"notes,omitempty"` // why it cannot be called or described
}

func componentInspectCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Show what a component imports, exports, needs and says about itself",
		Example: "  greentic component inspect provider.wasm --json",
		Args:    exactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			w, err := openComponent(c.Context(), env, args[0])
			if err != nil {
				return err
			}
			defer w.close()
			report := w.inspect(c.Context())
			report.File = args[0]
			if env.JSON {
				return printJSON(env, report)
			}
			printInspection(env, report)
			return nil
		},
	}
}

func (w *workbench) inspect(ctx context.Context) inspection {
	r := inspection{Digest: w.code.Digest(), Size: w.code.Size(), Imports: host.ImportsOf(w.code), Exports: []host.Import{}}
	if r.Imports == nil {
		r.Imports = []host.Import{}
	}
	r.Capabilities = host.Capabilities(r.Imports)
	for _, item := range w.code.Exports() {
		e := host.Import{Name: item.Name, Functions: item.Order}
		if item.Func != nil {
			e.Functions = []string{item.Name}
		}
		r.Exports = append(r.Exports, e)
	}
	h := host.New(host.Deps{Engine: w.engine}, w.options())
	component, err := h.Load(ctx, w.name, w.bytes)
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
		return r
	}
	r.ABI = component.ABI()
	description, err := component.Describe(ctx)
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
		return r
	}
	r.Operations, r.Description = description.Operations, &description
	return r
}

func (w *workbench) options() host.Options {
	return host.Options{Limits: wasm.Limits{Memory: uint64(w.config.MemoryBytes), Wall: w.config.StepTime}}
}

func printInspection(env *environment, r inspection) {
	out := env.Stdout
	fmt.Fprintf(out, "%s: %d bytes, %s\n", r.File, r.Size, r.Digest)
	if r.Description != nil && r.Description.Name != "" {
		fmt.Fprintf(out, "%s %s %s\n", r.Description.Name, r.Description.Version, r.Description.Summary)
	}
	if r.ABI != "" {
		fmt.Fprintf(out, "called through %s\n", r.ABI)
	}
	needs := "nothing"
	if len(r.Capabilities) > 0 {
		needs = strings.Join(r.Capabilities, ", ")
	}
	fmt.Fprintf(out, "needs %s\n", needs)
	printItems(env, "imports", r.Imports)
	printItems(env, "exports", r.Exports)
	if len(r.Operations) > 0 {
		fmt.Fprintln(out, "operations")
	}
	for _, o := range r.Operations {
		fmt.Fprintf(out, "  %-24s %s\n", o.Name, o.Summary)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
}

func printItems(env *environment, title string, items []host.Import) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintln(env.Stdout, title)
	for _, i := range items {
		functions := "types only"
		if len(i.Functions) > 0 {
			functions = strings.Join(i.Functions, ", ")
		}
		fmt.Fprintf(env.Stdout, "  %s\n      %s\n", i.Name, functions)
	}
}

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
