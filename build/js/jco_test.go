package js

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

const runners = "../../conformance/oracle/runners/jco"

// underJco gives the answers of jco and Node to calls of a component.
func underJco(t *testing.T, code []byte, calls string) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Node")
	}
	tool, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node")
	}
	if _, err := os.Stat(filepath.Join(runners, "node_modules", "@bytecodealliance", "jco")); err != nil {
		missing(t, "jco (npm ci in conformance/oracle/runners/jco)")
	}
	file := filepath.Join(t.TempDir(), "component.wasm")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
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
	c := exec.CommandContext(ctx, tool, place("testdata/jco.mjs"), place(runners), place("../../sdk/js"), file)
	var problems bytes.Buffer
	c.Stdin, c.Stderr = strings.NewReader(calls), &problems
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// exchange are calls and what any host must be answered.
var exchange = [][2]string{
	{`["describe"]`, `{"name":"acme.all","version":"1.2.3","ops":16,"id":"acme.all","mode":"setup","keys":19}`},
	{`["greet",{"name":"Ada"}]`, `{"text":"HELLO, ADA!"}`},
	{`["greet",{"name":"ü","config":{"greeting":"Grüß dich"}}]`, `{"text":"GRÜSS DICH, Ü!"}`},
	{`["count",{}]`, `{"n":1}`},
	{`["count",{}]`, `{"n":2}`},
	{`["log"]`, `["counted","n 1","counted","n 2"]`},
	{`["send",{"url":"https://example.org/x"}]`, `{"got":{"saw":"POST https://example.org/x {\"token\":\"t0p\"}"},"tenant":{"id":"acme","env":"dev","team":"","user":"","trace":"","locale":"de","correlation":"","idempotencyKey":""},"cancelled":false}`},
	{`["time",{}]`, `{"now":1700000000005,"random":true}`},
	{`["other",{}]`, `{"code":"secret_denied","message":"the secret OTHER was not granted; is it in component({ secrets })?","retryable":false,"backoff":0}`},
	{`["greet",{}]`, `{"code":"invalid_input","message":"$.name: is missing","retryable":false,"backoff":0}`},
	{`["busy",{}]`, `{"code":"busy","message":"later","retryable":true,"backoff":1500}`},
	{`["never",{}]`, `{"code":"exception","message":"Error: a promise was never settled: nothing is left to run","retryable":false,"backoff":0}`},
}

// TestAnIndependentHostRunsIt: jco, which shares no code with us, transpiles the component, and Node
// runs it, with one instance for all calls.
func TestAnIndependentHostRunsIt(t *testing.T) {
	var calls strings.Builder
	for _, x := range exchange {
		calls.WriteString(x[0] + "\n")
	}
	answers := underJco(t, build(t, allProject(t)), calls.String())
	if len(answers) != len(exchange) {
		t.Fatalf("%d answers to %d calls: %s", len(answers), len(exchange), answers)
	}
	for i, x := range exchange {
		if answers[i] != x[1] {
			t.Errorf("%s gave\n%s, want\n%s", x[0], answers[i], x[1])
		}
	}
}
