package core_test

import (
	"testing"

	"greentic.dev/wasm/core"
)

// ways are the ways to restore an image on this system, by name.
func ways(t *testing.T, img *core.Image) map[string]*core.Image {
	t.Helper()
	if !img.HasPagemap() {
		t.Log("the kernel does not show the page map")
	}
	return map[string]*core.Image{"page map": img, "drop all": img.WithoutPagemap(), "copy": img.WithoutFile()}
}
