//go:build !linux

package core_test

import (
	"testing"

	"greentic.dev/wasm/core"
)

// ways are the ways to restore an image on this system, by name.
func ways(_ *testing.T, img *core.Image) map[string]*core.Image {
	return map[string]*core.Image{"copy": img}
}
