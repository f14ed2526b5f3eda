package loader

import (
	"archive/zip"
	"bytes"
	"testing"

	"greentic.dev/model/pack"
)

// zipStored writes files with the standard library: an archive nobody sealed.
func zipStored(t *testing.T, files []pack.File) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		part, err := w.Create(f.Path)
		if err == nil {
			_, err = part.Write(f.Content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
