package cbor

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPublicPacksAreRead reads every CBOR document of the public packs, whatever wrote them.
func TestPublicPacksAreRead(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	packs, _ := filepath.Glob(filepath.Join(dir, "*.gtpack"))
	for _, p := range packs {
		archive, err := zip.OpenReader(p)
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		for _, file := range archive.File {
			if !strings.HasSuffix(file.Name, ".cbor") {
				continue
			}
			r, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Unmarshal(b)
			if _, ok := v.(map[string]any); err != nil || !ok {
				t.Errorf("%s %s: %T %v", filepath.Base(p), file.Name, v, err)
			}
		}
	}
}
