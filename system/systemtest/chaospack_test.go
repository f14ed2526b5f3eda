package systemtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chaosFlows are the flows of a storm. Each answer names what the session and the state knew
// before: a turn that is lost, doubled or out of order shows in the text.
func chaosFlows(sink string) map[string]string {
	return map[string]string{
		"chain": `
start: before
nodes:
  before:
    state.get: { key: last }
    routing: [{ to: say }]
  say:
    emit.response: { text: "{{response.text}} after {{node.before.value}}" }
    routing: [{ to: keep }]
  keep:
    state.set: { key: last, value: "{{response.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: before }]
`,
		// Calls the outside, which must see one call per message, whatever happens around it.
		"effect": `
start: act
nodes:
  act:
    component.exec: { component: test.asker, operation: "` + sink + `/effect", input: p }
    routing: [{ to: say }]
  say:
    emit.response: { text: "{{response.text}} {{node.act}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: act }]
`,
		// Answers, and speaks again when nobody has said anything for a while.
		"timer": `
start: say
nodes:
  say:
    emit.response: { text: "armed {{response.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next, timeout: 1s, on_timeout: late }
    routing: [{ to: say }]
  late:
    emit.response: { text: "late: {{node.say.text}}" }
    routing: [{ to: rest }]
  rest:
    session.wait: { reason: next }
    routing: [{ to: say }]
`,
		// Traps on "boom".
		"poison": `
start: taste
nodes:
  taste:
    emit.log: { at: "{{response.text}}" }
    routing:
      - { condition: 'response.text == "boom"', to: trap }
      - { to: say }
  trap:
    component.exec: { component: test.moody, operation: t, input: {} }
    routing: out
  say:
    emit.response: { text: "ate {{response.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: taste }]
`,
	}
}

// chaosPack writes the pack of a storm; its default flow is chain.
func chaosPack(t *testing.T, sink string) string {
	t.Helper()
	project := "pack_id: test.chaos\nversion: 1.0.0\nkind: application\npublisher: test\nflows:\n"
	files := map[string]string{}
	for _, id := range []string{"chain", "effect", "timer", "poison"} {
		tags := "[]"
		if id == "chain" {
			tags = "[default]"
		}
		project += "  - { id: " + id + ", file: flows/" + id + ".ygtc, tags: " + tags + " }\n"
		files["flows/"+id+".ygtc"] = "id: " + id + "\ntype: messaging\ntags: " + tags + chaosFlows(sink)[id]
	}
	project += "components:\n"
	for _, name := range []string{"asker", "moody"} {
		wasm, err := os.ReadFile(filepath.Join("..", "..", "runtime", "host", "testdata", name+".wasm"))
		if err != nil {
			t.Fatal(err)
		}
		project += "  - { id: test." + name + ", version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/" + name + ".wasm }\n"
		files["components/"+name+".wasm"] = string(wasm)
	}
	files["pack.yaml"] = project
	return writeFiles(t, files)
}

func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	writeInto(t, dir, files)
	return dir
}

func writeInto(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(strings.TrimPrefix(text, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
