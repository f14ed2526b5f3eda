//go:build !linux

package core

import "time"

// ThreadTime is the processor time of the calling thread since it began; where the system does
// not tell it, the time since some fixed moment. Differences mean something only on one thread.
func ThreadTime() time.Duration { return time.Duration(time.Now().UnixNano()) }
