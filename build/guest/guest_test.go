package guest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hello = `package main

import "greentic.dev/sdk/go/greentic"

type in struct {
	Name string ` + "`json:\"name\" min:\"1\"`" + `
}

var _ = greentic.Component(greentic.Info{ID: "acme.hello", Version: "0.1.0", MemoryMB: 16, Secrets: []greentic.Secret{{Key: "TOKEN", Doc: "of the service"}}},
	greentic.Op("greet", func(ctx *greentic.Context, in in) (string, error) {
		_, err := ctx.Secret("TOKEN")
		ctx.Log("greeting", "name", in.Name)
		return in.Name, err
	}))

func main() {}
`

// project is a folder with a program and the SDK of this repository in its vendor folder.
func project(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "vendor", "greentic.dev", "sdk", "go"), os.DirFS("../../sdk/go")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"main.go": program, "go.mod": "module example.com/hello\n\ngo 1.26.0\n\nrequire greentic.dev/sdk/go v0.1.0\n",
		"vendor/modules.txt": "# greentic.dev/sdk/go v0.1.0\n## explicit; go 1.26.0\ngreentic.dev/sdk/go/greentic\ngreentic.dev/sdk/go/internal/abi\ngreentic.dev/sdk/go/internal/value\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func options(t *testing.T) Options {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.New(t.Context(), wasm.Options{CacheDir: filepath.Join(base, "greentic", "code")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close(context.Background()) })
	return Options{Engine: engine, Getenv: os.Getenv, Look: exec.LookPath}
}

func TestAManifestSaysWhatTheComponentSaysAndUses(t *testing.T) {
	b, err := Build(t.Context(), project(t, hello), options(t))
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest
	if err := m.CheckWasm(b.Code); err != nil {
		t.Error(err)
	}
	op, err := m.Operation("greet")
	if err != nil {
		t.Fatal(err)
	}
	in, _ := op.InputSchema.(map[string]any)
	if required, _ := in["required"].([]any); len(required) != 1 || required[0] != "name" {
		t.Errorf("input %v", in)
	}
	if len(m.Secrets) != 1 || m.Secrets[0].Key != "TOKEN" || !m.Secrets[0].Required || m.Secrets[0].Description != "of the service" {
		t.Errorf("secrets %+v", m.Secrets)
	}
	if h := m.Capabilities.Host; h.Telemetry == nil || h.State != nil || h.HTTP != nil {
		t.Errorf("capabilities %+v", h)
	}
	if m.Limits == nil || m.Limits.MemoryMB != 16 || m.Limits.WallTimeMS == 0 {
		t.Errorf("limits %+v", m.Limits)
	}
	dir := t.TempDir()
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	if code, err := os.ReadFile(filepath.Join(dir, CodeFile)); err != nil || !bytes.Equal(code, b.Code) {
		t.Error("the code was not written", err)
	}
}

// The promise is about two machines: another folder, and a compiler that has nothing cached.
func TestTheSameSourceGivesTheSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library from nothing, which takes most of a minute")
	}
	opt := options(t)
	first, err := Build(t.Context(), project(t, hello), opt)
	if err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	opt.Getenv = func(key string) string {
		switch key {
		case "GOCACHE":
			return empty
		case "GOFLAGS":
			return "-race -tags=other"
		}
		return os.Getenv(key)
	}
	again, err := Build(t.Context(), project(t, hello), opt)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Code, again.Code) || !bytes.Equal(first.JSON, again.JSON) {
		t.Error("the second build differs")
	}
}

func TestWhatDoesNotCompileIsShownWithItsLine(t *testing.T) {
	dir := project(t, strings.Replace(hello, "return in.Name, err", "return in.Nam, err\n\t\tvar unused int", 1))
	_, err := Build(t.Context(), dir, options(t))
	pos, _, _ := fault.Detail(err)
	if !fault.Is(err, fault.Invalid) || pos.File != filepath.Join(dir, "main.go") || pos.Line != 13 || pos.Col != 13 || !strings.Contains(pos.Excerpt, "in.Nam,") {
		t.Errorf("%v at %+v", err, pos)
	}
	if !strings.Contains(err.Error(), "in.Nam undefined") || !strings.Contains(err.Error(), "unused") {
		t.Error(err)
	}
}

func TestAComponentPutTogetherWronglyIsNotBuilt(t *testing.T) {
	opt := options(t)
	for says, program := range map[string]string{
		"Info.ID":                 strings.Replace(hello, "acme.hello", "Acme", 1),
		"does not use the Go SDK": "package main\n\nimport _ \"greentic.dev/sdk/go/greentic\"\n\nfunc main() {}\n",
		"exports no interface":    "package main\n\nfunc main() {}\n",
	} {
		dir := project(t, program)
		if _, err := Build(t.Context(), dir, opt); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestAMissingOrOldCompilerIsNamed(t *testing.T) {
	opt := options(t)
	opt.Look = func(string) (string, error) { return "", exec.ErrNotFound }
	_, err := Build(t.Context(), project(t, hello), opt)
	if _, fix, _ := fault.Detail(err); !fault.Is(err, fault.NotFound) || fix != installGo {
		t.Errorf("%v, fix %q", err, fix)
	}
	if runtime.GOOS == "windows" {
		t.Skip("the old compiler is a shell script")
	}
	old := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(old, []byte("#!/bin/sh\necho go1.21.3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	opt.Look = func(string) (string, error) { return old, nil }
	_, err = Build(t.Context(), project(t, hello), opt)
	if _, fix, _ := fault.Detail(err); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "go1.21.3 is too old: a component needs Go 1.26") || fix != installGo {
		t.Errorf("%v, fix %q", err, fix)
	}
}

func TestAFolderOfGoFilesIsAProjectOfTheModuleAroundIt(t *testing.T) {
	if lang, err := LanguageOf("../../components/http"); err != nil || lang != Go {
		t.Errorf("%s %v", lang, err)
	}
	if lang, err := LanguageOf(t.TempDir()); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty folder is %q, %v", lang, err)
	}
}
