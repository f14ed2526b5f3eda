package core_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
)

// cached compiles the program with a cache and returns its folder and the entry's two files.
func cached(t *testing.T) (dir, code, sum string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "cache")
	compile(t, engine(t, dir), program())
	return dir, only(t, dir, "*.code"), only(t, dir, "*.sum")
}

func only(t *testing.T, dir, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "wazero-*", pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %q, %v", pattern, files, err)
	}
	return files[0]
}

// works runs a cached program and returns what the engine warned of.
func works(t *testing.T, dir string) (warnings []string) {
	t.Helper()
	e := warning(t, dir, func(m string) { warnings = append(warnings, m) })
	i := instance(t, e, compile(t, e, program()), core.InstanceOptions{Resolve: host(t, e)})
	if got, err := i.Func("fac").Call(t.Context(), 5); err != nil || got[0] != 120 {
		t.Fatalf("fac(5) = %v, %v", got, err)
	}
	return warnings
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCachedCodeIsUsedByTheNextEngine(t *testing.T) {
	dir, code, sum := cached(t)
	before, err := os.Stat(code)
	if err != nil {
		t.Fatal(err)
	}
	if w := works(t, dir); len(w) > 0 {
		t.Errorf("a sound cache: %q", w)
	}
	after, err := os.Stat(code)
	if err != nil || !os.SameFile(before, after) {
		t.Fatalf("the entry was made again: %v", err)
	}
	if len(read(t, sum)) == 0 {
		t.Fatal("no digest")
	}
}

func TestADamagedCacheIsRebuiltAndNeverExecuted(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, code, sum string){
		"a bit of the code is flipped": func(t *testing.T, code, _ string) {
			change(t, code, func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		},
		"the code is truncated": func(t *testing.T, code, _ string) { change(t, code, func(b []byte) []byte { return b[:len(b)/2] }) },
		"the code is longer":    func(t *testing.T, code, _ string) { change(t, code, func(b []byte) []byte { return append(b, 0) }) },
		"the code is empty":     func(t *testing.T, code, _ string) { change(t, code, func([]byte) []byte { return nil }) },
		"the code is gone":      func(t *testing.T, code, _ string) { remove(t, code) },
		"the digest is another": func(t *testing.T, _, sum string) { change(t, sum, func(b []byte) []byte { b[3] ^= 1; return b }) },
		"the digest is empty":   func(t *testing.T, _, sum string) { change(t, sum, func([]byte) []byte { return nil }) },
		"the digest is gone":    func(t *testing.T, _, sum string) { remove(t, sum) },
		"the name leads elsewhere": func(t *testing.T, _, sum string) {
			change(t, sum, func(b []byte) []byte { return append(b[:65], "../../../../escaped\n"...) })
		},
		"it is a folder": func(t *testing.T, code, _ string) {
			remove(t, code)
			if err := os.Mkdir(code, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, code, sum := cached(t)
			wantCode, wantSum := read(t, code), read(t, sum)
			damage(t, code, sum)
			w := works(t, dir)
			if name != "the digest is gone" && (len(w) != 1 || !strings.Contains(w[0], code)) {
				t.Errorf("warned of %q", w)
			}
			if !bytes.Equal(read(t, code), wantCode) || !bytes.Equal(read(t, sum), wantSum) {
				t.Error("the entry was not made again")
			}
			if escaped, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*escaped*")); len(escaped) > 0 {
				t.Errorf("wrote %q", escaped)
			}
		})
	}
}

