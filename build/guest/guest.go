package guest

import (
	"context"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2/maybe"

	"greentic.dev/build/js"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
	"greentic.dev/wasm"
)

// The files a build writes into the folder of the project.
const (
	CodeFile     = "component.wasm"
	ManifestFile = "component.manifest.json"
)

// Language is what a project is written in.
type Language string

// The languages there are.
const (
	Go         Language = "go"
	JavaScript Language = "js"
)

// Options are what a build needs of its surroundings.
type Options struct {
	Engine *wasm.Engine                 // runs the componentiser and asks the component about itself
	Getenv func(string) string          // of the process: PATH, HOME, GOCACHE and the like
	Look   func(string) (string, error) // finds a program; exec.LookPath
	Note   func(string)                 // told what is being done; nil: nobody is

	// Backend is what runs JavaScript inside the component: quickjs or spidermonkey. Empty: what
	// package.json says under greentic.engine, or quickjs.
	Backend string
}

// Built is a component, not written yet.
type Built struct {
	Code     []byte
	Manifest *component.Manifest
	JSON     []byte // the manifest as it is written
}

// LanguageOf says what the project in a folder is written in: JavaScript with a package.json, Go with source
// files in a module, whose go.mod may lie further up. The error is fault.NotFound with a fix.
func LanguageOf(dir string) (Language, error) {
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
		return JavaScript, nil
	}
	source, err := filepath.Glob(filepath.Join(dir, "*.go"))
	full, abs := filepath.Abs(dir)
	for up := full; err == nil && abs == nil && len(source) > 0; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, "go.mod")); err == nil {
			return Go, nil
		}
		if up == filepath.Dir(up) {
			break
		}
	}
	return "", fault.New(fault.NotFound, "component "+dir, "it is no component project: there is no Go source in a module and no package.json").
		WithFix("begin one: greentic component new NAME --lang go, or --lang js")
}

// Build makes the component of the project in dir. Errors: fault.NotFound (no project, or its toolchain is
// not installed), fault.Invalid (the source does not compile, with the position; the component is put
// together wrongly), fault.Unsupported (the toolchain is too old, or it imports what is not offered), and
// those of the engine.
func Build(ctx context.Context, dir string, opt Options) (*Built, error) {
	if opt.Note == nil {
		opt.Note = func(string) {}
	}
	op := "component build " + dir
	lang, err := LanguageOf(dir)
	if err != nil {
		return nil, err
	}
	var code []byte
	switch lang {
	case Go:
		code, err = buildGo(ctx, dir, opt)
	case JavaScript:
		code, err = js.Build(ctx, dir, js.Options{Backend: js.Backend(opt.Backend), Engine: opt.Engine, Getenv: opt.Getenv, Look: opt.Look, Note: opt.Note})
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	opt.Note("asking it what it is")
	b, err := describe(ctx, code, opt.Engine)
	return b, fault.Wrap(op, err)
}

// Write puts code and manifest into dir, the manifest last: what it says of the code is always true or
// missing. The error is fault.Unavailable.
func (b *Built) Write(dir string) error {
	for _, f := range []struct {
		name string
		data []byte
	}{{CodeFile, b.Code}, {ManifestFile, b.JSON}} {
		if err := maybe.WriteFile(filepath.Join(dir, f.name), f.data, 0o644); err != nil {
			return fault.As(fault.Unavailable, "component build", err)
		}
	}
	return nil
}
