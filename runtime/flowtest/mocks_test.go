package flowtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	run "greentic.dev/runtime/flowtest"
	"greentic.dev/wasm"
)

const pricing = `
  a:
    component.exec: { component: shop.pricing, operation: quote, input: { sku: "{{response.text}}", n: 2 } }
    routing:
      - { status: error, to: sorry }
      - { to: b }
  b:
    emit.response: { text: "It costs {{a.total}}" }
  sorry:
    emit.response: { text: "{{a.error.code}}" }
`

func TestMocksAnswerByComponentOperationAndInput(t *testing.T) {
	passes(t, pricing, `
mocks:
  - { component: shop.pricing, operation: quote, input: { sku: pen, n: 2 }, answer: { total: 3 } }
  - { component: shop.pricing, operation: list, answer: { total: 1 } }
  - { operation: quote, input: { sku: ink }, answer: { total: 5 } }
  - { component: shop.pricing, input: { sku: gold }, error: { code: sold_out, message: none left } }
cases:
  - case: each its own
    steps:
      - { say: pen, replies: [It costs 3], calls: [{ input: { sku: pen } }] }
      - { say: ink, replies: [It costs 5] }
      - { say: gold, replies: [sold_out], route: [a, sorry] }
  - case: those of a case come first, and as often as they say
    mocks:
      - { component: shop.pricing, times: 1, answer: { total: 9 } }
    steps:
      - { say: pen, replies: [It costs 9] }
      - { say: pen, replies: [It costs 3] }
`)
}

func TestACallThatNothingAnswersIsNamedWithItsInput(t *testing.T) {
	f := play(t, written(t, pricing, "cases:\n  - case: c\n    steps: [{ say: pen, replies: [not_mocked] }]\n"))
	failures := f.Results[0].Failures
	if len(failures) != 1 || !strings.Contains(failures[0].Message, "no mock answers shop.pricing quote with {") || !strings.Contains(failures[0].Message, `"sku": "pen"`) {
		t.Errorf("%+v", failures)
	}
}

// A flow whose nodes do not name their component is mocked by what they call.
func TestAnOperationAloneIsMockedByItsName(t *testing.T) {
	passes(t, "  a:\n    card: { title: x }\n    routing: [{ to: b }]\n  b:\n    emit.response: { text: '{{a.done}}' }\n",
		"mocks: [{ component: card, answer: { done: \"yes\" } }]\ncases:\n  - case: c\n    steps: [{ say: hi, replies: [\"yes\"], calls: [{ component: card, input: { title: x } }] }]\n")
}

// asking is a pack around a provider that does what the letters of its input say: g and p send
// requests to the URL that is its operation, k reads a secret, s and t read and write the state.
func asking(t *testing.T, test string) string {
	t.Helper()
	dir := t.TempDir()
	code, err := os.ReadFile("../host/testdata/asker.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"pack.yaml": `pack_id: t.asking
version: 1.0.0
kind: application
publisher: tests
components:
  - id: t.asker
    version: 1.0.0
    world: "greentic:component/component@0.6.0"
    wasm: components/asker.wasm
    capabilities:
      wasi: { random: true, clocks: true }
      host: { secrets: { required: [{ key: TOKEN, required: true }] }, state: { read: true, write: true }, http: { client: true, server: false } }
flows:
  - { id: main, file: flows/main.ygtc, tags: [default] }
`,
		"components/asker.wasm": string(code),
		"flows/main.ygtc": `id: main
type: messaging
nodes:
  a:
    component.exec: { component: t.asker, operation: "https://api.example.com/x", input: "{{response.text}}" }
    routing: [{ to: b }]
  b:
    emit.response: { text: "{{a}}" }
`,
		"flows/main.flowtest.yaml": test,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "flows", "main.flowtest.yaml")
}

func TestRealComponentsAskMocksForServersAndSecrets(t *testing.T) {
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := wasm.New(t.Context(), wasm.Options{CacheDir: filepath.Join(base, "greentic", "code")})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(t.Context())
	name := asking(t, `
secrets: { TOKEN: s3cret }
http:
  - { method: GET, url: https://api.example.com/x, times: 1, answer: { body: { n: 1 } } }
  - { method: GET, url: "https://api.example.com/*", answer: { status: 404, body: gone } }
cases:
  - case: a server answers, and then otherwise
    steps:
      - { say: jg, replies: ['{"n":1}'], calls: [{ component: t.asker, input: jg }] }
      - { say: jg, replies: [gone] }
  - case: a request carries the secret
    http: [{ method: POST, url: https://api.example.com/x, body: s3cret, answer: { body: taken } }]
    steps: [{ say: jkp, replies: [taken] }]
  - case: a server is away
    http: [{ url: https://api.example.com/x, error: connection refused }]
    steps: [{ say: jg, replies: ["!unavailable"] }]
  - case: the state is what the case says
    state: { k: { a: 1 } }
    steps: [{ say: js, replies: ['{"a":1}'] }]
  - case: a request that nothing answers
    steps: [{ say: jp }]
`)
	f, err := newTests(run.Deps{Engine: engine}).Play(t.Context(), name)
	if err != nil || len(f.Wrong) > 0 {
		t.Fatal(err, f)
	}
	for i, r := range f.Results {
		missed := i == len(f.Results)-1
		if !missed && len(r.Failures) > 0 || missed && (len(r.Failures) != 1 || r.Failures[0].Message != "no http mock answers POST https://api.example.com/x") {
			t.Errorf("%s: %+v", r.Case, r.Failures)
		}
	}
}
