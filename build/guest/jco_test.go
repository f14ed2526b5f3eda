package guest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// missing skips a test for want of a tool; with REQUIRE_ALL it fails.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") != "" {
		t.Fatal(what + " is missing")
	}
	t.Skip(what + " is missing")
}

const (
	runners = "../../conformance/oracle/runners/jco"
	runner  = "../js/testdata/jco.mjs"
)

// all is the component of testdata/all.
func all(t *testing.T, opt Options) *Built {
	t.Helper()
	program, err := os.ReadFile("testdata/all/main.go")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Build(t.Context(), project(t, string(program)), opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// jco, which shares no code with us, transpiles the component, and Node runs it, with one instance for all calls.
func TestAnIndependentHostRunsIt(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Node")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	if _, err := os.Stat(filepath.Join(runners, "node_modules", "@bytecodealliance", "jco")); err != nil {
		missing(t, "jco (npm ci in conformance/oracle/runners/jco)")
	}
	dir := t.TempDir()
	if err := all(t, options(t)).Write(dir); err != nil {
		t.Fatal(err)
	}
	exchange := [][2]string{
		{`["describe"]`, `{"name":"acme.all","version":"1.2.3","ops":17,"id":"acme.all","mode":"setup","keys":19}`},
		{`["greet",{"name":"Ada"}]`, `{"text":"HELLO, ADA!"}`},
		{`["greet",{"name":"ü","config":{"greeting":"Grüezi"}}]`, `{"text":"GRÜEZI, Ü!"}`},
		{`["count",{}]`, `{"n":1}`},
		{`["count",{}]`, `{"n":2}`},
		{`["log"]`, `["counted","counted"]`},
		{`["send",{"url":"https://example.org/x"}]`, `{"got":{"saw":"POST https://example.org/x {\"token\":\"t0p\"}"},"locale":"de","tenant":"acme","deadline":0,"cancelled":false}`},
		{`["secret","OTHER"]`, `{"code":"secret_denied","message":"the secret OTHER was not granted; is it in Info.Secrets?","retryable":false,"backoff":0}`},
		{`["greet",{}]`, `{"code":"invalid_input","message":"$.name: it is required","retryable":false,"backoff":0}`},
		{`["busy",{}]`, `{"code":"busy","message":"later","retryable":true,"backoff":1500}`},
		{`["divide",0]`, `{"code":"panic","message":"runtime error: integer divide by zero in main.init.func6 (main.go:33)","retryable":false,"backoff":0}`},
		{`["echo",{"list":[1,-2,1.5,"ä",true,null]}]`, `{"list":[1,-2,1.5,"ä",true,null]}`},
	}
	var calls strings.Builder
	for _, x := range exchange {
		calls.WriteString(x[0] + "\n")
	}
	place := func(p string) string {
		full, err := filepath.Abs(p)
		if err != nil {
			t.Fatal(err)
		}
		return full
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, node, place(runner), place(runners), place("../../sdk/js"), filepath.Join(dir, CodeFile))
	var problems bytes.Buffer
	c.Stdin, c.Stderr = strings.NewReader(calls.String()), &problems
	out, err := c.Output()
	if err != nil {
		text := problems.String() // the source of the transpiled module comes first
		t.Fatalf("%v\n%s", err, text[max(0, len(text)-1000):])
	}
	answers := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(answers) != len(exchange) {
		t.Fatalf("%d answers to %d calls: %s", len(answers), len(exchange), answers)
	}
	for i, x := range exchange {
		if answers[i] != x[1] {
			t.Errorf("%s gave\n%s, want\n%s", x[0], answers[i], x[1])
		}
	}
}
