package runner_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"lukechampine.com/blake3"

	"greentic.dev/build"
	"greentic.dev/greentic"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/runner"
)

// helpdesk builds the example, changed by edit (path to a function of the content).
func helpdesk(t testing.TB, edit map[string]func(string) string) *loader.Verified {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", "helpdesk", "pack"))); err != nil {
		t.Fatal(err)
	}
	for name, change := range edit {
		file := filepath.Join(dir, filepath.FromSlash(name))
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := change(string(raw))
		if changed == string(raw) {
			t.Fatalf("%s is not changed", name)
		}
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built, err := build.Pack(t.Context(), dir, build.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := loader.LoadBytes(t.Context(), "helpdesk", built.Bytes, unsafe)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// chatter is what a user of the helpdesk writes and clicks in a seeded conversation.
func chatter(seed uint64) []greentic.Message {
	random := rand.New(rand.NewPCG(seed, 7))
	problems := []string{"The printer is out of toner", "URGENT: the VPN is down for everybody!", "my keyboard lost a key", "?", "Outlook stürzt ab", ""}
	list := []greentic.Message{{Text: "hello"}}
	for range 1 + random.IntN(6) {
		switch random.IntN(8) {
		case 0:
			list = append(list, greentic.Message{Metadata: map[string]string{"action": "report"}})
		case 1:
			list = append(list, greentic.Message{Metadata: map[string]string{"action": "mine"}})
		case 2:
			list = append(list, greentic.Message{Metadata: map[string]string{"action": "close", "ticket": fmt.Sprintf("HD-%d", 1+random.IntN(3))}}, greentic.Message{Text: []string{"yes", "no", "tickets"}[random.IntN(3)]})
		case 3:
			list = append(list, greentic.Message{Text: "tickets"})
		case 4:
			list = append(list, greentic.Message{Text: fmt.Sprintf("problem %d", random.IntN(1000))})
		case 5:
			list = append(list, greentic.Message{Text: "bye"}, greentic.Message{Text: "hello again"})
		default:
			list = append(list, greentic.Message{Text: problems[random.IntN(len(problems))]})
		}
	}
	return list
}

// hold runs seeded conversations on a runner and returns their keys.
func hold(t *testing.T, run *runner.Runner, seeds int) []string {
	t.Helper()
	keys := make([]string, seeds)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for seed := worker; seed < seeds; seed += 4 {
				keys[seed] = fmt.Sprintf("conversation-%d", seed)
				for i, m := range chatter(uint64(seed)) {
					m.ID, m.Channel, m.Conversation, m.From = fmt.Sprint(i), "test", keys[seed], &greentic.Actor{ID: keys[seed]}
					trigger := say(keys[seed], m.ID, "")
					trigger.Tenant.Locale = []string{"en", "de"}[seed%2]
					trigger.Body, _ = json.Marshal(m)
					if result, err := run.Turn(t.Context(), trigger); err != nil || result.Err != nil {
						t.Errorf("%s message %d: %v %v", keys[seed], i, err, result.Err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return keys
}

// TestReplayOfAThousandConversationsIsEqual holds distinct seeded conversations with the helpdesk
// example, whose components keep state, and runs their records again.
func TestReplayOfAThousandConversationsIsEqual(t *testing.T) {
	seeds := 1000
	if testing.Short() {
		seeds = 40
	}
	r := newRig(t)
	r.withEngine()
	run, _ := r.start(helpdesk(t, nil))
	turns, steps := 0, 0
	for _, key := range hold(t, run, seeds) {
		got, err := run.Replay(t.Context(), greentic.DefaultTenant(), key, runner.ReplayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal || got.Divergence != nil {
			raw, _ := json.MarshalIndent(got.Divergence, "", " ")
			t.Fatalf("%s differs: %s", key, raw)
		}
		turns += len(got.Turns)
		for _, one := range got.Turns {
			steps += one.Steps
		}
	}
	if turns < 3*seeds || steps < 2*turns {
		t.Errorf("only %d turns with %d steps were run again", turns, steps)
	}
	t.Logf("%d conversations, %d turns, %d steps", seeds, turns, steps)
}

// TestReplayNamesTheFirstStepThatDiffers runs a record on packs that were changed in one place.
func TestReplayNamesTheFirstStepThatDiffers(t *testing.T) {
	r := newRig(t)
	r.withEngine()
	original := helpdesk(t, nil)
	run, _ := r.start(original)
	for i, text := range []string{"hello", "my printer is broken", "tickets", "bye"} {
		if result := turn(t, run, say("k", fmt.Sprint(i), text)); result.Err != nil {
			t.Fatal(result.Err)
		}
	}
	const flow = "flows/helpdesk.ygtc"
	replace := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	tickets := read(t, "..", "..", "examples", "helpdesk", "pack", "components", "helpdesk.tickets", "component.wasm")
	for name, c := range map[string]struct {
		edit             map[string]func(string) string
		seq              uint64
		node, what, path string
		recorded, now    string
	}{
		"a text of the end": {map[string]func(string) string{flow: replace(`"{{i18n:goodbye.text}}"`, `"so long"`)},
			4, "goodbye", "output", "/text", "i18n:goodbye.text", `"so long"`},
		"an input": {map[string]func(string) string{flow: replace(`priority: "{{node.triage.priority}}"`, `priority: lowest`)},
			2, "open", "input", "/priority", `"normal"`, `"lowest"`},
		"a route": {map[string]func(string) string{flow: replace("condition: response.text == \"tickets\"\n        to: mine", "condition: response.text == \"tickets\"\n        to: ask")},
			3, "ask", "step", "", "invoke mine (helpdesk.tickets list)", "emit ask"},
		"a component": {map[string]func(string) string{"components/helpdesk.triage/component.wasm": func(string) string { return tickets },
			"components/helpdesk.triage/component.manifest.json": func(s string) string {
				return regexp.MustCompile("blake3:[0-9a-f]{64}").ReplaceAllString(s, fmt.Sprintf("blake3:%x", blake3.Sum256([]byte(tickets))))
			}}, 2, "triage", "output", "", `"category"`, "null"},
	} {
		t.Run(name, func(t *testing.T) {
			other := helpdesk(t, c.edit)
			release := r.releases.Peek(other)
			got, err := run.Replay(t.Context(), greentic.DefaultTenant(), "k", runner.ReplayOptions{Release: release})
			if err != nil {
				t.Fatal(err)
			}
			d := got.Divergence
			if got.Equal || d == nil {
				t.Fatal("the replay says that nothing differs")
			}
			raw, _ := json.Marshal(d)
			if d.Seq != c.seq || d.Node != c.node || d.What != c.what || !strings.Contains(d.Recorded, c.recorded) || !strings.Contains(d.Now, c.now) || c.path != "" && d.Path != c.path {
				t.Errorf("%s", raw)
			}
			if d.Reason.File != flow || d.Reason.Line == 0 {
				t.Errorf("it does not say where: %s", raw)
			}
			if len(got.Turns) != int(c.seq) {
				t.Errorf("%d turns were run, want %d", len(got.Turns), c.seq)
			}
			later, err := run.Replay(t.Context(), greentic.DefaultTenant(), "k", runner.ReplayOptions{Release: release, From: c.seq + 1})
			if err != nil || later.Divergence != nil && later.Divergence.Seq <= c.seq {
				t.Errorf("from the turn after: %+v, %v", later.Divergence, err)
			}
		})
	}
}

// TestReplayHasNoEffect: nothing of a replay reaches the store, the channel or the log.
func TestReplayHasNoEffect(t *testing.T) {
	r := newRig(t)
	r.withEngine()
	run, stop := r.start(helpdesk(t, nil))
	for i, text := range []string{"hello", "my printer is broken", "bye"} {
		turn(t, run, say("k", fmt.Sprint(i), text))
	}
	r.channel.replies(t, "k", 3)
	stop()
	run = r.newRunner(r.db)
	before, sent := r.dump(), len(r.channel.tries)
	got, err := run.Replay(t.Context(), greentic.DefaultTenant(), "k", runner.ReplayOptions{})
	if err != nil || !got.Equal || len(got.Turns) != 3 {
		t.Fatalf("%+v %v", got, err)
	}
	if after := r.dump(); after != before || len(r.channel.tries) != sent {
		t.Fatalf("the store was\n%s\nand is\n%s", before, after)
	}
}

// TestFailuresReplay: a flow that fails, a component that traps and one that takes too long are
// run again to the same end.
func TestFailuresReplay(t *testing.T) {
	r := newRig(t)
	r.withEngine()
	r.options.TurnTime = 500 * time.Millisecond
	run, _ := r.start(moods(t, " out"))
	for i, mood := range []string{"t", "l", "e"} {
		turn(t, run, say("k", fmt.Sprint(i), mood))
	}
	got, err := run.Replay(t.Context(), greentic.DefaultTenant(), "k", runner.ReplayOptions{})
	if err != nil || !got.Equal || len(got.Turns) != 3 {
		raw, _ := json.Marshal(got)
		t.Fatalf("%s %v", raw, err)
	}
}
