package runner_test

import (
	"slices"
	"testing"

	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
)

// callers are flows of one pack that call each other, ask and jump.
var callers = map[string]string{
	"main": `
nodes:
  hello:
    emit.response: { text: "welcome" }
    routing: [{ to: name }]
  name:
    flow.call: { flow_id: ask }
    routing: [{ to: bye }]
  bye:
    emit.response: { text: "{{name.who}} is {{name.age}}, said {{response.text}}" }
    routing: [{ to: over }]
  over:
    flow.goto: { flow: done }
`,
	"ask": `
nodes:
  form:
    questions:
      fields:
        - { id: who, prompt: Name }
        - { id: age, prompt: Age, type: number }
`,
	"done": `
nodes:
  say:
    template: "done {{in.input.text}}"
`,
}

func TestACalledFlowWaitsAcrossARestartAndIsReplayed(t *testing.T) {
	r := newSQLiteRig(t)
	r.options.Flow = "main"
	v := makePack(t, "t.calls", callers, nil)
	run, stop := r.start(v)
	accept(t, run, say("c", "1", "hi"))
	want := []string{"welcome", "Name"}
	if got := r.channel.replies(t, "c", 2); !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	stop()
	r.reopen()
	run, _ = r.start(v)
	for i, text := range []string{"Ann", "old", "42.5"} {
		result, err := run.Turn(t.Context(), say("c", string(rune('2'+i)), text))
		if err != nil || result.Err != nil {
			t.Fatal(err, result.Err)
		}
	}
	want = append(want, "Age", "A number is needed. Age", "Ann is 42.5, said 42.5")
	if got := r.channel.replies(t, "c", 5); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	again, err := run.Replay(t.Context(), greentic.DefaultTenant(), "c", runner.ReplayOptions{})
	if err != nil || !again.Equal || len(again.Turns) != 4 {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestACallOfAFlowThatIsNotThereFailsItsTurnByName(t *testing.T) {
	r := newRig(t)
	run, _ := r.start(makePack(t, "t.calls", map[string]string{"main": "\nnodes:\n  x:\n    flow.call: { flow_id: gone }\n"}, nil))
	result, err := run.Turn(t.Context(), say("c", "1", "hi"))
	if err != nil || result.Err == nil || result.Err.Error() != `flow main node x: flow_not_found: pack t.calls: it has no flow "gone"` {
		t.Errorf("%v, %v", err, result.Err)
	}
}
