package wasm_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The binaries of testdata are what wasm-tools makes of the texts beside them.
func TestGuestsAreMadeFromTheTextBesideThem(t *testing.T) {
	tool, err := exec.LookPath("wasm-tools")
	if err != nil {
		t.Skip("wasm-tools is not installed")
	}
	var texts []string
	for _, pattern := range []string{"testdata/*.wat", "testdata/*/*.wat", "link/testdata/unkept-*.wat", "link/testdata/kept-globals.wat"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		texts = append(texts, found...)
	}
	for _, text := range texts {
		made, err := exec.Command(tool, "parse", text).Output()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		held, err := os.ReadFile(strings.TrimSuffix(text, ".wat") + ".wasm")
		if err != nil || !bytes.Equal(made, held) {
			t.Errorf("%s was changed and not made again: wasm-tools parse %s -o … (%v)", text, text, err)
		}
	}
}
