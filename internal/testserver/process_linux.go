package testserver

import (
	"os"
	"syscall"
)

// attributes run a process as uid and end it with the thread that starts it.
func attributes(uid uint32) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if int(uid) != os.Getuid() {
		a.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	}
	return a
}
