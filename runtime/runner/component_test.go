package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/wasm"
)

// withEngine lets a rig run components.
func (r *rig) withEngine() {
	r.t.Helper()
	engine, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = engine.Close(context.Background()) })
	r.host = host.New(host.Deps{Engine: engine}, host.Options{})
}

func read(t testing.TB, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// moods is a pack whose flow does what the user writes to the component of host's tests, which
// traps on t, loops for ever on l and echoes on e.
func moods(t *testing.T, routing string) *loader.Verified {
	t.Helper()
	flow := "start: ask\nnodes:\n"
	for _, mood := range []string{"t", "l", "e"} {
		flow += fmt.Sprintf("  %s:\n    component.exec: { component: test.moody, operation: %s, input: { text: \"echo of {{response.text}}\" } }\n    routing:%s\n", mood, mood, routing)
	}
	flow += "  ask:\n    emit.log: { at: start }\n    routing:\n"
	for _, mood := range []string{"t", "l", "e"} {
		flow += "      - { condition: 'response.text == \"" + mood + "\"', to: " + mood + " }\n"
	}
	flow += "  sorry:\n    emit.response: { text: we are sorry }\n    routing: out\n"
	return makePack(t, "t.moods", map[string]string{"main": flow}, map[string]string{
		"components":                      "  - { id: test.moody, version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/moody/component.wasm }\n",
		"components/moody/component.wasm": read(t, "..", "host", "testdata", "moody.wasm"),
	})
}

func TestAComponentThatTrapsOrHangsFailsItsTurnOnly(t *testing.T) {
	r := newRig(t)
	r.withEngine()
	r.options.TurnTime = 500 * time.Millisecond
	run, _ := r.start(moods(t, " out"))
	if result := turn(t, run, say("k", "0", "e")); result.Status != greentic.TurnDone || !slices.Equal(texts(result), []string{"echo of e"}) {
		t.Fatalf("%+v", result)
	}
	for mood, kind := range map[string]fault.Kind{"t": fault.Invalid, "l": fault.Timeout} {
		result := turn(t, run, say("k", mood, mood))
		if result.Status != greentic.TurnFailed || !fault.Is(result.Err, kind) || len(result.Replies) != 1 || !strings.Contains(result.Replies[0].Text, result.Turn) {
			t.Errorf("mood %s: %+v", mood, result)
		}
	}
	if result := turn(t, run, say("k", "9", "e")); result.Status != greentic.TurnDone {
		t.Fatalf("afterwards: %+v", result)
	}
}

func TestAFlowMayRouteTheFailureOfAComponent(t *testing.T) {
	r := newRig(t)
	r.withEngine()
	run, _ := r.start(moods(t, "\n      - { status: error, to: sorry }\n      - { out: true }"))
	if result := turn(t, run, say("k", "1", "t")); result.Status != greentic.TurnDone || !slices.Equal(texts(result), []string{"we are sorry"}) {
		t.Fatalf("%+v", result)
	}
}

// TestStateBelongsToTheConversationUnlessTheConfigurationWidensIt counts the tickets of the
// helpdesk example: HD-2 has seen HD-1.
func TestStateBelongsToTheConversationUnlessTheConfigurationWidensIt(t *testing.T) {
	source := filepath.Join("..", "..", "examples", "helpdesk", "pack", "components", "helpdesk.tickets")
	files := map[string]string{
		"components": "  - { id: helpdesk.tickets, wasm: components/helpdesk.tickets/component.wasm }\n",
		"components/helpdesk.tickets/component.manifest.json": read(t, source, "component.manifest.json"),
		"components/helpdesk.tickets/component.wasm":          read(t, source, "component.wasm"),
	}
	r := newRig(t)
	r.withEngine()
	opens := func(config string) string {
		return "nodes:\n  open:\n    component.exec: { component: helpdesk.tickets, operation: open, input: { summary: s, category: c, priority: p }" + config +
			" }\n    routing: [{ to: say }]\n  say:\n    emit.response: { text: \"{{node.open.id}}\" }\n    routing: out\n"
	}
	for name, c := range map[string]struct{ config, other, stranger string }{
		"conversation": {"", "HD-1", "HD-1"},
		"user":         {", config: { state: user }", "HD-2", "HD-1"},
		"tenant":       {", config: { state: tenant }", "HD-2", "HD-3"},
	} {
		run, stop := r.start(makePack(t, "t.scope."+name, map[string]string{"main": opens(c.config)}, files))
		ticket := func(conversation, user string) string {
			trigger := say(name+conversation, fmt.Sprint(r.ids.Add(1)), "x")
			trigger.Body, _ = json.Marshal(greentic.Message{Text: "x", From: &greentic.Actor{ID: user}})
			result := turn(t, run, trigger)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			return texts(result)[0]
		}
		for _, step := range []struct{ conversation, user, want string }{{"1", "anna", "HD-1"}, {"2", "anna", c.other}, {"3", "ben", c.stranger}} {
			if got := ticket(step.conversation, step.user); got != step.want {
				t.Errorf("%s: conversation %s of %s opens %s, want %s", name, step.conversation, step.user, got, step.want)
			}
		}
		stop()
	}
}

// TestAnOlderNodeGetsItsInputWrappedIfItsConfigurationSaysSo: the component answers with its
// input; only the envelope has a flow_id.
func TestAnOlderNodeGetsItsInputWrappedIfItsConfigurationSaysSo(t *testing.T) {
	r := newRig(t)
	r.withEngine()
	files := map[string]string{
		"components": "  - { id: test.older, version: 0.2.0, world: \"greentic:component/component@0.5.0\", wasm: components/older.wasm }\n", "components/older.wasm": read(t, "..", "host", "testdata", "older-b.wasm"),
	}
	for config, want := range map[string]string{"": "plain s", ", config: { input: envelope }": "main ", ", config: { input: other }": "plain s"} {
		run, stop := r.start(makePack(t, fmt.Sprintf("t.older.%d", len(config)), map[string]string{"main": "nodes:\n  old:\n" +
			"    component.exec: { component: test.older, operation: input, input: { flow_id: plain, x: s }" + config + " }\n    routing: [{ to: say }]\n  say:\n" +
			"    emit.response: { text: \"{{node.old.flow_id}} {{node.old.x}}\" }\n    routing: out\n"}, files))
		result := turn(t, run, say("c", fmt.Sprint(r.ids.Add(1)), "x"))
		if result.Err != nil || len(texts(result)) != 1 || texts(result)[0] != want {
			t.Errorf("config %q: %v %v, want %q", config, texts(result), result.Err, want)
		}
		stop()
	}
}
