package sqlite

import (
	"context"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// maxBatch bounds the updates of one commit, so that the first does not wait for ever.
const maxBatch = 256

// purgeEvery is how often expired keys are deleted; they are invisible before that.
const purgeEvery = time.Minute

// job is one update on its way to the writer.
type job struct {
	ctx   context.Context
	scope string
	fn    func(kv.Txn) error
	err   error
	panic any
	done  chan struct{}
}

// Update implements kv.DB. fn runs on the writer's goroutine and must not call the store.
func (db *DB) Update(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Txn) error) error {
	scope, err := kv.Scope(tenant)
	if err != nil {
		return fault.Wrap("kv update", err)
	}
	return db.submit(ctx, scope, fn)
}

// System implements kv.DB.
func (db *DB) System(ctx context.Context, fn func(kv.Txn) error) error {
	return db.submit(ctx, "", fn)
}

// submit queues an update and waits for its commit. Once the writer has taken it the outcome
// is awaited, also when ctx ends: a caller must not be told "canceled" of a committed write.
func (db *DB) submit(ctx context.Context, scope string, fn func(kv.Txn) error) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap("kv update", err)
	}
	j := &job{ctx: ctx, scope: scope, fn: fn, done: make(chan struct{})}
	select {
	case <-db.quit:
		return db.closed()
	default:
	}
	select {
	case db.jobs <- j:
	case <-db.quit:
		return db.closed()
	case <-ctx.Done():
		return fault.Wrap("kv update", ctx.Err())
	}
	<-j.done
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

// write is the single writer: it takes what has queued up, runs it in one transaction and
// commits with one fsync.
func (db *DB) write() {
	purge := time.NewTicker(purgeEvery)
	defer purge.Stop()
	for {
		select {
		case j := <-db.jobs:
			db.commit(db.collect(j))
		case <-purge.C:
			_, _ = db.stmts.purge.ExecContext(context.Background(), db.now().UnixMilli())
		case <-db.quit:
			db.refuseQueued()
			return
		}
	}
}

func (db *DB) refuseQueued() {
	for {
		select {
		case j := <-db.jobs:
			j.err = db.closed()
			close(j.done)
		default:
			return
		}
	}
}

func (db *DB) collect(first *job) []*job {
	batch := []*job{first}
	for len(batch) < maxBatch {
		select {
		case j := <-db.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit runs a batch. A job that fails is rolled back alone; when the commit itself fails,
// every job fails.
func (db *DB) commit(batch []*job) {
	defer func() {
		for _, j := range batch {
			close(j.done)
		}
	}()
	ctx := context.Background()
	if _, err := db.stmts.begin.ExecContext(ctx); err != nil {
		fail(batch, wrap("kv begin", err))
		return
	}
	wrote := false
	for _, j := range batch {
		wrote = db.run(ctx, j) || wrote
	}
	end := db.stmts.commit
	if !wrote {
		end = db.stmts.rollback
	}
	if _, err := end.ExecContext(ctx); err != nil {
		_, _ = db.stmts.rollback.ExecContext(ctx)
		fail(batch, wrap("kv commit", err))
	}
}

func fail(batch []*job, err error) {
	for _, j := range batch {
		if j.err == nil && j.panic == nil {
			j.err = err
		}
	}
}

// run executes one job inside the open transaction and reports whether it left writes behind.
func (db *DB) run(ctx context.Context, j *job) (wrote bool) {
	if err := j.ctx.Err(); err != nil {
		j.err = fault.Wrap("kv update", err)
		return false
	}
	t := &txn{reader: reader{ctx: ctx, q: db.stmts, scope: j.scope, now: db.now().UnixMilli()}, stmts: db.stmts}
	defer func() {
		j.panic = recover()
		if !t.dirty {
			return
		}
		wrote = j.err == nil && j.panic == nil
		if !wrote {
			_, _ = db.stmts.undo.ExecContext(ctx) // a failure shows at the commit
		}
		if _, err := db.stmts.release.ExecContext(ctx); err != nil && wrote {
			j.err, wrote = wrap("kv update", err), false
		}
	}()
	j.err = j.fn(t)
	if j.err == nil && t.failed != nil {
		j.err = t.failed // a failed write that fn overlooked
	}
	if j.err != nil {
		j.err = driverFault(j.err)
	}
	return false
}
