package expr

import (
	"go/build"
	"strings"
	"testing"
)

// Components render with this package; what conditions need must not come along.
func TestAGuestGetsMappingsWithoutCEL(t *testing.T) {
	guest := build.Default
	guest.GOOS, guest.GOARCH, guest.CgoEnabled = "wasip1", "wasm", false
	p, err := guest.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, imported := range p.Imports {
		if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && first != "greentic.dev" {
			t.Errorf("a guest that renders a mapping would link %s: put the file under //go:build !wasip1", imported)
		}
	}
}
