package vendored

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io/fs"

	"greentic.dev/greentic/fault"
)

//go:embed go.zip
var goArchive []byte

// Go is the Go SDK: a folder "vendor" with its packages and modules.txt, for a project that requires
// [GoModule] at [GoVersion].
func Go() (fs.FS, error) {
	r, err := zip.NewReader(bytes.NewReader(goArchive), int64(len(goArchive)))
	return r, fault.Wrap("the Go SDK", err)
}

// The module of the Go SDK, as a project's go.mod requires it.
const (
	GoModule  = "greentic.dev/sdk/go"
	GoVersion = "v0.1.0"
)
