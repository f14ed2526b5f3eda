package guest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"greentic.dev/build/componentise"
	"greentic.dev/greentic/fault"
)

// oldest is the oldest minor version of Go 1 that the SDK compiles with.
const oldest = 26

const installGo = "install Go from https://go.dev/dl and put it on PATH"

// buildGo compiles and componentises a Go project.
func buildGo(ctx context.Context, dir string, opt Options) ([]byte, error) {
	tool, err := opt.Look("go")
	if err != nil {
		return nil, fault.New(fault.NotFound, "", "the go command is not installed").WithFix(installGo)
	}
	env := goEnv(dir, opt.Getenv)
	if err := checkGo(ctx, tool, dir, env); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "greentic-build-")
	if err != nil {
		return nil, fault.As(fault.Unavailable, "", err)
	}
	defer os.RemoveAll(tmp)
	opt.Note("compiling Go")
	core := filepath.Join(tmp, "core.wasm")
	text, err := run(ctx, tool, dir, env, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", core, ".")
	if ctx.Err() != nil {
		return nil, fault.Wrap("go build", ctx.Err())
	}
	if err != nil {
		return nil, explainGo(dir, text, err)
	}
	code, err := os.ReadFile(core)
	if err != nil {
		return nil, fault.As(fault.Unavailable, "", err)
	}
	opt.Note("making it a component")
	c, err := componentise.Open(ctx, opt.Engine)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Component(ctx, code)
}

// goEnv is the environment of the compiler: the places of this machine, nothing that would show in the
// bytes. A project that brings its modules in vendor/ needs no network.
func goEnv(dir string, getenv func(string) string) []string {
	env := []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOWASM=", "GOEXPERIMENT=", "GOWORK=off", "GOFLAGS=", "GODEBUG=", "GOTOOLCHAIN=local"}
	keys := []string{"PATH", "HOME", "TMPDIR", "GOROOT", "GOCACHE", "GOPATH", "GOMODCACHE", "GOENV", "XDG_CACHE_HOME",
		"USERPROFILE", "LOCALAPPDATA", "APPDATA", "SYSTEMROOT", "TEMP", "TMP", "PATHEXT"}
	if _, err := os.Stat(filepath.Join(dir, "vendor", "modules.txt")); err == nil {
		env = append(env, "GOPROXY=off")
	} else {
		keys = append(keys, "GOPROXY", "GONOPROXY", "GOPRIVATE", "GONOSUMDB", "GOSUMDB", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
	}
	for _, key := range keys {
		if v := getenv(key); v != "" {
			env = append(env, key+"="+v)
		}
	}
	return env
}

// checkGo refuses a compiler that is too old before it says so in its own words.
func checkGo(ctx context.Context, tool, dir string, env []string) error {
	text, err := run(ctx, tool, dir, env, "env", "GOVERSION")
	if ctx.Err() != nil {
		return fault.Wrap("go", ctx.Err())
	}
	if err != nil {
		return fault.Newf(fault.Unavailable, "", "%s does not run: %s", tool, brief(text, err)).WithFix(installGo)
	}
	if m := goVersion.FindStringSubmatch(text); m != nil && atoi(m[1]) < oldest {
		return fault.Newf(fault.Unsupported, "", "%s is too old: a component needs Go 1.%d or newer", m[0], oldest).WithFix(installGo)
	}
	return nil
}

var goVersion = regexp.MustCompile(`go1\.(\d+)[.\w]*`)

// run runs the go command in dir and gives what it printed.
func run(ctx context.Context, tool, dir string, env []string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, tool, args...)
	var out bytes.Buffer
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, env, &out, &out
	err := c.Run()
	return out.String(), err
}

var compileError = regexp.MustCompile(`(?m)^(?:\./|vet: |\.\\)?([^\s:]+\.go):(\d+)(?::(\d+))?: (.+)$`)

// explainGo turns the compiler's output into an error at the first position it names.
func explainGo(dir, text string, err error) error {
	if strings.Contains(text, "GOTOOLCHAIN=local") {
		return fault.New(fault.Unsupported, "", brief(text, err)).WithFix(installGo)
	}
	if strings.Contains(text, "inconsistent vendoring") || strings.Contains(text, "cannot find module providing") || strings.Contains(text, "no required module provides") {
		return fault.New(fault.Invalid, "", brief(text, err)).WithFix("run go mod tidy, and go mod vendor if there is a vendor folder")
	}
	all := compileError.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return fault.New(fault.Invalid, "", brief(text, err))
	}
	var b strings.Builder
	for i, m := range all {
		if i == 10 {
			fmt.Fprintf(&b, "; and %d more", len(all)-i)
			break
		}
		if i > 0 {
			fmt.Fprintf(&b, "; %s:%s: ", m[1], m[2])
		}
		b.WriteString(m[4])
	}
	p := fault.Position{File: filepath.Join(dir, filepath.FromSlash(all[0][1])), Line: atoi(all[0][2]), Col: atoi(all[0][3])}
	p.Excerpt = lineOf(p.File, p.Line)
	return fault.New(fault.Invalid, "", b.String()).At(p)
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// lineOf is a line of a file; empty when it cannot be read. A tab counts as one column, as compilers count.
func lineOf(file string, n int) string {
	src, err := os.ReadFile(file)
	if err != nil || n < 1 {
		return ""
	}
	lines := strings.Split(string(src), "\n")
	if n > len(lines) {
		return ""
	}
	return strings.ReplaceAll(strings.TrimRight(lines[n-1], "\r"), "\t", " ")
}

// brief is output in one line of bounded length, or err when there is none.
func brief(text string, err error) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" && err != nil {
		text = err.Error()
	}
	if len(text) > 600 {
		text = text[:600] + " …"
	}
	return text
}
