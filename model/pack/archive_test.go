package pack

import (
	"bytes"
	"compress/flate"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func digestOf(b []byte) greentic.Digest { return greentic.DigestOf(b) }
func crc(b []byte) uint32               { return crc32.ChecksumIEEE(b) }

func squeeze(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 9)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(t *testing.T, b []byte) *Archive {
	t.Helper()
	a, err := Open(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAPackIsReadAsItWasWritten(t *testing.T) {
	b := build(t, sample())
	a := open(t, b)
	if f := append(a.Findings(), a.Integrity()...); len(f) > 0 {
		t.Errorf("findings in a fresh pack: %v", f)
	}
	if a.ID() != "desk" || a.Version() != "1.0.0" || a.Kind() != "application" || a.Digest() != digestOf(b) || a.Size() != int64(len(b)) {
		t.Errorf("got %s %s %s %s %d", a.ID(), a.Version(), a.Kind(), a.Digest(), a.Size())
	}
	m := a.Manifest()
	if ext, _ := m.Extensions["x.unknown.v9"].(map[string]any); ext["odd"] != true || m.Extra["x_future"] != "kept" {
		t.Errorf("what we do not know was lost: %v %v", m.Extensions, m.Extra)
	}
	if h := a.Egress(); len(h) != 1 || h[0].Host != "api.example.com" || h[0].Ports[0] != 8443 || h[0].Methods[0] != "GET" {
		t.Errorf("egress %+v", h)
	}
	nodes := m.Flows[0].Doc["nodes"].([]any)
	first := nodes[0].(map[string]any)
	routing := first["routing"].(map[string]any)["Branch"].(map[string]any)
	if first["id"] != "hello" || first["component"].(map[string]any)["id"] != "desk.greeter" || routing["on_status"].(map[string]any)["ok"] != "bye" || routing["default"] != nil {
		t.Errorf("ids were not restored: %v", first)
	}
	if !slices.Equal(a.Tags("main"), []string{"default"}) {
		t.Errorf("tags %v", a.Tags("main"))
	}
}

func TestComponentsAreFoundAndPinned(t *testing.T) {
	src := sample()
	src.Lock = append(src.Lock,
		LockEntry{ComponentID: "far.away", Ref: "oci://example.com/far@sha256:1", Digest: string(digestOf([]byte("far")))},
		LockEntry{ComponentID: "emit.response", Digest: "sha256:1111", Role: "builtin"})
	a := open(t, build(t, src))
	code, err := a.Wasm("desk.greeter")
	if err != nil || !bytes.HasPrefix(code, []byte("\x00asm")) {
		t.Fatalf("%q, %v", code, err)
	}
	if _, err := a.Wasm("far.away"); !fault.Is(err, fault.NotFound) || !bytes.Contains([]byte(err.Error()), []byte("oci://example.com/far")) {
		t.Errorf("remote: %v", err)
	}
	if _, err := a.Wasm("emit.response"); !fault.Is(err, fault.NotFound) {
		t.Errorf("builtin: %v", err)
	}
	if c, err := a.Component("desk.greeter"); err != nil || c.Version != "1.2.3" || c.Manifest == nil {
		t.Errorf("%+v, %v", c, err)
	}
	src.Lock[0].Digest = string(digestOf([]byte("other")))
	if _, err := open(t, build(t, src)).Wasm("desk.greeter"); !fault.Is(err, fault.Unverified) {
		t.Errorf("other code than pinned: %v", err)
	}
}

func TestAssetsAreFoundWithTheDetoursOfRealPacks(t *testing.T) {
	src := sample()
	src.Files = append(src.Files, File{"assets/assets/cards/old.json", []byte("old")}, File{"schemas/a.json", []byte("root")}, File{"assets/schemas/a.json", []byte("below")})
	a := open(t, build(t, src))
	for name, want := range map[string]string{
		"assets/cards/hello.json": `{"type":"AdaptiveCard"}`, "cards/hello.json": `{"type":"AdaptiveCard"}`,
		"./assets/cards/hello.json": `{"type":"AdaptiveCard"}`,
		"cards/old.json":            "old", "assets/cards/old.json": "old",
		"schemas/a.json": "root", "assets/schemas/a.json": "below",
	} {
		if got, err := a.Asset(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, kind := range map[string]fault.Kind{
		"/etc/passwd": fault.Denied, "../a": fault.Denied, "assets/../../a": fault.Denied, "": fault.Denied, `a\b`: fault.Denied,
		"manifest.cbor": fault.NotFound, "components/desk.greeter.wasm": fault.NotFound, "flows/main.ygtc": fault.NotFound, "assets/none": fault.NotFound,
		"assets/../components/desk.greeter.wasm": fault.NotFound,
	} {
		if _, err := a.Asset(name); !fault.Is(err, kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := fstest.TestFS(a.Assets(), "assets/cards/hello.json", "assets/i18n/de.json", "schemas/a.json"); err != nil {
		t.Error(err)
	}
	if _, err := fs.ReadFile(a.Assets(), "manifest.cbor"); err == nil {
		t.Error("a guest can read the manifest")
	}
}

func TestTextsAreFlatAndPerLocale(t *testing.T) {
	a := open(t, build(t, sample()))
	if got := a.Locales(); !slices.Equal(got, []string{"de", "en"}) {
		t.Errorf("locales %v", got)
	}
	texts, err := a.Texts("en")
	if err != nil || texts["hi"] != "Hello" || texts["menu.back"] != "Back" {
		t.Errorf("%v, %v", texts, err)
	}
	if texts, err = a.Texts("fr"); err != nil || len(texts) != 0 {
		t.Errorf("%v, %v", texts, err)
	}
}

func TestAnUnknownSchemaThatCanBeReadIsAWarning(t *testing.T) {
	b := bytes.ReplaceAll(build(t, sample()), []byte("pack-v1"), []byte("pack-v2"))
	e, err := container{b: b, limit: Options{}.orDefault()}.entries()
	if err != nil {
		t.Fatal(err)
	}
	m, findings, err := readManifest(e[0].raw)
	if err != nil || m.ID != "desk" || !has(findings, Warn, "PACK_MANIFEST_UNSUPPORTED") {
		t.Fatalf("%+v %v %v", m, findings, err)
	}
}

func TestAmbiguousManifestsAreFound(t *testing.T) {
	for _, c := range []struct {
		code   string
		change func(*Manifest)
	}{
		{"PACK_ID_MISSING", func(m *Manifest) { m.ID = "" }},
		{"PACK_COMPONENT_ID_DUPLICATE", func(m *Manifest) { m.Components = append(m.Components, m.Components[0]) }},
		{"PACK_FLOW_ID_DUPLICATE", func(m *Manifest) { m.Flows = append(m.Flows, m.Flows[0]) }},
		{"PACK_FLOW_ID_MISMATCH", func(m *Manifest) { m.Flows[0].ID = "other" }},
		{"PACK_DEPENDENCY_ALIAS_MISSING", func(m *Manifest) { m.Dependencies = []Dependency{{PackID: "x"}} }},
		{"PACK_DEPENDENCY_ALIAS_DUPLICATE", func(m *Manifest) { m.Dependencies = []Dependency{{Alias: "a", PackID: "x"}, {Alias: "a", PackID: "y"}} }},
	} {
		src := sample()
		c.change(&src.Manifest)
		if a := open(t, build(t, src)); !has(a.Findings(), Error, c.code) {
			t.Errorf("want %s in %v", c.code, a.Findings())
		}
	}
}

func TestAMalformedEgressListGrantsNothing(t *testing.T) {
	src := sample()
	src.Manifest.Extensions[ExtEgress] = map[string]any{"inline": map[string]any{"hosts": []any{map[string]any{"host": "a b"}}}}
	a := open(t, build(t, src))
	if len(a.Egress()) != 0 || !has(a.Findings(), Error, "PACK_EGRESS_INVALID") {
		t.Errorf("%v %v", a.Egress(), a.Findings())
	}
}

func TestPublicPacksOpen(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.gtpack"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no packs in %s: %v", dir, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		a := open(t, b)
		for _, f := range a.Findings() {
			if f.Severity == Error {
				t.Errorf("%s: %v", filepath.Base(name), f)
			}
		}
		for _, c := range a.Components() {
			if _, err := a.Wasm(c.ID); err != nil && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", filepath.Base(name), err)
			}
		}
		stale, known := map[string]bool{"quickstart.gtpack": true, "quickstart-app.gtpack": false}[filepath.Base(name)]
		if found := has(a.Integrity(), Error, ""); known && found != stale {
			t.Errorf("%s: stale entries found %v, want %v", filepath.Base(name), found, stale)
		}
	}
}
