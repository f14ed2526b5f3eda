package binary_test

import (
	"os"
	"path/filepath"
	"testing"

	"greentic.dev/wasm/binary"
)

func TestPublicComponentsDecode(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.wasm"))
	for _, f := range files {
		code, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c, err := binary.Decode(code, binary.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(f), err)
		}
		if len(c.Defs) == 0 {
			t.Errorf("%s: no definitions", filepath.Base(f))
		}
	}
}
