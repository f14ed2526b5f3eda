package wasm_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// answers compiles a component with a cache and says whether it works.
func answers(t *testing.T, dir string) {
	t.Helper()
	e, err := wasm.New(context.Background(), wasm.Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if v := must(t, bind(t, load(t, e, "composed"), nil), "test:composed/user@1.0.0", "life", uint32(5)); v != uint32(105*1000+105) {
		t.Errorf("life = %v", v)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// entries are the files of a cache with what they hold.
func entries(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	held := map[string][]byte{}
	for _, f := range files {
		if held[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return held
}

// Every file of the cache is damaged in turn, in every way, and each time rebuilt as it was.
func TestADamagedCacheIsRebuilt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	answers(t, dir)
	sound := entries(t, dir)
	for name, damage := range map[string]func(b []byte) []byte{
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"empty":     func([]byte) []byte { return nil },
		"altered":   func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/3] ^= 4; return b },
		"longer":    func(b []byte) []byte { return append(bytes.Clone(b), b...) },
	} {
		t.Run(name, func(t *testing.T) {
			for file, b := range sound {
				if err := os.WriteFile(file, damage(b), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			answers(t, dir)
			for file, b := range entries(t, dir) {
				if !bytes.Equal(b, sound[file]) {
					t.Errorf("%s was not rebuilt", filepath.Base(file))
				}
			}
		})
	}
}

// Code of another version of the engine is not used: neither in a folder of that version, nor
// when it lies, correctly signed off, where code of this version should.
func TestACacheOfAnotherEngineVersionIsNotUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	answers(t, dir)
	sound := entries(t, dir)
	for file, b := range sound {
		if !strings.HasSuffix(file, ".code") {
			continue
		}
		_, rest, found := bytes.Cut(b, []byte("WAZEVO"))
		if !found || len(rest) < 10 {
			t.Fatal("an entry does not begin with the version of its engine")
		}
		version := bytes.Clone(b)
		version[len("WAZEVO")+1] ^= 1 // a digit of it
		base := strings.TrimSuffix(file, ".code")
		_, name, _ := strings.Cut(strings.TrimSpace(string(sound[base+".sum"])), " ")
		sum := sha256.Sum256(append([]byte(filepath.Base(base)+" "+name+"\n"), version...))
		if err := os.WriteFile(file, version, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(base+".sum", []byte(hex.EncodeToString(sum[:])+" "+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	answers(t, dir)
	folder, err := filepath.Glob(filepath.Join(dir, "wazero-*"))
	if err != nil || len(folder) != 1 {
		t.Fatalf("%q, %v", folder, err)
	}
	if err := os.Rename(folder[0], filepath.Join(dir, "wazero-v0.0.1")); err != nil {
		t.Fatal(err)
	}
	answers(t, dir)
	if again, _ := filepath.Glob(filepath.Join(folder[0], "*.code")); len(again) == 0 {
		t.Error("code of this version was not made")
	}
}

// A component that needs what nobody offers is refused before anything of it runs; the error
// names interface and function.
func TestAMissingImportIsNamedBeforeAnythingRuns(t *testing.T) {
	e := engine(t)
	compile := func(code []byte) *wasm.Component {
		c, err := e.Compile(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	called := hostileHosts(func(context.Context, *wasm.Call, []any) (any, error) {
		t.Error("a component that was refused ran")
		return nil, nil
	})
	partly := (&counters{}).hosts("test:host/counters@1.2.0")
	older := (&counters{}).hosts("test:host/counters@1.1.0")
	for name, c := range map[string]struct {
		component *wasm.Component
		hosts     *wasm.Hosts
		says      string
	}{
		"an interface":               {load(t, e, "host-resource"), called, "import test:host/counters@1.2.0#[constructor]counter"},
		"another version":            {load(t, e, "host-resource"), older, "import test:host/counters@1.2.0#[constructor]counter"},
		"a function of the world":    {load(t, e, "start-calls"), partly, "import wait"},
		"one of several":             {compile(hostile(t, "handles")), called, "import [constructor]box"},
		"with a start that would be": {compile(hostile(t, "start-floods")), nil, "import wait"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := c.component.Bind(c.hosts); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
