package systemtest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

// say posts a text and waits for the answers there should be in all.
func (c *client) say(t *testing.T, text string, answers int) string {
	t.Helper()
	_, err := c.do("POST", "/conversations/"+c.id+"/activities", map[string]any{"type": "message", "from": map[string]any{"id": "killer"}, "text": text})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); len(c.texts) < answers; {
		if err := c.poll(); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("no answer to %q", text)
		}
		if len(c.texts) < answers {
			time.Sleep(5 * time.Millisecond) // between polls; the deadline decides
		}
	}
	return c.texts[answers-1]
}

func newClient(t *testing.T, base string) *client {
	t.Helper()
	c := &client{base: base, activities: map[string]bool{}}
	if err := c.begin(); err != nil {
		t.Fatal(err)
	}
	return c
}

// A new version of a pack is deployed over a kill -9: the open conversation stays on the version
// it began with, a new one takes the new version, and the old bytes go when nobody needs them.
func TestAnOpenConversationStaysOnItsVersionOverAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	pack, data, keys, cache := t.TempDir(), t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "cache")
	server := child{Settings: map[string]string{"data": data, "keys": keys, "cache": cache, "log.level": "warn"}, Pack: pack}
	kept := func() int {
		list, err := filepath.Glob(filepath.Join(data, "packs", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	writeEcho(t, pack, "1.0.0", "first")
	s := startServer(t, server)
	open := newClient(t, s.url)
	if got := open.say(t, "a", 1); got != "first a" {
		t.Fatalf("answer %q", got)
	}
	s.kill()

	writeEcho(t, pack, "2.0.0", "second")
	s = startServer(t, server)
	open.base = s.url
	if got := open.say(t, "b", 2); got != "first b" {
		t.Fatalf("the open conversation answers %q", got)
	}
	fresh := newClient(t, s.url)
	if got := fresh.say(t, "c", 1); got != "second c" {
		t.Fatalf("a new conversation answers %q", got)
	}
	if n := kept(); n != 2 {
		t.Errorf("%d packs are kept, want both versions", n)
	}
	s.kill()
}

func TestASecondProcessOnTheSameDataFolderIsRefused(t *testing.T) {
	c := testConfig(t)
	s := openSystem(t, c, system.Options{})
	_, err := system.Open(t.Context(), c, system.Options{Log: testLog(t)})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), c.Data) {
		t.Fatalf("err = %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openSystem(t, c, system.Options{})
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// buildBinary makes the product, as a user would.
func buildBinary(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "greentic")
	cmd := exec.Command("go", "build", "-o", bin, "greentic.dev/cmd/greentic")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// SIGTERM drains: what was accepted is answered before the process ends, and it ends with 0.
func TestSIGTERMAnswersWhatWasAcceptedAndExitsCleanly(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts the binary")
	}
	bin, data := buildBinary(t), t.TempDir()
	start := func() (*exec.Cmd, string, *bytes.Buffer) {
		cmd := exec.Command(bin, "run", echoPack(t), "--data", data, "--listen", "127.0.0.1:0", "--json")
		cmd.Env = append(os.Environ(), "GREENTIC_KEYS="+filepath.Join(data, "keys"))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		line := make([]byte, 4096)
		n, err := out.Read(line)
		if err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		_, rest, _ := strings.Cut(string(line[:n]), `"url":"`)
		url, _, _ := strings.Cut(rest, `"`)
		return cmd, url, &stderr
	}
	cmd, url, stderr := start()
	c := newClient(t, url)
	const messages = 50
	for i := range messages {
		if _, err := c.do("POST", "/conversations/"+c.id+"/activities", map[string]any{"type": "message", "from": map[string]any{"id": "killer"}, "text": fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if _, err := http.Get(url + "/healthz"); err == nil {
		t.Error("the port still answers")
	}
	if _, err := os.Stat(filepath.Join(data, system.ServerFile)); !os.IsNotExist(err) {
		t.Errorf("the server file is still there: %v", err)
	}
	cmd, url, _ = start()
	c.base = url
	for len(c.texts) < messages {
		if err := c.poll(); err != nil {
			t.Fatal(err)
		}
	}
	for i, text := range c.texts {
		if text != fmt.Sprintf("answer %d", i) {
			t.Fatalf("answer %d is %q", i, text)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// A flow that fails answers in the user's language with a reference, and the next message works.
func TestAFailingFlowApologisesWithAReferenceAndGoesOn(t *testing.T) {
	dir := t.TempDir()
	writeInto(t, dir, map[string]string{
		"pack.yaml": "pack_id: test.fail\nversion: 1.0.0\nkind: application\npublisher: test\nflows:\n  - { id: main, file: flows/main.ygtc, tags: [default] }\n",
		"flows/main.ygtc": `id: main
type: messaging
nodes:
  choose:
    emit.log: { seen: "{{input.input.text}}" }
    routing:
      - condition: response.text == "loop"
        to: circle
      - to: fine
  circle:
    emit.log: { again: true }
    routing: [{ to: circle }]
  fine:
    emit.response: { text: "fine" }
    routing: out
`})
	s := openSystem(t, testConfig(t, system.Override{Key: "locale", Value: "de"}), system.Options{Ephemeral: true}, dir)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = s.Drain(t.Context())
		_ = s.Close()
	}()
	result := turn(t, s, "1", "loop")
	if result.Err == nil || len(result.Replies) != 1 {
		t.Fatalf("%+v", result)
	}
	text := result.Replies[0].Text
	if !strings.Contains(text, "schiefgegangen") || !strings.Contains(text, result.Turn) || strings.Contains(text, "step") || strings.Contains(text, "circle") {
		t.Fatalf("the user reads %q", text)
	}
	if !strings.Contains(result.Err.Error(), "circle") {
		t.Errorf("the operator reads %v", result.Err)
	}
	if again := turn(t, s, "2", "hello"); again.Err != nil || again.Replies[0].Text != "fine" {
		t.Fatalf("the next message: %+v", again)
	}
}
