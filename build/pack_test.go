package build

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
	"greentic.dev/model/trust"
	"greentic.dev/wasm"
)

const code = "\x00asm\x0d\x00\x01\x00"

// desk is a source folder with one of everything.
func desk() map[string]string {
	return map[string]string{
		"pack.yaml": `pack_id: desk
version: 1.0.0
publisher: tests
components:
  - id: desk.greeter
    version: 1.2.3
    world: greentic:component/component@0.6.0
    supports: [messaging, component-config]
    capabilities: { wasi: { random: true }, host: { state: { read: true, write: true } } }
    wasm: components/greeter.wasm
    operations:
      - { name: greet, input_schema: { type: object }, output_schema: { type: object } }
flows:
  - { id: main, file: flows/main.ygtc, tags: [default], entrypoints: [default] }
assets:
  - path: notes.txt
extensions:
  greentic.egress.v1: { version: "1", inline: { hosts: [{ host: api.example.com }] } }
  greentic.events.v1:
    version: "1"
    inline:
      schedules:
        - { id: daily, cron: "30 8 * * MON-FRI", zone: Europe/Berlin, catch_up: all, catch_up_limit: 10, flow: main, input: { days: 1 } }
      subscriptions:
        - { id: orders, topics: [orders.created], flow: main }
`,
		"flows/main.ygtc": `id: main
type: messaging
start: hello
nodes:
  hello:
    greet: { who: "{{entry.input.text}}" }
    routing: [{ to: named }]
  named:
    component.exec: { component: desk.greeter, operation: greet, input: {} }
    routing: [{ to: bye }]
  bye:
    emit.response: { text: "bye" }
    routing: out
`,
		"components/greeter.wasm":    code,
		"assets/cards/hello.json":    `{"type":"AdaptiveCard"}`,
		"assets/.hidden":             "not packed",
		"schemas/a.json":             "{}",
		"notes.txt":                  "listed",
		"loose.txt":                  "not listed",
		".env":                       "SECRET=1",
		"secret-requirements.json":   `[{"key":"TOKEN","required":true,"scope":{"env":"<env>","tenant":"<tenant>"},"format":"text"}]`,
		"flows/main.ygtc.notes.json": "{}",
	}
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func archive(t *testing.T, r *Result) *pack.Archive {
	t.Helper()
	a, err := pack.Open(r.Bytes, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheSameFolderGivesTheSameSignedPack(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	sign := func(c trust.Content) ([]byte, []byte, error) {
		d := c.Digest()
		return ed25519.Sign(key, d[:]), []byte("chain"), nil
	}
	var packs []*Result
	for range 2 {
		r, err := Pack(context.Background(), folder(t, desk()), Options{Sign: sign})
		if err != nil {
			t.Fatal(err)
		}
		packs = append(packs, r)
	}
	if !bytes.Equal(packs[0].Bytes, packs[1].Bytes) {
		t.Error("two builds of the same folder differ")
	}
}

func TestAFolderBecomesAPack(t *testing.T) {
	r, err := Pack(context.Background(), folder(t, desk()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := archive(t, r)
	var files []string
	for _, f := range r.Files {
		files = append(files, f.Path)
	}
	want := []string{
		"manifest.cbor", "assets/cards/hello.json", "assets/notes.txt", "assets/secret-requirements.json",
		"components/desk.greeter.manifest.cbor", "components/desk.greeter.wasm", "flows/main.ygtc", "schemas/a.json", "pack.lock.cbor", "sbom.cbor",
	}
	if !slices.Equal(files, want) {
		t.Errorf("files %v\nwant  %v", files, want)
	}
	if len(r.Findings) != 1 || r.Findings[0].Path != "loose.txt" {
		t.Errorf("findings %v", r.Findings)
	}
	nodes := a.Manifest().Flows[0].Doc["nodes"].([]any)
	for i, want := range [][2]any{{"desk.greeter", "greet"}, {"desk.greeter", nil}, {"emit.response", nil}} {
		ref := nodes[i].(map[string]any)["component"].(map[string]any)
		if ref["id"] != want[0] || ref["operation"] != want[1] {
			t.Errorf("node %d means %v, want %v", i, ref, want)
		}
	}
	c, err := a.Component("desk.greeter")
	if err != nil || c.Manifest == nil || !slices.Equal(c.Manifest.Supports, []string{"messaging", "component_config"}) || c.Digest == "" {
		t.Errorf("component %+v, %v", c, err)
	}
	var caps []string
	for _, c := range a.Manifest().Capabilities {
		caps = append(caps, c.Name)
	}
	if !slices.Equal(caps, []string{"host:state:read", "host:state:write", "wasi:random"}) {
		t.Errorf("capabilities %v", caps)
	}
	if s := a.SecretRequirements(); len(s) != 1 || s[0].Key != "TOKEN" {
		t.Errorf("secrets %v", s)
	}
	if e := a.Egress(); len(e) != 1 || e[0].Host != "api.example.com" {
		t.Errorf("egress %v", e)
	}
	if s, sub := a.Events(); len(s) != 1 || s[0].CatchUpLimit != 10 || string(s[0].Input) != `{"days":1}` || len(sub) != 1 || sub[0].Topics[0] != "orders.created" {
		t.Errorf("events %+v %+v", s, sub)
	}
}

func TestMistakesAreShownWhereTheyAre(t *testing.T) {
	for _, c := range []struct {
		name, file, old, new string
		line                 int
		say, fix             string
	}{
		{"unknown key", "pack.yaml", "publisher:", "publsher:", 3, "publsher", "publisher"},
		{"unknown key below", "pack.yaml", "    wasm:", "    wasn:", 10, "wasn", "wasm"},
		{"duplicate key", "pack.yaml", "publisher: tests", "version: 1.0.0", 3, "version", ""},
		{"not YAML", "pack.yaml", "version: 1.0.0", "version: [1", 0, "", ""},
		{"anchor", "pack.yaml", "publisher: tests", "publisher: &a tests", 3, "anchors", "write the value out"},
		{"bad version", "pack.yaml", "version: 1.0.0", "version: one", 2, "semantic version", ""},
		{"missing id", "pack.yaml", "pack_id: desk\n", "", 1, "pack_id is missing", ""},
		{"bad kind", "pack.yaml", "publisher: tests", "kind: app", 3, "application", ""},
		{"code missing", "pack.yaml", "components/greeter.wasm", "components/none.wasm", 10, "no such file", ""},
		{"code outside", "pack.yaml", "components/greeter.wasm", "../greeter.wasm", 5, "in this folder", ""},
		{"flow missing", "pack.yaml", "file: flows/main.ygtc", "file: flows/none.ygtc", 14, "no file flows/none.ygtc", ""},
		{"flow with another id", "pack.yaml", "id: main, file", "id: other, file", 14, `calls itself "main"`, ""},
		{"asset missing", "pack.yaml", "path: notes.txt", "path: none.txt", 16, "no asset none.txt", ""},
		{"asset outside", "pack.yaml", "path: notes.txt", "path: ../../etc/passwd", 16, "no asset in this folder", ""},
		{"a builtin as component", "pack.yaml", "id: desk.greeter", "id: emit.response", 5, "builtin", ""},
		{"a card that is not JSON", "assets/cards/hello.json", "{", "{\n  \"a\" 1", 2, "not JSON", ""},
		{"unknown component", "flows/main.ygtc", "component: desk.greeter", "component: desk.greter", 8, "desk.greter", "desk.greeter"},
		{"unknown operation", "flows/main.ygtc", "    greet: {", "    great: {", 5, "great", "greet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := desk()
			files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
			_, err := Pack(context.Background(), folder(t, files), Options{})
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v", err)
			}
			pos, fix, _ := fault.Detail(err)
			if !strings.HasSuffix(pos.File, filepath.FromSlash(c.file)) || pos.Line == 0 || c.line > 0 && pos.Line != c.line {
				t.Errorf("at %+v, want %s:%d (%v)", pos, c.file, c.line, err)
			}
			if !strings.Contains(err.Error(), c.say) || !strings.Contains(fix, c.fix) {
				t.Errorf("%v, fix %q; want %q, fix %q", err, fix, c.say, c.fix)
			}
		})
	}
}

func TestWhatIsNoSourceFolderIsRefused(t *testing.T) {
	if _, err := Pack(context.Background(), filepath.Join(t.TempDir(), "none"), Options{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := Pack(context.Background(), t.TempDir(), Options{}); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "pack.yaml") {
		t.Errorf("no pack.yaml: %v", err)
	}
	outer := t.TempDir()
	if err := os.Rename(folder(t, desk()), filepath.Join(outer, "pack")); err != nil {
		t.Fatal(err)
	}
	if _, err := Pack(context.Background(), outer, Options{}); err != nil {
		t.Errorf("a folder whose pack lies in pack/: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Pack(ctx, folder(t, desk()), Options{}); !fault.Is(err, fault.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestSymbolicLinksAreNotFollowed(t *testing.T) {
	for _, target := range []string{"/etc/hostname", "hello.json", "../../.."} {
		dir := folder(t, desk())
		if err := os.Symlink(target, filepath.Join(dir, "assets", "cards", "link.json")); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
		if _, err := Pack(context.Background(), dir, Options{}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "link.json") {
			t.Errorf("link to %s: %v", target, err)
		}
	}
}

func TestASourceFolderLargerThanAPackIsRefused(t *testing.T) {
	files := desk()
	files["assets/big"] = strings.Repeat("x", 5000)
	if _, err := Pack(context.Background(), folder(t, files), Options{Limits: pack.Options{MaxFile: 4000}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestSidecarsNameTheComponent(t *testing.T) {
	files := desk()
	files["pack.yaml"] = strings.Replace(files["pack.yaml"], "name: greet", "name: other", 1)
	files["flows/main.ygtc.resolve.json"] = `{"schema_version":1,"flow":"main.ygtc","nodes":{"hello":{"source":{"kind":"local","path":"../components/greeter.wasm"}}}}`
	r, err := Pack(context.Background(), folder(t, files), Options{})
	if err != nil {
		t.Fatal(err)
	}
	ref := archive(t, r).Manifest().Flows[0].Doc["nodes"].([]any)[0].(map[string]any)["component"].(map[string]any)
	if ref["id"] != "desk.greeter" || ref["operation"] != "greet" {
		t.Errorf("local: %v", ref)
	}
	pin := "sha256:" + strings.Repeat("ab", 32)
	delete(files, "flows/main.ygtc.resolve.json")
	files["flows/main.ygtc.resolve.summary.json"] = `{"nodes":{"hello":{"component_id":"far.away","source":{"kind":"oci","ref":"oci://example.com/far"},"digest":"` + pin + `"}}}`
	if r, err = Pack(context.Background(), folder(t, files), Options{}); err != nil {
		t.Fatal(err)
	}
	c, err := archive(t, r).Component("far.away")
	if err != nil || string(c.Digest) != pin || c.Path != "" || c.Source != "oci://example.com/far" {
		t.Errorf("remote: %+v, %v", c, err)
	}
}

func TestDescriptionsEnterTheLock(t *testing.T) {
	describe := func(context.Context, []byte) (any, error) {
		return map[string]any{"info": map[string]any{"id": "desk.greeter", "role": "tool"}, "operations": []any{
			map[string]any{"id": "z", "schema_hash": strings.Repeat("1", 64)}, map[string]any{"id": "a", "schema_hash": strings.Repeat("2", 64)},
		}}, nil
	}
	r, err := Pack(context.Background(), folder(t, desk()), Options{Describe: describe})
	if err != nil {
		t.Fatal(err)
	}
	lock := archive(t, r).Lock()
	if len(lock) != 1 || lock[0].Role != "tool" || len(lock[0].Operations) != 2 || lock[0].Operations[0].ID != "a" || lock[0].DescribeHash == lock[0].Digest[7:] {
		t.Errorf("lock %+v", lock)
	}
}

// The public card component describes itself; its hashes were published with it.
func TestAPublicComponentHasThePublishedHashes(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	code, err := os.ReadFile(filepath.Join(dir, "ai.greentic.component-adaptive-card.wasm"))
	if err != nil {
		t.Skip("the card component is not among the input: ", err)
	}
	ctx := context.Background()
	engine, err := wasm.New(ctx, wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close(ctx)
	b := &builder{opts: Options{Describe: Describer(engine)}}
	p := part{}
	if err := b.describe(ctx, &p, code); err != nil {
		t.Fatal(err)
	}
	if p.lock.DescribeHash != "e570cb288d90a6033796346145c8116eae0781d0ad5296710052bed7c5814c9a" {
		t.Errorf("describe hash %s", p.lock.DescribeHash)
	}
	if len(p.lock.Operations) != 1 || p.lock.Operations[0].SchemaHash != "0b5e72e9183f757786a775a873113d31f4c440af76a450763ba40b0afdd66f28" {
		t.Errorf("operations %+v", p.lock.Operations)
	}
}
