package testserver

import "syscall"

// attributes are the plain ones: there is no other user to run as.
func attributes(uint32) *syscall.SysProcAttr { return nil }
