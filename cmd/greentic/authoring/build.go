package authoring

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"greentic.dev/build/guest"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
)

// built is what `component build --json` prints.
type built struct {
	File         string                 `json:"file"`
	Manifest     string                 `json:"manifest"`
	ID           string                 `json:"id"`
	Version      string                 `json:"version"`
	Size         int                    `json:"size"` // bytes
	Digest       string                 `json:"digest"`
	Hash         string                 `json:"hash"` // as in the manifest
	Operations   []string               `json:"operations"`
	Capabilities component.Capabilities `json:"capabilities"`
	TookMS       int64                  `json:"took_ms"`
}

func buildCommand(t Terminal) *cobra.Command {
	var out, engine string
	c := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build a component from its source",
		Long: `Build the component of a folder (default: this one) and write component.wasm and component.manifest.json
beside the source, or into --out. The manifest is what the component says of itself.

A Go project needs the go command and nothing else: no network, no other tool. The same source gives the
same bytes, wherever and however often it is built with one version of the toolchain. The first build
compiles the componentiser, which takes some seconds.

A JavaScript project needs nothing at all: the QuickJS engine is in this program. With --engine spidermonkey,
or "greentic": {"engine": "spidermonkey"} in package.json, it needs Node and the npm package
@bytecodealliance/componentize-js in the project.`,
		Example: `  greentic component build
  greentic component build hello --out packs/greeter/components/hello --json`,
		Args: t.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			if out == "" {
				out = dir
			}
			began := time.Now()
			w, err := t.open(c.Context())
			if err != nil {
				return err
			}
			defer func() {
				if cerr := w.close(); err == nil {
					err = cerr
				}
			}()
			b, err := w.build(c.Context(), dir, engine, false)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return fault.As(fault.Unavailable, "component build", err)
			}
			if err := b.Write(out); err != nil {
				return err
			}
			return t.printBuilt(b, out, time.Since(began))
		},
	}
	c.Flags().StringVar(&out, "out", "", "folder to write into (default: DIR)")
	c.Flags().StringVar(&engine, "engine", "", "what runs JavaScript in the component: quickjs or spidermonkey")
	return c
}

func (t Terminal) printBuilt(b *guest.Built, out string, took time.Duration) error {
	m := b.Manifest
	r := built{File: filepath.Join(out, guest.CodeFile), Manifest: filepath.Join(out, guest.ManifestFile), ID: m.ID, Version: m.Version, Size: len(b.Code),
		Digest: string(greentic.DigestOf(b.Code)), Hash: m.Hashes.ComponentWasm, Capabilities: m.Capabilities, TookMS: took.Milliseconds()}
	for _, op := range m.Operations {
		r.Operations = append(r.Operations, op.Name)
	}
	if t.JSON() {
		return t.Print(r)
	}
	fmt.Fprintf(t.Stdout, "%s %s: %s, %.2f MB, in %s\n", m.ID, m.Version, r.File, float64(r.Size)/1e6, took.Round(10*time.Millisecond))
	return nil
}
