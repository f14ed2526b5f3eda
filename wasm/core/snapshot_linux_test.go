package core_test

import (
	"testing"

	"greentic.dev/wasm/core"
)

// ways are the ways to restore an image on this system, by name.
func ways(t *testing.T, img *core.Image) map[string]*core.Image {
	t.Helper()
	if scan, pagemap := img.Finds(); !scan || !pagemap {
		t.Logf("the kernel scans pages: %v; it shows the page map: %v", scan, pagemap)
	}
	return map[string]*core.Image{"scan": img, "page map": img.WithoutScan(), "drop all": img.WithoutPagemap(), "copy": img.WithoutFile()}
}
