package core

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ThreadTime is the processor time of the calling thread since it began; where the system does
// not tell it, the time since some fixed moment. Differences mean something only on one thread.
func ThreadTime() time.Duration {
	var t unix.Timespec
	// Raw: it does not wait, and telling the scheduler would cost more than the call.
	_, _, errno := unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_THREAD_CPUTIME_ID, uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}
