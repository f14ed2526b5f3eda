package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
)

const (
	triage  = "../../examples/helpdesk/pack/components/helpdesk.triage/component.wasm"
	tickets = "../../examples/helpdesk/pack/components/helpdesk.tickets/component.wasm"
	moody   = "../../runtime/host/testdata/moody.wasm"
	unknown = "../../runtime/host/testdata/nothing.wasm"
)

// component runs `greentic component ARGS` and gives what it printed.
func component(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var out, errs bytes.Buffer
	env := &environment{Stdin: strings.NewReader(`{"text":"from stdin"}`), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	if len(args) > 0 && args[0] == "--json" {
		env.JSON, args = true, args[1:]
	}
	c := componentCommand(env)
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&errs)
	err = c.ExecuteContext(context.Background())
	return out.String(), errs.String(), err
}

// parsed is a line of JSON with exactly these keys.
func parsed(t *testing.T, line string, keys ...string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	for _, k := range keys {
		if _, ok := m[k]; !ok {
			t.Errorf("%s has no %s", line, k)
		}
	}
	if len(keys) > 0 && len(m) != len(keys) {
		t.Errorf("%s has other keys than %v", line, keys)
	}
	return m
}

func TestComponentInvokePrintsOneObject(t *testing.T) {
	out, _, err := component(t, "--json", "invoke", triage, "--op", "classify", "--input", `{"text":"my printer is broken"}`)
	if err != nil {
		t.Fatal(err)
	}
	m := parsed(t, out, "ok", "output", "error", "stats")
	if m["ok"] != true || m["error"] != nil || m["output"].(map[string]any)["status"] != "normal" {
		t.Errorf("%s", out)
	}
	if strings.Count(out, "\n") != 1 {
		t.Errorf("more than one line: %s", out)
	}
}

func TestComponentInvokeReadsInputFromFilesAndStdin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.json")
	if err := os.WriteFile(file, []byte(`{"text":"from a file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for input, want := range map[string]string{"@" + file: "from a file", "-": "from stdin", `{"text":"given"}`: "given"} {
		out, _, err := component(t, "--json", "invoke", moody, "--op", "echo", "--input", input)
		if err != nil || parsed(t, out)["output"].(map[string]any)["text"] != want {
			t.Errorf("%s: %s %v", input, out, err)
		}
	}
}

func TestComponentFailuresHaveTheirKind(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		kind fault.Kind
	}{
		"no such file":      {[]string{"invoke", "nowhere.wasm", "--op", "x"}, fault.NotFound},
		"no component":      {[]string{"invoke", "component_test.go", "--op", "x"}, fault.Invalid},
		"unknown world":     {[]string{"invoke", unknown, "--op", "x"}, fault.Unsupported},
		"trap":              {[]string{"invoke", moody, "--op", "trap"}, fault.Invalid},
		"no operation":      {[]string{"invoke", moody}, fault.Invalid},
		"input is no JSON":  {[]string{"invoke", moody, "--op", "echo", "--input", "{"}, fault.Invalid},
		"no input file":     {[]string{"invoke", moody, "--op", "echo", "--input", "@nowhere"}, fault.NotFound},
		"host is a URL":     {[]string{"invoke", moody, "--op", "echo", "--allow-http", "https://x"}, fault.Invalid},
		"secret without =":  {[]string{"invoke", moody, "--op", "echo", "--secret", "x"}, fault.Invalid},
		"a bad tenant":      {[]string{"invoke", moody, "--op", "echo", "--tenant", "a/b"}, fault.Invalid},
		"inspect, no file":  {[]string{"inspect", "nowhere.wasm"}, fault.NotFound},
		"wit, no component": {[]string{"wit", "component_test.go"}, fault.Invalid},
	} {
		if out, _, err := component(t, c.args...); !fault.Is(err, c.kind) {
			t.Errorf("%s: %s %v", name, out, err)
		}
	}
	out, _, err := component(t, "--json", "invoke", moody, "--op", "trap")
	if m := parsed(t, out, "ok", "output", "error", "stats"); err == nil || m["ok"] != false || m["error"].(map[string]any)["code"] != "guest_trap" {
		t.Errorf("%s %v", out, err)
	}
}

func TestComponentInspectShowsWhatItNeeds(t *testing.T) {
	out, _, err := component(t, "--json", "inspect", tickets)
	if err != nil {
		t.Fatal(err)
	}
	m := parsed(t, out)
	if m["abi"] != "greentic:component/node@0.6.0" || len(m["operations"].([]any)) != 4 || !strings.Contains(out, `"capability":"host:state"`) {
		t.Errorf("%s", out)
	}
	out, _, err = component(t, "inspect", unknown)
	if err != nil || !strings.Contains(out, "needs nothing") || !strings.Contains(out, "note: ") || !strings.Contains(out, "unknown world") {
		t.Errorf("%s %v", out, err)
	}
}

func TestComponentWITIsPrinted(t *testing.T) {
	out, _, err := component(t, "wit", tickets)
	if err != nil || !strings.Contains(out, "import greentic:state/state-store@1.0.0;") || !strings.Contains(out, "export greentic:component/node@0.6.0;") {
		t.Errorf("%s %v", out, err)
	}
}

// TestComponentInvokeOfThePublicProvider is the command line of the README on a real provider
// and a local Telegram.
func TestComponentInvokeOfThePublicProvider(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		paths = append(paths, r.URL.Path+" "+string(body))
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":5}}`)
	}))
	defer server.Close()
	message, _ := json.Marshal(map[string]any{"text": "hi", "chat_id": "4711", "config": map[string]any{"public_base_url": "https://example.com", "api_base_url": server.URL}})
	input, _ := json.Marshal(map[string]any{"v": 1, "provider_type": "messaging.telegram.bot", "tenant_id": "demo",
		"payload": map[string]any{"content_type": "application/json", "body_b64": message, "metadata": map[string]any{}}})
	args := []string{"--json", "invoke", filepath.Join(dir, "telegram.wasm"), "--op", "send_payload", "--input", string(input)}
	out, _, err := component(t, append(args, "--secret", "TELEGRAM_BOT_TOKEN=t0k3n", "--allow-http", strings.TrimPrefix(server.URL, "http://"))...)
	if err != nil || parsed(t, out)["output"].(map[string]any)["ok"] != true || strings.Contains(out, "t0k3n") {
		t.Errorf("%s %v", out, err)
	}
	if len(paths) != 1 || !strings.HasPrefix(paths[0], "/bott0k3n/sendMessage ") || !strings.Contains(paths[0], `"chat_id":"4711"`) {
		t.Errorf("Telegram got %v", paths)
	}
	out, _, err = component(t, args...)
	if err != nil || parsed(t, out)["output"].(map[string]any)["ok"] != false || len(paths) != 1 {
		t.Errorf("without grants: %s %v", out, err)
	}
}
