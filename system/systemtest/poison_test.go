package systemtest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// poisonPack answers, and for "boom" calls a component that always traps, which it tries three times.
func poisonPack(t *testing.T) string {
	t.Helper()
	moody, err := os.ReadFile(filepath.Join("..", "..", "runtime", "host", "testdata", "moody.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	return writeFiles(t, map[string]string{
		"components/moody.wasm": string(moody),
		"pack.yaml": `pack_id: test.poison
version: 1.0.0
kind: application
publisher: test
flows:
  - { id: main, file: flows/main.ygtc, tags: [default] }
components:
  - { id: test.moody, version: 1.0.0, world: "greentic:provider/schema-core@1.0.0", wasm: components/moody.wasm }
`,
		"flows/main.ygtc": `id: main
type: messaging
tags: [default]
nodes:
  taste:
    emit.log: { at: "{{response.text}}" }
    routing:
      - { condition: 'response.text == "boom"', to: trap }
      - { to: say }
  trap:
    component.exec: { component: test.moody, operation: trap, input: {} }
    retry: { attempts: 3, backoff: 10ms, on: [any] }
    routing: out
  say:
    emit.response: { text: "ate {{response.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: taste }]
`,
	})
}

// A message that traps whatever runs it is given up after its attempts: its user is told, the messages
// behind it and other conversations are answered, and an operator sees it, tries it again and drops it.
func TestAPoisonedMessageHoldsNobodyUpAndIsTheOperatorsToDropByCommand(t *testing.T) {
	needsProcesses(t)
	t.Parallel()
	bin := buildBinary(t)
	c := chatting(t, poisonPack(t), "data", t.TempDir(), "keys", t.TempDir(), "cache", t.TempDir())
	c.Settings["log.level"] = "error"
	s := startServer(t, c)
	greentic := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(bin, append(args, "--data", c.Settings["data"])...)
		cmd.Env = append(os.Environ(), "GREENTIC_KEYS="+c.Settings["keys"])
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("greentic %q: %v: %s", args, err, out)
		}
		return string(out)
	}
	letters := func() (ids []string) {
		t.Helper()
		var page struct {
			Letters []struct{ ID, Kind, Reason string } `json:"dead_letters"`
		}
		if err := json.Unmarshal([]byte(greentic("deadletter", "list", "--json")), &page); err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Letters {
			if l.Kind != "turn" || !strings.Contains(l.Reason, "trapped") {
				t.Errorf("%+v", l)
			}
			ids = append(ids, l.ID)
		}
		return ids
	}
	post := func(u *client, i int, text string) {
		t.Helper()
		if err := u.post("poison", i, text); err != nil {
			t.Fatal(err)
		}
	}
	eater, other := newClient(t, s.url), newClient(t, s.url)
	for i, text := range []string{"a", "boom", "b"} {
		post(eater, i, text)
		post(other, i, string("xyz"[i]))
	}
	other.reads(t, "ate x", "ate y", "ate z")
	eater.collect(t, 3)
	id, found := "", false
	if list := letters(); len(list) != 1 {
		t.Fatalf("letters %q", list)
	} else if id = list[0]; !strings.Contains(eater.texts[1], id) {
		t.Errorf("the user is told %q, which does not name %s", eater.texts[1], id)
	}
	if eater.texts[0] != "ate a" || eater.texts[2] != "ate b" {
		t.Errorf("%q", eater.texts)
	}
	if trace := greentic("trace", id); strings.Count(trace, " invoke test.moody trap ") != 3 {
		t.Errorf("it was not tried three times:\n%s", trace)
	}
	if shown := greentic("deadletter", "show", id); !strings.Contains(shown, `"text": "boom"`) {
		t.Errorf("the letter is shown as\n%s", shown)
	}
	if got := greentic("deadletter", "retry", id); !strings.Contains(got, "retried "+id) {
		t.Error(got)
	}
	for until := time.Now().Add(30 * time.Second); !found && time.Now().Before(until); time.Sleep(20 * time.Millisecond) { // between looks
		list := letters() // it traps again
		found = len(list) == 1 && list[0] == id
	}
	if !found {
		t.Fatal("what was tried again and trapped again is no dead letter")
	}
	if got := greentic("deadletter", "drop", id); !strings.Contains(got, "dropped "+id) {
		t.Error(got)
	}
	if list := letters(); len(list) != 0 {
		t.Errorf("letters %q", list)
	}
	post(eater, 3, "c")
	for until := time.Now().Add(30 * time.Second); eater.texts[len(eater.texts)-1] != "ate c"; { // after the second apology
		eater.collect(t, 0)
		if time.Now().After(until) {
			t.Fatalf("%q", eater.texts)
		}
		time.Sleep(20 * time.Millisecond) // between polls
	}
}
