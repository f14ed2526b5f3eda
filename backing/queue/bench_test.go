package queue_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
)

// BenchmarkWay is the storage a turn costs: accept, load, commit, deliver, on SQLite.
func BenchmarkWay(b *testing.B) {
	for _, lanes := range []int{1, 64} {
		b.Run(fmt.Sprintf("lanes=%d", lanes), func(b *testing.B) {
			db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "kv.db"), sqlite.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			var n atomic.Int64
			var all sync.WaitGroup
			b.ResetTimer()
			for lane := range lanes {
				all.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						if err := way(b.Context(), db, fmt.Sprintf("demo:webchat:conversation-%d:user", lane), fmt.Sprintf("conversation-%d/%d", lane, i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func way(ctx context.Context, db kv.DB, key, id string) error {
	tenant := greentic.DefaultTenant()
	tr := trigger(tenant, key, id)
	tr.Body = []byte(`{"id":"1","channel":"webchat","session_id":"conversation","text":"the printer is on fire"}`)
	err := db.Update(ctx, tenant, func(x kv.Txn) error {
		_, _, err := queue.Accept(x, tr, "turn-"+id, time.Now())
		return err
	})
	if err != nil {
		return err
	}
	var e queue.Entry
	var s session.Session
	err = db.View(ctx, tenant, func(r kv.Reader) (err error) {
		if e, _, err = queue.First(r, key); err == nil {
			s, err = session.Load(r, key)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = db.Update(ctx, tenant, func(x kv.Txn) error {
		s.Flow, s.Release = "main", "sha256:0000"
		if _, err := session.Save(x, tenant, s); err != nil {
			return err
		}
		if err := queue.Consume(x, e); err != nil {
			return err
		}
		return queue.Send(x, parcel(e, tenant, 1))
	})
	if err != nil {
		return err
	}
	var list []queue.Parcel
	err = db.View(ctx, tenant, func(r kv.Reader) (err error) {
		list, err = queue.Pending(r, queue.Destination{Lane: e.Lane(), Route: "test"}, 32)
		return err
	})
	if err != nil {
		return err
	}
	return db.Update(ctx, tenant, func(x kv.Txn) error { return queue.Delivered(x, list...) })
}
