package record

import (
	"context"
	"encoding/binary"
	"slices"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// sweepBatch is how many records one transaction of Sweep deletes.
const sweepBatch = 500

// Sweep deletes the oldest records of a tenant until those that are left have at most limit
// bytes, keys not counted. It returns how many it deleted.
func Sweep(ctx context.Context, db kv.DB, tenant greentic.TenantCtx, limit int64) (deleted int, err error) {
	type kept struct {
		at   uint64
		size int64
		key  string
	}
	var all []kept
	var total int64
	from, to := kv.Prefix("turn/")
	err = db.View(ctx, tenant, func(r kv.Reader) error {
		all, total = nil, 0
		return r.Scan(from, to, 0, func(key string, raw []byte) bool {
			if len(raw) >= 8 {
				all = append(all, kept{binary.BigEndian.Uint64(raw), int64(len(raw)), key})
				total += int64(len(raw))
			}
			return true
		})
	})
	if err != nil || total <= limit {
		return 0, fault.Wrap("record sweep", err)
	}
	slices.SortFunc(all, func(a, b kept) int {
		if a.at != b.at {
			if a.at < b.at {
				return -1
			}
			return 1
		}
		return 0
	})
	n := 0
	for total > limit {
		total -= all[n].size
		n++
	}
	for batch := range slices.Chunk(all[:n], sweepBatch) {
		err := db.Update(ctx, tenant, func(t kv.Txn) error {
			for _, k := range batch {
				if err := drop(t, k.key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return deleted, fault.Wrap("record sweep", err)
		}
		deleted += len(batch)
	}
	return deleted, nil
}
