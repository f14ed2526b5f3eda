package systemtest_test

import (
	"os"
	"syscall"
)

// mount puts a small file system under the data folder, which only this process sees.
func (c child) mount(data string) error {
	if c.Disk == "" {
		return nil
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	return syscall.Mount("disk", data, "tmpfs", 0, "size="+c.Disk)
}

// resize changes the size of that file system.
func resize(data, size string) error {
	return syscall.Mount("disk", data, "tmpfs", syscall.MS_REMOUNT, "size="+size)
}

// ownMounts give a process a view of its own of what is mounted where.
func ownMounts() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return a
}
