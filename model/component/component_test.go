package component

import (
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
)

const good = `{
  "id": "desk.greeter",
  "name": "Greeter",
  "version": "1.2.3",
  "world": "greentic:component/component@0.6.0",
  "describe_export": "describe",
  "config_schema": {"type": "object"},
  "operations": [
    {"name": "greet", "input_schema": {"type": "object"}, "output_schema": {"$ref": "schemas/out.json"}}
  ],
  "default_operation": "greet",
  "supports": ["messaging"],
  "profiles": {"default": "stateless", "supported": ["stateless"]},
  "capabilities": {
    "wasi": {"filesystem": {"mode": "none", "mounts": []}, "random": true},
    "host": {"state": {"read": true, "write": false, "delete": true}, "http": {"client": true, "server": false}}
  },
  "secret_requirements": [
    {"key": "desk/TOKEN", "required": true, "scope": {"env": "<env>", "tenant": "<tenant>"}, "format": "text"}
  ],
  "artifacts": {"component_wasm": "greeter.wasm"},
  "hashes": {"component_wasm": "blake3:ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f"}
}`

func TestAManifestIsRead(t *testing.T) {
	m, err := Parse("component.manifest.json", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckWasm([]byte("hello")); err != nil {
		t.Errorf("the code with the declared hash: %v", err)
	}
	if err := m.CheckWasm([]byte("other")); !fault.Is(err, fault.Invalid) {
		t.Errorf("other code: %v", err)
	}
	if _, err := m.Operation("missing"); !fault.Is(err, fault.NotFound) {
		t.Errorf("missing operation: %v", err)
	}
	c := m.Compiled()
	want := []string{"host:secrets", "host:state:read", "host:state:write", "host:http", "wasi:fs:none", "wasi:random"}
	if got := c.Capabilities.Names(); !slices.Equal(got, want) {
		t.Errorf("derived names %v, want %v", got, want)
	}
	if m.Capabilities.Host.Secrets != nil {
		t.Error("compiling changed the manifest")
	}
}

func TestABrokenManifestIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		line           int
		say            string
	}{
		{"unknown key at the top", `"name": "Greeter",`, `"name": "Greeter", "operation": [],`, 3, `unknown key "operation"`},
		{"unknown key below", `"random": true`, `"radnom": true`, 15, `unknown key "radnom"`},
		{"key twice", `"version": "1.2.3",`, `"version": "1.2.3", "version": "1.2.4",`, 4, "stands twice"},
		{"wrong type", `"version": "1.2.3"`, `"version": 3`, 4, "must be a string"},
		{"bad version", `"1.2.3"`, `"1.2"`, 4, "semantic version"},
		{"bad id", `"desk.greeter"`, `"desk greeter"`, 2, "identifier"},
		{"missing key", `"hashes"`, `"telemetry": {"span_prefix": "x"}, "$schema"`, 0, ""},
		{"operation name", `"name": "greet"`, `"name": "Greet"`, 9, "does not match"},
		{"default operation", `"default_operation": "greet"`, `"default_operation": "run"`, 11, "not declared"},
		{"supports", `["messaging"]`, `["chat"]`, 12, "not one of"},
		{"path escape", `"greeter.wasm"`, `"../greeter.wasm"`, 21, "relative path"},
		{"hash form", `"blake3:ea`, `"sha256:ea`, 22, "blake3"},
		{"secret key", `"desk/TOKEN"`, `"../TOKEN"`, 19, "segments"},
		{"secret format", `"format": "text"`, `"format": "xml"`, 19, "format"},
		{"fs mode", `"mode": "none"`, `"mode": "all"`, 15, "read_only"},
		{"cut off", `"hashes": {"component_wasm": `, ``, 0, ""},
		{"two values", `24a67200f"}` + "\n}", `24a67200f"}` + "\n} {}", 23, "more than one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := strings.Replace(good, c.old, c.new, 1)
			if src == good {
				t.Fatal("the case changes nothing")
			}
			_, err := Parse("m.json", []byte(src))
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v", err)
			}
			pos, _, _ := fault.Detail(err)
			if pos.File != "m.json" || pos.Line == 0 || c.line > 0 && pos.Line != c.line || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want line %d and %q", err, c.line, c.say)
			}
		})
	}
}

func TestSecretsDeclaredTwiceMustAgree(t *testing.T) {
	src := strings.Replace(good, `"http":`, `"secrets": {"required": []}, "http":`, 1)
	if _, err := Parse("m.json", []byte(src)); !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
}

func TestADescriptionIsReadInBothDialects(t *testing.T) {
	d, err := ParseDescription(map[string]any{
		"info":       map[string]any{"id": "a", "version": "1.0.0", "role": "tool"},
		"operations": []any{map[string]any{"id": "card", "input": map[string]any{"schema": map[string]any{"type": "null"}}}},
	})
	if err != nil || d.ID != "a" || len(d.Operations) != 1 || len(d.Operations[0].SchemaHash) != 64 || len(d.Hash) != 64 {
		t.Fatalf("0.6.0: %+v, %v", d, err)
	}
	d, err = ParseDescription(map[string]any{"provider": "x", "operations": []any{map[string]any{"name": "run"}}})
	if err != nil || d.Operations[0].ID != "run" {
		t.Fatalf("0.6.1: %+v, %v", d, err)
	}
	if _, err = ParseDescription([]any{}); !fault.Is(err, fault.Invalid) {
		t.Fatalf("a list: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"id": {"a": [1, {"b": null}]}}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := Parse("m.json", src)
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("kind of %v", err)
		}
		if err == nil {
			m.Compiled().Capabilities.Names()
		}
	})
}
