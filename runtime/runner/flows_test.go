package runner_test

import (
	"fmt"
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

func TestAProviderIsFoundByItsTypeOrByName(t *testing.T) {
	u := newUpstream(t, func(path string, _ int) string { return fmt.Sprintf(`{"path":%q}`, path) })
	r := newRig(t)
	node := func(which, path string) string {
		return fmt.Sprintf("    provider.invoke: { %s, op: %q, input: jg, out_map: { text: /result/path } }\n", which, u.URL+path)
	}
	flow := "\nnodes:\n  a:\n" + node("provider_type: t.one", "/a") + "    routing: [{ to: b }]\n  b:\n" + node("provider_id: test.asker", "/b") + "    routing: [{ to: c }]\n" +
		"  c:\n" + node("provider_type: t.two", "/c") + "    routing: [{ status: error, to: d }]\n" +
		"  d:\n    emit.response: { text: \"{{a.text}} {{b.text}} {{c.error.code}}: {{c.error.message}}\" }\n"
	v := makePack(t, "t.caller", map[string]string{"main": flow}, map[string]string{
		"components": "  - { id: test.asker, version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/asker/component.wasm }\n" +
			"extensions:\n  greentic.provider-extension.v1:\n    kind: greentic.provider-extension.v1\n    version: 1.0.0\n    inline: { providers: [{ provider_type: t.one, capabilities: [], ops: [run], config_schema_ref: c.json, runtime: { component_ref: test.asker, export: schema-core-api, world: \"greentic:provider/schema-core@1.0.0\" } }] }\n",
		"components/asker/component.wasm": read(t, "..", "host", "testdata", "asker.wasm"),
	})
	run, _ := r.startCalling(u, v)
	result, err := run.Turn(t.Context(), say("c", "1", "hi"))
	want := `/a /b provider_not_found: pack t.caller: it has no provider "t.two"; it has: t.one`
	if err != nil || result.Err != nil || len(result.Replies) != 1 || result.Replies[0].Text != want {
		t.Errorf("%v %v %+v", err, result.Err, result.Replies)
	}
}
