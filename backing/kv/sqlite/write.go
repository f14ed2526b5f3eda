package sqlite

import (
	"context"
	"runtime"
	"slices"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// maxBatch bounds the updates of one commit, so that the first does not wait for ever.
const maxBatch = 256

// yields is how often collect lets others run without getting an update from it.
const yields = 3

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
	done  chan struct{}

	err     error
	panic   any
	scopeID int64 // as the last attempt found it
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
	n, err := db.writer.purge(db.now().UnixMilli())
	if err == nil && n == 1000 {
		return purgeSoon
	}
	return purgeEvery // after an error too: expired keys stay invisible, an update will tell what is wrong
}

// collect takes what has queued up. Those whose updates the last commit has ended are about to
// bring their next: letting them run first saves every third commit under load (64 writers: 31
// updates to a batch become 48) and costs a lone writer next to nothing.
func (db *DB) collect(first *job) []*job {
	batch := []*job{first}
	for idle := 0; len(batch) < maxBatch; {
		select {
		case j := <-db.jobs:
			batch, idle = append(batch, j), 0
		default:
			if idle++; idle > yields {
				return batch
			}
			runtime.Gosched()
		}
	}
	return batch
}

// commit runs a batch in one transaction. A job whose fn fails after writing costs the others a
// second run without it: rarer, and cheaper, than a savepoint around each job. When the store
// itself fails (a full disk may cost the whole transaction), each job gets its own transaction.
func (db *DB) commit(batch []*job) {
	for len(batch) > 0 {
		spoiled, err := db.attempt(batch)
		switch {
		case err != nil && len(batch) > 1:
			for _, j := range batch {
				db.commit([]*job{j})
			}
			return
		case spoiled != nil:
			close(spoiled.done)
			batch = slices.DeleteFunc(batch, func(j *job) bool { return j == spoiled })
			continue
		case err != nil:
			batch[0].err = wrap("kv update", err)
		}
		for _, j := range batch {
			close(j.done)
		}
		return
	}
}

// attempt runs a batch in one transaction and commits it. Nothing of it is committed when a
// job is spoiled or err, a failure of the store, is not nil.
func (db *DB) attempt(batch []*job) (spoiled *job, err error) {
	w := db.writer
	if err := w.run(w.begin); err != nil {
		return nil, err
	}
	committed := false
	defer func() {
		if !committed {
			_ = w.run(w.rollback) // SQLite may have done it already
		}
	}()
	wrote := false
	for _, j := range batch {
		t := &txn{name: j.scope, reader: reader{ctx: context.Background(), stmts: w, now: db.now().UnixMilli()}}
		if t.scope, err = db.scopes.find(w, j.scope); err != nil {
			return nil, err
		}
		j.run(t)
		if t.failed != nil {
			return nil, t.failed
		}
		if t.dirty && (j.err != nil || j.panic != nil) {
			return j, nil
		}
		j.scopeID, wrote = t.scope, wrote || t.dirty
	}
	if !wrote {
		return nil, nil
	}
	if err = w.run(w.commit); err != nil {
		return nil, err
	}
	committed = true
	for _, j := range batch {
		db.scopes.remember(j.scope, j.scopeID)
	}
	return nil, nil
}

// run calls fn and keeps its panic for the caller of Update.
func (j *job) run(t *txn) {
	defer func() { j.panic = recover() }()
	if j.err = fault.Wrap("kv update", j.ctx.Err()); j.err == nil {
		j.err = storeFault(j.fn(t))
	}
}
