package componenttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/build/guest"
	"greentic.dev/devkit/scaffold"
	"greentic.dev/devkit/vendored"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// subject is a component on an engine.
func subject(t *testing.T, name string) Subject {
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
	code, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return Subject{Engine: engine, Code: code, Secrets: func() secrets.Store { return memory.New() }}
}

func run(t *testing.T, s Subject, text string) Report {
	t.Helper()
	suite, err := Parse("x"+Ending, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), s, []*Suite{suite})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const triage = "../../examples/helpdesk/pack/components/helpdesk.triage/component.wasm"

func TestACaseIsComparedWithTheAnswer(t *testing.T) {
	r := run(t, subject(t, triage), `
cases:
  - { name: right, op: classify, input: { text: "the printer is on fire" }, contains: { status: urgent } }
  - { name: wrong, op: classify, input: { text: "the printer is on fire" }, contains: { status: normal, mood: bad } }
  - { name: more, op: classify, input: { text: "" }, output: { status: empty } }
  - { name: fails, op: nothing, error: { code: not_found, retryable: false } }
  - { name: fails otherwise, op: nothing, error: { code: denied, message: no such text, retryable: true, backoff_ms: 5 } }
  - { name: succeeds, op: classify, input: { text: "x" }, error: { code: denied } }
`)
	if r.OK || r.Passed != 2 || r.Failed != 4 || !r.Cases[0].OK || !r.Cases[3].OK {
		t.Fatalf("%+v", r)
	}
	for i, want := range map[int][]string{
		1: {`$.mood: want "bad", got nothing`, `$.status: want "normal", got "urgent"`},
		2: {"$.category: not expected, got", "$.priority: not expected", "$.summary: not expected"},
		4: {"error code: want denied, got not_found", `want "no such text" in`, "retryable: want true, got false", "backoff_ms: want 5, got 0"},
		5: {"want the error denied, got the output"},
	} {
		all := strings.Join(r.Cases[i].Problems, "\n")
		for _, w := range want {
			if !strings.Contains(all, w) {
				t.Errorf("%s: %q is not in %q", r.Cases[i].Name, w, all)
			}
		}
	}
	if r.Cases[1].Line != 4 {
		t.Errorf("line %d", r.Cases[1].Line)
	}
}

// built builds a component of one file.
func built(t *testing.T, file string) Subject {
	t.Helper()
	sdk, err := vendored.Go()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "caller")
	if _, err := scaffold.Component(dir, "go", nil, sdk); err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), program, 0o644); err != nil {
		t.Fatal(err)
	}
	s := subject(t, triage)
	b, err := guest.Build(t.Context(), dir, guest.Options{Engine: s.Engine, Getenv: os.Getenv, Look: exec.LookPath})
	if err != nil {
		t.Fatal(err)
	}
	s.Code, s.Manifest = b.Code, b.Manifest
	return s
}

func TestSecretsStateHTTPAndLogsAreWhatTheCaseSays(t *testing.T) {
	r := run(t, built(t, "testdata/caller/main.go"), `
cases:
  - name: right
    op: ask
    input: { key: seen, url: "https://api.example.com/v1" }
    secrets: { TOKEN: abc }
    state: { seen: 1 }
    now: 2026-05-01T12:00:00Z
    http:
      - request: { method: POST, url: "https://api.example.com/v1", headers: { authorization: Bearer abc }, json: { n: 1 } }
        response: { status: 201, json: { sum: 3 } }
    output: { status: 201, sum: 3, at: 1777636800 }
    state_after: { seen: 2, other: null }
    logs: [ asked ]
  - name: wrong
    op: ask
    input: { key: seen, url: "https://api.example.com/v1" }
    secrets: { TOKEN: abc }
    http:
      - request: { method: POST, url: "https://api.example.com/v1", headers: { authorization: Bearer abd }, json: { n: 2 }, body: "x" }
      - request: { url: "https://api.example.com/v2" }
    error: { code: http_unavailable }
    state_after: { seen: 7 }
    logs: [ never said ]
  - name: nobody answers
    op: ask
    input: { key: seen, url: "https://api.example.com/v1" }
    secrets: { TOKEN: abc }
    http: [ { request: { method: POST, url: "https://api.example.com/v1" }, unavailable: true } ]
    error: { code: http_unavailable, retryable: true }
  - name: no grant
    op: ask
    input: { key: seen, url: "https://api.example.com/v1" }
    secrets: { TOKEN: abc }
    error: { code: http_denied }
  - name: no secret
    op: ask
    input: { key: seen, url: "https://api.example.com/v1" }
    error: { code: secret_not_found }
  - name: two asks
    op: ask
    input: { key: seen, url: "http://local.test:8080/", twice: true }
    secrets: { TOKEN: abc }
    http: [ { request: { method: POST, url: "http://local.test:8080/" }, response: { body: "{}" } } ]
    error: { code: http_unavailable }
`)
	for i, ok := range []bool{true, false, true, true, true, false} {
		if r.Cases[i].OK != ok {
			t.Errorf("%s: %v, it called %v", r.Cases[i].Name, r.Cases[i].Problems, r.Cases[i].Calls)
		}
	}
	all := strings.Join(r.Cases[1].Problems, "\n") + strings.Join(r.Cases[5].Problems, "\n")
	for _, w := range []string{`header authorization: want "Bearer abd", got "Bearer abc"`, `body: want "x"`, "body $.n: want 2, got 0",
		"it never asked for GET https://api.example.com/v2", "state seen: want 7", `no log line has "never said"`, "no entry of http is left"} {
		if !strings.Contains(all, w) {
			t.Errorf("%q is not in %q", w, all)
		}
	}
}

