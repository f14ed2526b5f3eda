package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"greentic": func() { os.Exit(realMain()) },
	})
}

// The scripts in testdata/script are sessions of a person at a terminal: a developer, an
// operator, an attacker. Each has folders of its own; compiled code is shared.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("scripts run whole processes, which the race detector makes too slow")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs("../../examples/helpdesk/pack")
	if err != nil {
		t.Fatal(err)
	}
	moody, err := filepath.Abs("../../runtime/host/testdata/moody.wasm")
	if err != nil {
		t.Fatal(err)
	}
	command, err := filepath.Abs("../../wasm/wasi/testdata/command.wasm")
	if err != nil {
		t.Fatal(err)
	}
	components, err := filepath.Abs("testdata/components")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GREENTIC_KEYS", filepath.Join(env.WorkDir, "keys"))
			env.Setenv("GREENTIC_CACHE", filepath.Join(base, "greentic", "code"))
			env.Setenv("HELPDESK", source)
			env.Setenv("MOODY", moody)
			env.Setenv("COMPONENTS", components)
			env.Setenv("COMMAND", command)
			env.Setenv("GREENTIC", program)
			env.Setenv("SHARED_GOCACHE", strings.TrimSpace(string(goCache)))
			return nil
		},
	})
}
