package wasm_test

import (
	"bytes"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"
)

// held is what the process holds of the system.
type held struct{ mappings, images, files int }

// holdings counts mappings and open files; nothing where the system does not show them.
func holdings(t testing.TB) (h held) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return h
	}
	h.mappings, h.images = bytes.Count(maps, []byte("\n")), bytes.Count(maps, []byte("guest-image"))
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if name, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.Contains(name, "guest-image") || strings.HasSuffix(name, "/pagemap") {
			h.files++
		}
	}
	return h
}

// check says what is held now and was not before. The runtime maps its own memory and the
// stacks of its threads in pieces, the race detector in more.
func (h held) check(t testing.TB) {
	t.Helper()
	spare := 20
	if raced {
		spare = 150
	}
	if now := holdings(t); now.images != h.images || now.files != h.files || now.mappings > h.mappings+spare {
		t.Errorf("the process holds %+v, before it held %+v", now, h)
	}
}

// metering measures the memory of the process from the moment it is made.
type metering struct {
	resident, heap uint64 // to begin with
	exact          bool   // the kernel remembers the peak for us
	stop           chan struct{}
	peak           chan [2]uint64
}

// meter collects garbage and begins to measure. The kernel's own record of the most resident
// memory is exact; what is sampled besides, for the heap and for kernels that keep no record,
// may miss a short peak but never invents one.
func meter(t testing.TB) *metering {
	t.Helper()
	debug.FreeOSMemory()
	m := &metering{stop: make(chan struct{}), peak: make(chan [2]uint64)}
	m.exact = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) == nil
	m.resident, m.heap = resident("VmRSS:"), heap()
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		var peak [2]uint64
		for {
			peak = [2]uint64{max(peak[0], resident("VmRSS:")), max(peak[1], heap())}
			select {
			case <-tick.C:
			case <-m.stop:
				m.peak <- peak
				return
			}
		}
	}()
	return m
}

// end ends measuring: how many bytes the process grew by at most.
func (m *metering) end() uint64 {
	close(m.stop)
	peak := <-m.peak
	if m.exact {
		peak[0] = resident("VmHWM:")
	}
	if raced {
		peak[0] = 0 // the detector's own memory is many times that of the program
	}
	return max(peak[0]-min(peak[0], m.resident), peak[1]-min(peak[1], m.heap))
}

func (m *metering) under(t testing.TB, limit uint64) {
	t.Helper()
	if grew := m.end(); grew > limit {
		t.Errorf("the process grew by %d bytes, the limit is %d", grew, limit)
	}
}

// resident is a line of /proc/self/status in bytes; 0 where there is none.
func resident(line string) uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), line)
	n, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	kib, _ := strconv.ParseUint(n, 10, 64)
	return kib << 10
}

// heap is what Go has allocated, with stacks.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64()
}
