package authoring

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/build/guest"
	"greentic.dev/devkit/scaffold"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
	"greentic.dev/system"
	"greentic.dev/wasm"
)

// Terminal is what the commands use of the program they belong to.
type Terminal struct {
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	JSON           func() bool       // whether --json was given
	Print          func(v any) error // one JSON object on standard output
	Args           func(min, max int) cobra.PositionalArgs
	Config         func() (*system.Config, error)

	// Answers joins the answers of a file with those of the command line.
	Answers func(w scaffold.Wizard, file string, given []string) (map[string]string, error)
}

// Commands are the commands of authors, to stand below component.
func Commands(t Terminal) []*cobra.Command {
	return []*cobra.Command{newCommand(t), buildCommand(t), testCommand(t), doctorCommand(t)}
}

// workshop is an engine for as long as a command runs.
type workshop struct {
	t      Terminal
	config *system.Config
	engine *wasm.Engine
}

func (t Terminal) open(ctx context.Context) (*workshop, error) {
	config, err := t.Config()
	if err != nil {
		return nil, err
	}
	engine, err := wasm.New(ctx, wasm.Options{CacheDir: config.CodeCache(false)})
	if err != nil {
		return nil, err
	}
	return &workshop{t: t, config: config, engine: engine}, nil
}

func (w *workshop) close() error { return w.engine.Close(context.Background()) }

// build builds a project; what is being done goes to standard error, for a first build takes a while.
func (w *workshop) build(ctx context.Context, dir, engine string, quiet bool) (*guest.Built, error) {
	note := func(text string) { _, _ = io.WriteString(w.t.Stderr, text+"\n") }
	if quiet || w.t.JSON() {
		note = nil
	}
	return guest.Build(ctx, dir, guest.Options{Engine: w.engine, Getenv: w.t.Getenv, Look: exec.LookPath, Note: note, Backend: engine})
}

// target is the component that a command's argument means.
type target struct {
	folder   string // of the project, or of the file
	file     string // the code
	project  bool   // the folder has source
	code     []byte // nil: not built yet
	manifest *component.Manifest
	source   []byte // of the manifest
}

// find looks at DIR or FILE, by default the folder one is in. For a project without code, code is nil.
func find(args []string) (*target, error) {
	path := "."
	if len(args) > 0 {
		path = args[0]
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Newf(fault.NotFound, "component "+path, "no such file or folder")
	}
	x := &target{folder: path, file: filepath.Join(path, guest.CodeFile)}
	if info.IsDir() {
		_, err := guest.LanguageOf(path)
		x.project = err == nil
	} else {
		x.folder, x.file = filepath.Dir(path), path
	}
	return x, x.read(info.IsDir())
}

// read reads the code and the manifest beside it, as far as they are there. Only a folder may be without code.
func (x *target) read(optional bool) error {
	var err error
	x.code, err = os.ReadFile(x.file)
	if errors.Is(err, fs.ErrNotExist) && optional {
		if !x.project {
			return fault.Newf(fault.NotFound, "component "+x.folder, "it has neither %s nor a project to build it from", guest.CodeFile).
				WithFix("give the .wasm file of a component, or begin one: greentic component new NAME --lang go")
		}
		return nil
	}
	if err != nil {
		return fault.As(fault.Unavailable, "component "+x.file, err)
	}
	name := filepath.Join(x.folder, guest.ManifestFile)
	x.source, err = os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.As(fault.Unavailable, "component "+name, err)
	}
	if x.manifest, err = component.Parse(name, x.source); err != nil {
		return err
	}
	if x.manifest.Artifacts.ComponentWasm != filepath.ToSlash(filepath.Base(x.file)) && !strings.HasSuffix(filepath.ToSlash(x.file), "/"+x.manifest.Artifacts.ComponentWasm) {
		x.manifest = nil // of another component
	}
	return nil
}