func change(t *testing.T, file string, f func([]byte) []byte) {
	t.Helper()
	if err := os.WriteFile(file, f(read(t, file)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// An entry of another module, whole and sound, is still not this module's.
func TestACacheEntryServesOnlyItsModule(t *testing.T) {
	dir, code, sum := cached(t)
	other := filepath.Join(t.TempDir(), "cache")
	compile(t, engine(t, other), hot())
	change(t, code, func([]byte) []byte { return read(t, only(t, other, "*.code")) })
	change(t, sum, func([]byte) []byte { return read(t, only(t, other, "*.sum")) })
	works(t, dir)
}

func TestTheCacheForgetsItsOldestEntriesFirst(t *testing.T) {
	dir, old, _ := cached(t)
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	compile(t, engine(t, dir), hot())
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(old), "*.code"))
	size := int64(0)
	for _, f := range files {
		size += int64(len(read(t, f)))
	}
	if len(files) != 2 {
		t.Fatalf("%q", files)
	}
	e, err := core.New(t.Context(), core.Options{CacheDir: dir, CacheSize: size}) // the digests are too much
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the oldest entry is still there: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(old), "*.code")); len(left) != 1 {
		t.Errorf("%q are left", left)
	}
	works(t, dir)
}

func TestEntriesOfAnotherEngineVersionAreNotUsedAndGoInTime(t *testing.T) {
	dir, code, sum := cached(t)
	own := filepath.Dir(code)
	other := filepath.Join(dir, "wazero-v0.0.1")
	if err := os.Rename(own, other); err != nil {
		t.Fatal(err)
	}
	change(t, filepath.Join(other, filepath.Base(code)), func(b []byte) []byte { return b[:10] }) // reading it would show
	if w := works(t, dir); len(w) > 0 {
		t.Errorf("read the entries of another version: %q", w)
	}
	if len(read(t, code)) == 0 || len(read(t, sum)) == 0 {
		t.Error("the entry was not made for this version")
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(other, old, old); err != nil {
		t.Fatal(err)
	}
	works(t, dir)
	if _, err := os.Stat(other); !os.IsNotExist(err) {
		t.Errorf("entries nobody adds to are still there: %v", err)
	}
}

func TestACacheThatSomebodyRemovedIsMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	e := engine(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	compile(t, e, program())
	only(t, dir, "*.code")
	works(t, dir)
}

func TestAnEngineLeavesNothingButEntries(t *testing.T) {
	dir, format := filepath.Join(t.TempDir(), "cache"), "wazero-v1.12.0"
	e, err := core.New(t.Context(), core.Options{CacheDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	compile(t, e, program())
	if err := os.Mkdir(filepath.Join(dir, format, "live-killed"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	works(t, dir) // its engine lives until the test ends, and cleans up behind the killed one
	entries, err := os.ReadDir(filepath.Join(dir, format))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range entries {
		if f.Name() == "live-killed" {
			t.Error("the folder of a killed engine stays")
		}
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v", f.Name(), err)
		}
	}
}

func TestACacheThatOthersMayWriteIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := core.New(t.Context(), core.Options{CacheDir: dir}); !fault.Is(err, fault.Denied) {
		t.Fatalf("err = %v", err)
	}
}

func TestEqualModulesAreCompiledOnceAndFreedByTheLast(t *testing.T) {
	e := engine(t, "")
	codes := make([]*core.Code, 8)
	var wg sync.WaitGroup
	for n := range codes {
		wg.Go(func() { codes[n] = compile(t, e, program()) })
	}
	wg.Wait()
	for _, c := range codes[1:] {
		if c != codes[0] {
			t.Fatal("compiled twice")
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	i := instance(t, e, codes[0], core.InstanceOptions{Resolve: host(t, e)})
	if err := codes[0].Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := i.Func("fac").Call(t.Context(), 5); err != nil || got[0] != 120 {
		t.Fatalf("an instance does not outlive its code: %v, %v", got, err)
	}
	if again := compile(t, e, program()); again == codes[0] {
		t.Error("code was kept after the last share was given up")
	}
}

// The format of the cache names the engine: its entries are code of that version.
func TestTheCacheNamesTheEngineOfGoMod(t *testing.T) {
	mod := string(read(t, filepath.Join("..", "..", "go.mod")))
	source := string(read(t, "cache.go"))
	_, after, _ := strings.Cut(mod, "github.com/tetratelabs/wazero ")
	version := strings.Fields(after)[0]
	if !strings.Contains(source, `cacheFormat = formatPrefix + "`+version+`"`) {
		t.Errorf("go.mod has wazero %s; cacheFormat in cache.go does not", version)
	}
}
