package library

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"greentic.dev/greentic"
	"greentic.dev/internal/testserver/llm"
	"greentic.dev/system"
	"greentic.dev/system/systemtest"
)

var block = regexp.MustCompile("(?s)```yaml\n(id: (\\S+)\n.*?)```")

// talk is a conversation with the flow in a component's README: what is said, and what the answer holds.
type talk struct {
	component string
	turns     [][2]string
	files     map[string]string // of the pack, beside flow and component
	replace   []string          // in the flow: old, new, ...
	allow     []string
}

// pack is a pack of one flow and one component.
func (k talk) pack(t *testing.T) string {
	t.Helper()
	code, _ := read(t, k.component)
	readme, err := os.ReadFile(filepath.Join(root, k.component, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := block.FindStringSubmatch(string(readme))
	if m == nil {
		t.Fatalf("%s has no flow in its README", k.component)
	}
	manifest, err := os.ReadFile(filepath.Join(root, k.component, "component.manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	id := "greentic." + k.component
	files := map[string]string{
		"flows/" + m[2] + ".ygtc":                       strings.NewReplacer(k.replace...).Replace(m[1]),
		"components/" + id + "/component.wasm":          string(code),
		"components/" + id + "/component.manifest.json": string(manifest),
		"pack.yaml": fmt.Sprintf("pack_id: test.%s\nversion: 0.1.0\nkind: application\npublisher: test\nname: Test\ncomponents:\n  - { id: %s, wasm: components/%s/component.wasm }\nflows:\n  - { id: %s, file: flows/%s.ygtc, tags: [default], entrypoints: [default] }\n",
			k.component, id, id, m[2], m[2]),
	}
	for name, text := range k.files {
		files[name] = text
	}
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// hold takes the conversation through the platform.
func (k talk) hold(t *testing.T) {
	t.Helper()
	folder := k.pack(t)
	dir := t.TempDir()
	c, err := system.Load("", func(string) string { return "" }, []system.Override{{Key: "data", Value: filepath.Join(dir, "data")}, {Key: "keys", Value: filepath.Join(dir, "keys")},
		{Key: "cache", Value: cache}, {Key: "allow_http", Value: strings.Join(k.allow, ",")}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := system.Open(t.Context(), c, system.Options{Ephemeral: true, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		Secrets: map[string]string{"HTTP_TOKEN": "s3cret", "OPENAI_API_KEY": llm.Key, "ANTHROPIC_API_KEY": llm.Key}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := s.Load(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, turn := range k.turns {
		m := systemtest.Step{Say: turn[0]}.Message(fmt.Sprint(i), "ada", "de")
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		tenant := s.Tenant()
		tenant.User = "ada"
		result, err := s.Turn(t.Context(), greentic.Trigger{ID: m.ID, Tenant: tenant, Kind: greentic.KindMessage, Route: "script", Key: "ada", Body: body})
		if err == nil {
			err = result.Err
		}
		if err == nil {
			err = systemtest.Step{Expect: []string{turn[1]}}.Check(result.Replies, result.Status)
		}
		if err != nil {
			t.Fatalf("turn %d, %q: %v", i, turn[0], err)
		}
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// The flows in the documentation do what they say, in a pack, on the whole platform.
func TestTheFlowsOfTheDocumentationAnswer(t *testing.T) {
	model := llm.Start(t)
	model.Next(llm.Reply{Text: "It is late."}, llm.Reply{Status: 401})
	weather := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("city") != "Bern" || r.Header.Get("Authorization") != "Bearer s3cret" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"main":{"temp":21}}`)
	}))
	defer weather.Close()
	bare := func(url string) string { return strings.TrimPrefix(url, "http://") }
	for _, k := range []talk{
		{component: "adaptive-card", turns: [][2]string{{"hi", "Hallo ada"}}, files: map[string]string{
			"assets/cards/welcome.json": `{"type":"AdaptiveCard","version":"1.3","body":[{"type":"TextBlock","text":"{{i18n:hello}} {{name}}"}]}`,
			"assets/i18n/en.json":       `{"hello":"Hello"}`, "assets/i18n/de.json": `{"hello":"Hallo"}`}},
		{component: "http", turns: [][2]string{{"Bern", "21 degrees"}, {"Atlantis", "I cannot tell now."}}, replace: []string{"https://api.example.com", weather.URL}, allow: []string{bare(weather.URL)}},
		{component: "llm", turns: [][2]string{{"What time is it?", "It is late."}, {"And now?", "I cannot answer now."}},
			replace: []string{"model: gpt-4o-mini", "base_url: " + model.URL + "/v1\n        model: gpt-4o-mini"}, allow: []string{bare(model.URL)}},
		{component: "qa", turns: [][2]string{{"hello", "Which size? 1. Small 2. Large"}, {"small", "How many?"}, {"lots", "this is no number How many?"}, {"3", "Anything else?"}, {"no", "3 Small. Thank you."}}},
		{component: "router", turns: [][2]string{{"I want a refund", "Let us look at your bill."}, {"order #77", "Order 77, one moment."}, {"hm", "Somebody will answer you."}}},
		{component: "templates", turns: [][2]string{{"Ada", "Hello Ada, welcome back"}}},
		{component: "transform", turns: [][2]string{{"go", `Adults: ["Ada"]`}}},
	} {
		t.Run(k.component, k.hold)
	}
}
