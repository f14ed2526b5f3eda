package main

import (
	"io/fs"
	"os"

	"greentic.dev/examples/helpdesk"
	"greentic.dev/greentic/fault"
)

// demoFolder writes the example this binary carries to a temporary folder, from which it is
// built and signed like any source folder.
func demoFolder() (dir string, cleanup func(), err error) {
	source, err := fs.Sub(helpdesk.Files, "pack")
	if err != nil {
		return "", nil, fault.Wrap("demo", err)
	}
	dir, err = os.MkdirTemp("", "greentic-demo-")
	if err != nil {
		return "", nil, fault.As(fault.Unavailable, "demo", err)
	}
	cleanup = func() { _ = os.RemoveAll(dir) }
	if err := os.CopyFS(dir, source); err != nil {
		cleanup()
		return "", nil, fault.As(fault.Unavailable, "demo", err)
	}
	return dir, cleanup, nil
}