// A component that misbehaves ends its own call, with an error that says what, where, and which limit it met.
func TestMisbehaviourIsNamed(t *testing.T) {
	s := built(t, "../../build/guest/testdata/all/main.go")
	s.Limits = wasm.Limits{Memory: 64 << 20, Wall: 2 * time.Second}
	r := run(t, s, `
cases:
  - { name: index, op: index, input: [1], error: { code: panic, message: "index out of range [3] with length 1 in main.init.func5 (main.go:32)", retryable: false } }
  - { name: divide, op: divide, input: 0, error: { code: panic, message: integer divide by zero } }
  - { name: nil, op: nothing, error: { code: panic, message: "nil pointer dereference in main.init.func7 (main.go:34)" } }
  - { name: throw, op: throw, error: { code: panic, message: "thrown: on purpose" } }
  - { name: channel, op: channel, error: { code: invalid_output, message: "$.c[0]: chan int has no value form" } }
  - { name: cycle, op: cycle, error: { code: invalid_output, message: nest deeper than 64 } }
  - { name: type, op: divide, input: one, error: { code: invalid_input, message: '$: want a whole number of 64 bits, got the text "one"' } }
  - { name: shape, op: greet, input: [1], error: { code: invalid_input, message: "$: want an object, got a list" } }
  - { name: config, op: greet, input: { name: Ada }, config: { greeting: 3 }, error: { code: invalid_config, message: "$.greeting: want a text, got 3" } }
  - { name: operation, op: missing, error: { code: not_found, message: 'has no operation "missing"' } }
  - { name: hog, op: hog, error: { code: exhausted, message: "64 MiB" } }
  - { name: recurse, op: recurse, input: 100000000, error: { code: exhausted, message: nested too deeply } }
  - { name: spin, op: spin, error: { code: exhausted, message: more than 100000 host calls } }
  - { name: park, op: park, error: { message: all goroutines are asleep - deadlock } }
  - { name: large, op: large, input: 20000000, error: { code: exhausted, message: "16384 KiB" } }
  - { name: fine, op: greet, input: { name: Ada }, output: { text: "HELLO, ADA!" } }
`)
	for _, c := range r.Cases {
		if !c.OK {
			t.Errorf("%s: %v", c.Name, c.Problems)
		}
	}
}

func TestFilesAreStrict(t *testing.T) {
	for text, want := range map[string]string{
		"cases: []":                                              "it has 0 cases",
		"cases:\n  - op: x\n    output: 1":                       "a case has no name",
		"cases:\n  - name: x\n    op: y":                         "expects nothing",
		"cases:\n  - { name: x, outptu: 1 }":                     "unknown key outptu",
		"cases:\n  - { name: x, error: { cod: x } }":             "unknown key cod",
		"cases:\n  - { name: x, output: 1, error: { code: x } }": "both an output and an error",
		"cases:\n  - { name: x, name: y, output: 1 }":            "name",
		"a: &x 1\ncases: [*x]":                                   "anchors and aliases",
		"cases: {":                                               "",
		"case:\n - name: x":                                      "unknown key case",
		strings.Repeat("#", maxFile+1):                           "more than 1048576",
		"cases:\n" + strings.Repeat("  - { name: x, output: 1 }\n", maxCases+1): "want 1 to 1000",
	} {
		_, err := Parse("x.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Exhausted) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	_, err := Parse("x.yaml", []byte("cases:\n  - name: x\n    outptu: 1\n"))
	if pos, fix, _ := fault.Detail(err); pos.Line != 3 || pos.Col != 5 || fix != "did you mean output?" {
		t.Errorf("%+v %q", pos, fix)
	}
}
