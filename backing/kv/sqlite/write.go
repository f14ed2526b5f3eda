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

// Expired keys are invisible at once and deleted now and then, a thousand at a time; as long as
// there are more, soon again.
const (
	purgeEvery = time.Minute
	purgeSoon  = 20 * time.Millisecond
)

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
		return closed()
	default:
	}
	select {
	case db.jobs <- j:
	case <-db.quit:
		return closed()
	case <-ctx.Done():
		return fault.Wrap("kv update", ctx.Err())
	}
	select {
	case <-j.done:
	case <-db.stopped:
		select {
		case <-j.done:
		default: // it was queued after the writer had looked for the last time
			return closed()
		}
	}
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

// write is the single writer: it takes what has queued up, runs it in one transaction and
// commits with one fsync.
func (db *DB) write() {
	defer close(db.stopped)
	purge := time.NewTimer(purgeEvery)
	defer purge.Stop()
	for {
		select {
		case <-db.quit:
			return
		default:
		}
		select {
		case j := <-db.jobs:
			db.commit(db.collect(j))
		case <-purge.C:
			purge.Reset(db.purge())
		case <-db.quit:
			return
		}
	}
}

// purge deletes some expired keys and says when to look again.
func (db *DB) purge() time.Duration {
	r, err := db.writer.purge.ExecContext(context.Background(), db.now().UnixMilli())
	if err != nil {
		return purgeEvery // they stay invisible; an update will tell what is wrong
	}
	if n, err := r.RowsAffected(); err == nil && n == 1000 {
		return purgeSoon
	}
	return purgeEvery
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

// commit runs a batch. A job whose fn fails is rolled back alone. When the store itself fails
// (a full disk may cost the whole transaction), each job gets a transaction of its own.
func (db *DB) commit(batch []*job) {
	err := db.attempt(batch)
	if err != nil && len(batch) > 1 {
		for _, j := range batch {
			db.commit([]*job{j})
		}
		return
	}
	for _, j := range batch {
		if err != nil {
			j.err = wrap("kv update", err)
		}
		close(j.done)
	}
}

// attempt runs a batch in one transaction. It is committed, or err says why nothing of it is.
func (db *DB) attempt(batch []*job) (err error) {
	w := db.writer
	if err := w.run(w.begin); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = w.run(w.rollback) // SQLite may have done it already
		}
	}()
	wrote := false
	for _, j := range batch {
		left, err := db.run(j)
		if err != nil {
			return err
		}
		wrote = wrote || left
	}
	if !wrote {
		return w.run(w.rollback)
	}
	return w.run(w.commit)
}

// run executes one job inside the open transaction and reports whether it left writes behind.
// err is a failure of the store.
func (db *DB) run(j *job) (wrote bool, err error) {
	if j.err = fault.Wrap("kv update", j.ctx.Err()); j.err != nil {
		return false, nil
	}
	t := &txn{reader: reader{ctx: context.Background(), stmts: db.writer, scope: j.scope, now: db.now().UnixMilli()}}
	j.call(t)
	if t.failed != nil {
		return false, t.failed
	}
	if !t.dirty {
		return false, nil
	}
	if j.err != nil || j.panic != nil {
		if err := db.writer.run(db.writer.undo); err != nil {
			return false, err
		}
	}
	return j.err == nil && j.panic == nil, db.writer.run(db.writer.keep)
}

// call runs fn and keeps its panic for the caller of Update.
func (j *job) call(t *txn) {
	defer func() { j.panic = recover() }()
	j.err = driverFault(j.fn(t))
}
