package wasm_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// command binds the command of wasi/testdata.
func command(t *testing.T) *wasm.Bound {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("wasi", "testdata", "command.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := engine(t).Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return bind(t, c, nil)
}

func TestACommandRunsAndItsExitCodeIsKnown(t *testing.T) {
	b := command(t)
	for input, want := range map[string]uint8{"o": 0, "e": 1, "x": 42, "f": 1, "": 0} {
		var out bytes.Buffer
		got, _, err := b.Run(t.Context(), wasm.Invocation{WASI: wasi.Config{Stdin: strings.NewReader(input), Stdout: &out}})
		if got != want || err != nil || out.String() != "hi" {
			t.Errorf("%q exits with %d, %v, and says %q", input, got, err, out.String())
		}
	}
}

func TestACommandThatWaitsEndsWithItsContext(t *testing.T) {
	b, best := command(t), time.Hour
	for range 5 { // a busy machine is no failure
		ctx, cancel := context.WithCancel(t.Context())
		var canceled time.Time
		time.AfterFunc(10*time.Millisecond, func() { canceled = time.Now(); cancel() })
		_, _, err := b.Run(ctx, wasm.Invocation{WASI: wasi.Config{Stdin: strings.NewReader("w")}})
		best = min(best, time.Since(canceled))
		if !fault.Is(err, fault.Canceled) {
			t.Fatal(err)
		}
	}
	if best > 50*time.Millisecond {
		t.Errorf("ended %v after its context at best", best)
	}
}

func TestWhatIsNoCommandIsNotRun(t *testing.T) {
	if _, _, err := bind(t, load(t, engine(t), "adder"), nil).Run(t.Context(), wasm.Invocation{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestEveryVersionOfWASILinks(t *testing.T) {
	code, err := os.ReadFile(filepath.Join("wasihttp", "testdata", "everything.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t)
	for _, v := range "0123456789" {
		c, err := e.Compile(t.Context(), bytes.ReplaceAll(code, []byte("@0.2.9"), []byte("@0.2."+string(v))))
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range c.Imports() {
			if !strings.HasSuffix(i.Name, "@0.2."+string(v)) {
				t.Fatalf("imports %s", i.Name)
			}
		}
		if b, err := c.Bind(nil); err != nil {
			t.Errorf("0.2.%c: %v", v, err)
		} else {
			b.Close()
		}
	}
}
