package sqlite

import (
	"context"
	"runtime"
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

	err   error
	panic any
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
// commits with one fsync. A store at rest moves what its log holds.
func (db *DB) write() {
	defer close(db.stopped)
	purge, rest := time.NewTimer(purgeEvery), time.NewTimer(restAfter)
	defer purge.Stop()
	defer rest.Stop()
	for {
		select {
		case <-db.quit:
			return
		default:
		}
		select {
		case j := <-db.jobs:
			db.commit(db.collect(j))
			rest.Reset(restAfter)
		case <-rest.C:
			if more, err := db.settle(); more && err == nil {
				rest.Reset(0)
			}
		case <-purge.C:
			purge.Reset(db.purge())
		case <-db.quit:
			return
		}
	}
}

// restAfter is how long nothing was written before what is in the log is moved, a piece at a time.
const (
	restAfter  = time.Second
	restPieces = 512
)

// settle moves a piece of what is in the log and says whether there is more. After an error the
// log keeps it; an update will tell what is wrong.
func (db *DB) settle() (more bool, err error) {
	w := db.writer
	w.freeze(true)
	if w.recent.older == nil {
		return false, nil
	}
	err = db.transact(func(now int64) error { return w.move(restPieces, now) })
	return err == nil, err
}

// transact runs do, which writes, in the transaction of the batch and commits it.
func (db *DB) transact(do func(now int64) error) error {
	w := db.writer
	row, waiting := w.lastRow, w.waiting
	err := w.open()
	if err == nil {
		err = do(db.now().UnixMilli())
	}
	if err == nil {
		err = w.end(w.statements.commit)
	}
	if err != nil {
		_ = w.end(w.rollback) // SQLite may have done it already
		w.lastRow, w.waiting = row, waiting
		return err
	}
	w.arrive()
	return nil
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

// commit runs a batch in one transaction. When the store itself fails (a full disk, say), each job
// gets its own, without anything that the log can keep for longer.
func (db *DB) commit(batch []*job) {
	err := db.attempt(batch, true)
	if err != nil {
		for _, j := range batch {
			if err := db.attempt([]*job{j}, false); err != nil {
				j.err = wrap("kv update", err)
			}
		}
	}
	for _, j := range batch {
		close(j.done)
	}
}

// attempt runs a batch and commits what those jobs have written that did not fail. Nothing of it is
// committed when err, a failure of the store, is not nil.
func (db *DB) attempt(batch []*job, move bool) (err error) {
	w := db.writer
	defer func() {
		if err != nil {
			w.recent.undo(0)
		}
		clear(w.fresh)
		_ = w.end(w.rollback) // what only read
	}()
	for _, j := range batch {
		before := len(w.recent.changes)
		t := &txn{writer: w, name: j.scope, reader: reader{ctx: context.Background(), table: w, snapshot: w.recent.newest(), now: db.now().UnixMilli()}}
		if t.scope, err = db.numberOf(j.scope); err != nil {
			return err
		}
		if j.run(t); j.err != nil || j.panic != nil {
			w.recent.undo(before)
		}
	}
	if len(w.recent.changes) == 0 {
		return nil
	}
	if err = db.transact(func(now int64) error { return w.record(move, now) }); err != nil {
		return err
	}
	for name, number := range w.fresh {
		db.scopes.remember(name, number)
	}
	w.recent.publish(w.lastRow, func(at id) bool { return move || w.absent(at) })
	w.freeze(false)
	return nil
}

// numberOf is the number of a scope, or absent.
func (db *DB) numberOf(name string) (int64, error) {
	if number, ok := db.writer.fresh[name]; ok {
		return number, nil
	}
	number, err := db.scopes.find(db.writer.statements, name)
	db.scopes.remember(name, number)
	return number, err
}

// run calls fn and keeps its panic for the caller of Update.
func (j *job) run(t *txn) {
	defer func() { j.panic = recover() }()
	if j.err = fault.Wrap("kv update", j.ctx.Err()); j.err == nil {
		j.err = storeFault(j.fn(t))
	}
}
