//go:build !linux

package systemtest_test

import (
	"errors"
	"syscall"
)

func (c child) mount(string) error {
	if c.Disk == "" {
		return nil
	}
	return errors.ErrUnsupported
}

func resize(string, string) error { return errors.ErrUnsupported }

func ownMounts() *syscall.SysProcAttr { return nil }
