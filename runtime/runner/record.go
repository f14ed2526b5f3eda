package runner

import (
	"context"
	"sync"
	"time"

	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/walk"
)

// record is the record of the turn as it is stored; nil when none is made.
func (t *turn) record(now time.Time) ([]byte, error) {
	if !t.Recording() || t.stale {
		return nil, nil
	}
	rec := record.Turn{ID: t.Entry.Turn, Seq: t.Entry.Seq, Trigger: t.Entry.Trigger, Revision: t.session.Revision, Locale: t.Tenant.Locale,
		Began: t.Began.UTC(), Took: now.Sub(t.Began), Restarts: t.Entry.Restarts, Attempts: t.Entry.Attempts, Status: t.status,
		Steps: t.Trail, Replies: t.replies, Events: t.Events}
	if t.Release != nil {
		archive := t.Release.Archive()
		rec.Release, rec.Pack = t.Release.Digest(), archive.ID()+"@"+archive.Version()
	}
	if t.Flow != nil {
		rec.Flow = t.Flow.ID
	}
	if t.Entry.Trigger.Route == InvokeRoute {
		rec.Output = t.Encode(t.Last)
	}
	if t.err != nil {
		rec.Error = &record.Failure{Code: walk.Code(t.err), Message: t.err.Error()}
	}
	return rec.Encode()
}

// recordSizes counts the bytes of records written since the last sweep, by tenant.
type recordSizes struct {
	mu    sync.Mutex
	bytes map[greentic.TenantCtx]int64
}

// recorded counts a record, and sweeps its tenant's when an eighth of what may be kept is new.
func (r *Runner) recorded(tenant greentic.TenantCtx, size int) {
	who := greentic.TenantCtx{Env: tenant.Env, Tenant: tenant.Tenant}
	r.records.mu.Lock()
	if r.records.bytes == nil {
		r.records.bytes = map[greentic.TenantCtx]int64{}
	}
	r.records.bytes[who] += int64(size)
	sweep := r.records.bytes[who] > r.options.RecordBytes/8
	if sweep {
		r.records.bytes[who] = 0
	}
	r.records.mu.Unlock()
	if sweep {
		r.beat.do(func(ctx context.Context) {
			if _, err := record.Sweep(ctx, r.deps.DB, who, r.options.RecordBytes); err != nil && ctx.Err() == nil {
				r.deps.Log.Warn("old turn records were not deleted", "tenant", who.Tenant, "error", fault.Wrap("sweep", err))
			}
		})
	}
}
