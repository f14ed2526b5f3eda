package batch

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

const (
	maxJobs     = 256              // of one commit, so that the first does not wait for ever
	maxAttempts = 30               // of a batch that conflicts with other processes
	patience    = 10 * time.Second // with a server that does not answer
	yields      = 4                // how often collect lets others run without getting a job from it
)

// Expired keys are invisible at once and deleted now and then; as long as there are more, soon again.
const (
	purgeEvery = time.Minute
	purgeSoon  = 20 * time.Millisecond
)

// DB is a kv.DB over stores. Make one with New.
type DB struct {
	now          func() time.Time
	writes, read chan *job
	quit         chan struct{} // closed when Close begins
	stopped      chan struct{} // closed when all loops have returned
	once         sync.Once
	loops        sync.WaitGroup
	stores       []Store
	closed       error
}

// outcome is how an update ended.
type outcome struct {
	err   error
	panic any
}

// job is one update or view on its way.
type job struct {
	ctx   context.Context
	scope string
	fn    func(kv.Txn) error
	outcome
	done chan struct{}
}

func (j *job) finish(o outcome) {
	j.outcome = o
	close(j.done)
}

func (j *job) finished() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// New makes a store over one connection for updates and some for views, and owns them. now is
// the clock of expiry. A fn runs on the goroutine of its connection, together with others.
func New(now func() time.Time, writer Store, readers ...Store) *DB {
	db := &DB{now: now, writes: make(chan *job, 1024), read: make(chan *job, 1024), quit: make(chan struct{}), stopped: make(chan struct{}),
		stores: append(readers, writer)}
	db.loops.Go(func() { db.loop(writer, db.writes, true) })
	for _, r := range readers {
		db.loops.Go(func() { db.loop(r, db.read, false) })
	}
	return db
}

// View implements kv.DB.
func (db *DB) View(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Reader) error) error {
	scope, err := kv.Scope(tenant)
	if err != nil {
		return fault.Wrap("kv view", err)
	}
	return db.submit(db.read, &job{ctx: ctx, scope: scope, fn: func(x kv.Txn) error { return fn(x) }})
}

// Update implements kv.DB.
func (db *DB) Update(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Txn) error) error {
	scope, err := kv.Scope(tenant)
	if err != nil {
		return fault.Wrap("kv update", err)
	}
	return db.submit(db.writes, &job{ctx: ctx, scope: scope, fn: fn})
}

// System implements kv.DB.
func (db *DB) System(ctx context.Context, fn func(kv.Txn) error) error {
	return db.submit(db.writes, &job{ctx: ctx, fn: fn})
}

// Close implements kv.DB: queued jobs are refused, running ones finish.
func (db *DB) Close() error {
	db.once.Do(func() {
		close(db.quit)
		db.loops.Wait()
		close(db.stopped)
		for _, s := range db.stores {
			db.closed = errors.Join(db.closed, s.Close())
		}
	})
	return db.closed
}

func refused() error { return fault.New(fault.Unavailable, "kv", "the store is closed") }

// submit queues a job and waits. Once it was taken its outcome is awaited, also when ctx ends: a
// caller must not be told "canceled" of a committed write.
func (db *DB) submit(queue chan *job, j *job) error {
	if err := j.ctx.Err(); err != nil {
		return fault.Wrap("kv", err)
	}
	j.done = make(chan struct{})
	select {
	case <-db.quit:
		return refused()
	default:
	}
	select {
	case queue <- j:
	case <-db.quit:
		return refused()
	case <-j.ctx.Done():
		return fault.Wrap("kv", j.ctx.Err())
	}
	select {
	case <-j.done:
	case <-db.stopped:
		if !j.finished() { // it was queued after the loop had looked for the last time
			return refused()
		}
	}
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

// loop serves a queue on one store until Close.
func (db *DB) loop(s Store, queue chan *job, writes bool) {
	purge := time.NewTimer(purgeEvery)
	defer purge.Stop()
	for {
		select {
		case <-db.quit:
			return
		default:
		}
		select {
		case j := <-queue:
			db.serve(s, collect(queue, j, writes), writes)
		case <-purge.C:
			if writes {
				purge.Reset(db.purge(s))
			}
		case <-db.quit:
			return
		}
	}
}

// purge deletes some expired keys and says when to look again.
func (db *DB) purge(s Store) time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if more, err := s.Purge(ctx, db.now()); err == nil && more {
		return purgeSoon
	}
	return purgeEvery // after an error too: an update will tell what is wrong
}

// collect takes what waits. For a commit it lets those that were just answered come back first.
func collect(queue chan *job, first *job, writes bool) []*job {
	jobs, idle := []*job{first}, 0
	for len(jobs) < maxJobs {
		select {
		case j := <-queue:
			jobs, idle = append(jobs, j), 0
			continue
		default:
		}
		if idle++; !writes || idle > yields {
			break
		}
		runtime.Gosched()
	}
	return jobs
}

// serve runs jobs until each has its outcome.
func (db *DB) serve(s Store, jobs []*job, writes bool) {
	for attempt := 1; len(jobs) > 0; attempt++ {
		late, err := db.round(s, jobs, writes, attempt)
		if err == nil {
			jobs, attempt = late, 0
			continue
		}
		var left []*job
		for _, j := range jobs {
			if !j.finished() {
				left = append(left, j)
			}
		}
		jobs = left
		switch {
		case fault.Is(err, fault.Conflict) && attempt < maxAttempts:
			db.pause(attempt)
			continue
		case fault.Is(err, fault.Exhausted) && len(jobs) > 1:
			for _, j := range jobs {
				db.serve(s, []*job{j}, writes)
			}
			return
		case fault.Is(err, fault.Exhausted):
			err = fault.As(fault.Unavailable, "kv", err)
		}
		for _, j := range jobs {
			j.finish(outcome{err: err})
		}
		return
	}
}

// pause waits after a conflict: not at all after the first, then longer and longer, at random.
func (db *DB) pause(attempt int) {
	if attempt == 1 {
		return
	}
	t := time.NewTimer(rand.N(min(time.Millisecond<<attempt, 100*time.Millisecond)))
	defer t.Stop()
	select {
	case <-t.C:
	case <-db.quit:
	}
}

// round runs jobs in one transaction; late ones want another. When it fails, jobs that are not
// finished have left no trace.
func (db *DB) round(s Store, jobs []*job, writes bool, attempt int) (late []*job, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	now := db.now()
	tx, err := s.Begin(ctx, now, writes)
	if err != nil {
		return nil, err
	}
	defer tx.End()
	r := newRound(tx, now, writes, attempt)
	if err := r.run(ctx, jobs); err != nil {
		return nil, err
	}
	if len(r.merged.writes) > 0 {
		if err := tx.Commit(ctx, r.merged.list()); err != nil {
			return nil, err
		}
	}
	for _, t := range r.done {
		t.job.finish(t.result)
	}
	return r.late, nil
}
