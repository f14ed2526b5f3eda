package componentise

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const hello = `package main

import "greentic.dev/sdk/go/greentic"

var _ = greentic.Component(greentic.Info{ID: "acme.hello", Version: "0.1.0"},
	greentic.Op("greet", func(ctx *greentic.Context, name string) (string, error) {
		return "Hello, " + name, ctx.State().Set("last", name)
	}))

func main() {}
`

// compiled is the core module of a program in a module that uses the SDK of this repository.
func compiled(t *testing.T, program string) []byte {
	t.Helper()
	sdk, err := filepath.Abs("../../sdk/go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": program,
		"go.mod":  "module hello\n\ngo 1.26.0\n\nrequire greentic.dev/sdk/go v0.0.0\n\nreplace greentic.dev/sdk/go => " + sdk + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "core.wasm", ".")
	c.Dir, c.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOPROXY=off")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	code, err := os.ReadFile(filepath.Join(dir, "core.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func open(t *testing.T) (*Tool, *wasm.Engine) {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.New(t.Context(), wasm.Options{CacheDir: filepath.Join(base, "greentic", "code")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close(t.Context()) })
	tool, err := Open(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tool.Close)
	return tool, engine
}

func TestAComponentImportsAndExportsWhatTheModuleDoes(t *testing.T) {
	tool, engine := open(t)
	core := compiled(t, hello)
	code, err := tool.Component(t.Context(), core)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := tool.Component(t.Context(), core); err != nil || !bytes.Equal(again, code) {
		t.Errorf("a second time the bytes differ, %v", err)
	}
	if limit := 3_000_000; len(code) > limit {
		t.Errorf("%d bytes, more than %d", len(code), limit)
	}
	c, err := engine.Compile(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, i := range c.Imports() {
		switch {
		case strings.HasPrefix(i.Name, "greentic:"):
			ours = append(ours, i.Name)
		case strings.Contains(i.Name, "sockets"), strings.Contains(i.Name, "http"):
			t.Errorf("it imports %s", i.Name)
		}
	}
	if got := strings.Join(ours, " "); !strings.Contains(got, interfaces.State) || strings.Contains(got, "http") || strings.Contains(got, "secrets") {
		t.Errorf("it imports %s", got)
	}
	for _, want := range [][2]string{{interfaces.Node, "invoke"}, {interfaces.ComponentDescriptor, "describe"}, {interfaces.ComponentQA, "qa-spec"}, {interfaces.ComponentI18n, "i18n-keys"}} {
		if _, ok := c.Func(want[0], want[1]); !ok {
			t.Errorf("it does not export %s#%s", want[0], want[1])
		}
	}
}

func TestTheAdapterGetsTheReserveAndNothingElseMoves(t *testing.T) {
	code := compiled(t, hello)
	before, err := split(code)
	if err != nil {
		t.Fatal(err)
	}
	out, err := withReserve(before)
	if err != nil {
		t.Fatal(err)
	}
	after, err := split(out)
	if err != nil || len(before) != len(after) {
		t.Fatalf("%d sections became %d, %v", len(before), len(after), err)
	}
	for i, s := range after {
		switch old := before[i]; s.id {
		case secType, secFunction, secGlobal, secExport, secCode:
			more := map[byte]int{secType: 2, secFunction: 3, secGlobal: 1, secExport: 1, secCode: 3}[s.id]
			if count(s.body) != count(old.body)+more {
				t.Errorf("section %d has %d items, had %d", s.id, count(s.body), count(old.body))
			}
		default:
			if !bytes.Equal(s.body, old.body) {
				t.Errorf("section %d changed", s.id)
			}
		}
	}
	if _, err := withReserve(after); err == nil {
		t.Error("a module was adapted twice")
	}
}

func TestOtherModulesAreRefused(t *testing.T) {
	tool, _ := open(t)
	code := compiled(t, hello)
	for name, c := range map[string]struct {
		code []byte
		says string
	}{
		"nothing":         {nil, "no module"},
		"text":            {[]byte("package main"), "no module"},
		"cut":             {code[:len(code)/2], "no module"},
		"without the SDK": {bytes.ReplaceAll(code, []byte(handoverMark), bytes.Repeat([]byte{'x'}, len(handoverMark))), "does not use the Go SDK"},
		"empty":           {[]byte(magic), "exports no interface"},
		"foreign import":  {bytes.ReplaceAll(code, []byte("greentic:state/state-store@1.0.0"), []byte("greentic:stake/state-store@1.0.0")), "no interface of ours"},
		"foreign name":    {bytes.ReplaceAll(code, []byte("node@0.6.0#invoke"), []byte("node@0.6.0#inwoke")), "invoke"},
	} {
		if _, err := tool.Component(t.Context(), c.code); err == nil || !strings.Contains(err.Error(), c.says) || fault.Is(err, fault.Internal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The mark stands in two modules; a component without it cannot be built.
func TestTheReserveIsTheOneOfTheSDK(t *testing.T) {
	src, err := os.ReadFile("../../sdk/go/internal/abi/reserve.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{fmt.Sprintf("= %q", handoverMark), "ReserveSize   = 2<<16 + 64", "HandoverSize  = 1 << 16", fmt.Sprint("HandoverBegin = ", handoverBegin)} {
		if !strings.Contains(string(src), line) {
			t.Errorf("sdk/go does not say %s", line)
		}
	}
	if reserveSize != 2<<16+64 || handoverSize != 1<<16 {
		t.Error("the sizes are others here")
	}
}

func TestConstantsAreSignedAndShortest(t *testing.T) {
	for v, want := range map[uint32]string{0: "\x41\x00", 63: "\x41\x3f", 64: "\x41\xc0\x00", 1 << 20: "\x41\x80\x80\xc0\x00", 1<<32 - 1: "\x41\x7f"} {
		if got := constant(nil, v); string(got) != want {
			t.Errorf("%d: %x", v, got)
		}
		if back, rest, err := sleb(constant(nil, v)[1:]); err != nil || len(rest) != 0 || uint32(back) != v {
			t.Errorf("%d reads back as %d", v, back)
		}
	}
}
