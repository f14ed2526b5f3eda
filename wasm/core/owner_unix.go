//go:build unix

package core

import (
	"io/fs"
	"os"
	"syscall"
)

// owned says whether the folder belongs to whoever runs this process.
func owned(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(s.Uid) == os.Geteuid()
}
