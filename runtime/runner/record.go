package runner

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/jsonwrite"
	"greentic.dev/model/flow"
)

// recording says whether this runner makes turn records.
func (t *turn) recording() bool { return t.runner.options.RecordAge > 0 || t.replay != nil }

// note adds a step to the record.
func (t *turn) note(step flow.Step, s record.Step) {
	if !t.recording() {
		return
	}
	s.N, s.Node, s.Attempt = step.Cursor.Steps, step.Node, step.Attempt
	s.Reason = record.Reason{Rule: step.Rule, Why: step.Why, File: t.flow.File, Line: step.At.Line, Col: step.At.Col}
	t.trail = append(t.trail, s)
}

// encode is v for the record, or a digest of it when it is large; nil when nothing is recorded.
func (t *turn) encode(v any) json.RawMessage {
	if v == nil || !t.recording() {
		return nil
	}
	raw := encode(v)
	if len(raw) > t.runner.options.RecordBody {
		return encode(map[string]any{"digest": greentic.DigestOf(raw), "bytes": len(raw)})
	}
	return raw
}

// encode is v as JSON; what a flow holds can always be encoded.
func encode(v any) json.RawMessage {
	raw, err := jsonwrite.Value(nil, v)
	if err != nil {
		return nil
	}
	return raw
}

// record is the record of the turn as it is stored; nil when none is made.
func (t *turn) record(now time.Time) ([]byte, error) {
	if !t.recording() || t.stale {
		return nil, nil
	}
	rec := record.Turn{ID: t.entry.Turn, Seq: t.entry.Seq, Trigger: t.entry.Trigger, Revision: t.session.Revision, Locale: t.tenant.Locale,
		Began: t.began.UTC(), Took: now.Sub(t.began), Restarts: t.entry.Restarts, Attempts: t.entry.Attempts, Status: t.status,
		Steps: t.trail, Replies: t.replies, Events: t.events}
	if t.release != nil {
		archive := t.release.Archive()
		rec.Release, rec.Pack = t.release.Digest(), archive.ID()+"@"+archive.Version()
	}
	if t.flow != nil {
		rec.Flow = t.flow.ID
	}
	if t.entry.Trigger.Route == InvokeRoute {
		rec.Output = t.encode(t.last)
	}
	if t.err != nil {
		rec.Error = &record.Failure{Code: codeOf(t.err), Message: t.err.Error()}
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
