package kvtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// TurnShaped measures turns: two updates each, with the reads and writes of accept and commit, by
// 64 goroutines on as many conversations of one tenant, which share the handles. It reports turns/s.
func TurnShaped(b *testing.B, handles ...kv.DB) {
	ctx, value := b.Context(), make([]byte, 400)
	var lanes atomic.Int64
	b.SetParallelism(32) // on two processors
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		number := lanes.Add(1)
		lane, db := strconv.FormatInt(number, 10), handles[number%int64(len(handles))]
		for n := 0; pb.Next(); n++ {
			if err := turn(ctx, db, lane, n, value); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
}

// present reads a key that need not be there.
func present(x kv.Reader, key string) (string, error) {
	v, err := x.Get(key)
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return string(v), err
}

// turn is an accept and a commit.
func turn(ctx context.Context, db kv.DB, lane string, n int, value []byte) error {
	entry, ready := fmt.Sprintf("inbox/%s/%08d", lane, n), fmt.Sprintf("ready/0/%08d/%s", n, lane)
	err := db.Update(ctx, acme, func(x kv.Txn) error {
		_, err := present(x, fmt.Sprintf("seen/%s/%d", lane, n))
		count, err2 := present(x, "seq/inbox")
		_, err3 := present(x, "lane/"+lane)
		next, _ := strconv.Atoi(count)
		return errors.Join(err, err2, err3, x.Put("seq/inbox", []byte(strconv.Itoa(next+1)), 0), x.Put(fmt.Sprintf("seen/%s/%d", lane, n), value[:80], 1e12),
			x.Put(entry, value, 0), x.Index(ready, []byte(lane)))
	})
	if err != nil {
		return err
	}
	return db.Update(ctx, acme, func(x kv.Txn) error {
		_, err := present(x, "session/"+lane)
		_, err2 := present(x, "state/"+lane)
		from, to := kv.Prefix("inbox/" + lane + "/")
		first := ""
		err3 := x.Scan(from, to, 1, func(key string, _ []byte) bool { first = key; return false })
		if first != entry {
			err3 = errors.Join(err3, fmt.Errorf("the first entry is %q, want %q", first, entry))
		}
		return errors.Join(err, err2, err3, x.Put("session/"+lane, value, 0), x.Put("state/"+lane, value, 0), x.Delete(entry), x.Put("outbox/"+lane, value, 0), x.Index(ready, nil))
	})
}
