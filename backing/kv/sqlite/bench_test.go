//go:build unix

package sqlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// turnShaped issues the two updates of a durable turn, with the keys and sizes that a turn has.
type turnShaped struct {
	db     kv.DB
	tenant greentic.TenantCtx
	lane   string
	n      int
	value  []byte
}

func (s *turnShaped) turn() error {
	s.n++
	seen, session := fmt.Sprintf("seen/bench\x00%s-%d", s.lane, s.n), "session/"+s.lane
	inbox, _ := kv.Prefix("inbox/" + s.lane + "\x00")
	var entry, ready string
	err := s.db.Update(context.Background(), s.tenant, func(x kv.Txn) error {
		if _, err := x.Get(seen); !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("seen: %v", err)
		}
		raw, err := x.Get("seq/inbox")
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		var seq uint64
		if err == nil {
			seq = binary.BigEndian.Uint64(raw)
		}
		if _, err := x.Get(session); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		entry, ready = fmt.Sprintf("%s%016x", inbox, seq), fmt.Sprintf("ready/0/%016x/%s/%s", seq, s.tenant.Env, s.tenant.Tenant)
		return first(x.Put("seq/inbox", binary.BigEndian.AppendUint64(nil, seq+1), 0), x.Put(seen, s.value[:30], 7*24*time.Hour),
			x.Put(entry, s.value[:400], 0), x.Index(ready, s.value[:60]))
	})
	if err != nil {
		return err
	}
	return s.db.Update(context.Background(), s.tenant, func(x kv.Txn) error {
		_, end := kv.Prefix(inbox)
		found := ""
		err := x.Scan(inbox, end, 1, func(key string, _ []byte) bool { found = key; return false })
		if err == nil && found != entry {
			err = fmt.Errorf("the oldest is %q, want %q", found, entry)
		}
		if err != nil {
			return err
		}
		for _, key := range []string{session, "state/" + s.lane} {
			if _, err := x.Get(key); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return first(x.Delete(entry), x.Put(session, s.value[:1500], 0), x.Put("record/"+s.lane, s.value[:600], time.Hour), x.Index(ready, nil))
	})
}

// BenchmarkTurnShaped is the load of durable turns without the turns: two updates each, from many
// conversations at once. Processor time of the whole process says more than ns/op, which waits
// for the disk.
func BenchmarkTurnShaped(b *testing.B) {
	for _, conversations := range []int{1, 64} {
		b.Run(fmt.Sprintf("conversations=%d", conversations), func(b *testing.B) {
			db := open(b, filepath.Join(b.TempDir(), "kv.db"), time.Now)
			defer db.Close()
			var all sync.WaitGroup
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			used, slowest := processorTime(b), make([]time.Duration, conversations)
			for i := range conversations {
				s := &turnShaped{db: db, tenant: greentic.DefaultTenant(), lane: fmt.Sprintf("c%d", i), value: bytes.Repeat([]byte("value "), 250)}
				all.Go(func() {
					for left.Add(-1) >= 0 {
						begin := time.Now()
						if err := s.turn(); err != nil {
							b.Error(err)
							return
						}
						slowest[i] = max(slowest[i], time.Since(begin))
					}
				})
			}
			all.Wait()
			updates := 2 * float64(b.N)
			b.ReportMetric(float64((processorTime(b)-used).Nanoseconds())/1e3/updates, "us-CPU/update")
			b.ReportMetric(updates/b.Elapsed().Seconds(), "updates/s")
			worst := slowest[0]
			for _, d := range slowest {
				worst = max(worst, d)
			}
			b.ReportMetric(float64(worst.Microseconds())/1e3, "ms-slowest-turn")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
