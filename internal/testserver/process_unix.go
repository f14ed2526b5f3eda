//go:build unix && !linux

package testserver

import (
	"os"
	"syscall"
)

// attributes run a process as uid.
func attributes(uid uint32) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if int(uid) != os.Getuid() {
		a.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	}
	return a
}
