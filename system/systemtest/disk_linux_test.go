package systemtest_test

import (
	"os"
	"syscall"
)

// mount puts a file system of a few MiB under the data folder; it is seen by this process only.
func (c child) mount(data string) error {
	if c.Disk == 0 {
		return nil
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	return syscall.Mount("disk", data, "tmpfs", 0, size(c.Disk))
}
