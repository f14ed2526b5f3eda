package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Options of Open; the zero value is right for production.
type Options struct {
	Now     func() time.Time // clock of expiry; default time.Now
	Readers int              // connections for View; default 4
}

// DB is a kv.DB on a file. Make one with Open.
type DB struct {
	now     func() time.Time
	readers chan *statements // idle connections for View
	writer  *writer          // used by the goroutine of write only
	recent  *recent
	scopes  scopes

	jobs    chan *job
	quit    chan struct{} // closed when Close begins
	stopped chan struct{} // closed when the writer has returned
	once    sync.Once
}

// Open opens or creates the store in file. A file that is no database, or a damaged one, is
// fault.Unavailable, one of a newer version fault.Unsupported; both name the file.
func Open(ctx context.Context, file string, o Options) (*DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap("kv open "+file, err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	db := &DB{now: o.Now, readers: make(chan *statements, o.Readers), jobs: make(chan *job, 1024), quit: make(chan struct{}), stopped: make(chan struct{})}
	if err := db.open(file, o.Readers); err != nil {
		db.release(len(db.readers))
		return nil, wrap("kv open "+file, err)
	}
	go db.write()
	return db, nil
}

func (db *DB) open(file string, readers int) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) // SQLite would let others read it
	if err != nil {
		return fault.As(fault.Unavailable, "", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if file, err = filepath.Abs(file); err != nil { // absolute names have no other meaning to SQLite
		return err
	}
	w, err := connect(file, setup)
	if err != nil {
		return err
	}
	if db.writer, err = newWriter(w); err != nil {
		w.close()
		return err
	}
	db.recent = db.writer.recent
	for range readers {
		r, err := connect(file, setupReader)
		if err != nil {
			return err
		}
		db.readers <- r
	}
	return nil
}

// release closes the writer and n idle readers, waiting for those that are not yet idle.
func (db *DB) release(n int) {
	for range n {
		(<-db.readers).close()
	}
	if db.writer != nil {
		db.writer.close()
	}
}

// Close implements kv.DB: queued updates are refused, running ones finish.
func (db *DB) Close() error {
	db.once.Do(func() {
		close(db.quit)
		<-db.stopped
		db.release(cap(db.readers))
	})
	return nil
}

func closed() error { return fault.New(fault.Unavailable, "kv", "the store is closed") }

// View implements kv.DB on a read transaction of its own connection.
func (db *DB) View(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Reader) error) error {
	scope, err := kv.Scope(tenant)
	if err != nil {
		return fault.Wrap("kv view", err)
	}
	if err := ctx.Err(); err != nil {
		return fault.Wrap("kv view", err)
	}
	select {
	case <-db.quit:
		return closed()
	default:
	}
	var s *statements
	select {
	case s = <-db.readers:
	case <-db.quit:
		return closed()
	case <-ctx.Done():
		return fault.Wrap("kv view", ctx.Err())
	}
	defer func() { db.readers <- s }()
	defer func() { _ = s.run(s.rollback) }()
	seen, number, err := db.look(s, scope)
	if err != nil {
		return wrap("kv view", err)
	}
	defer seen.done()
	return storeFault(fn(&reader{ctx: ctx, table: s, snapshot: seen, scope: number, now: db.now().UnixMilli()}))
}

// look begins a read transaction and takes the snapshot that fits it.
func (db *DB) look(s *statements, scope string) (snapshot, int64, error) {
	for {
		before := db.recent.arrived()
		if err := s.run(s.beginRead); err != nil {
			return snapshot{}, 0, err
		}
		number, found, err := s.scope(scope) // the first statement settles what the transaction sees
		if err != nil {
			return snapshot{}, 0, err
		}
		if !found {
			number = absent
		}
		seen, after := db.recent.view()
		if before == after {
			return seen, number, nil
		}
		seen.done() // rows that left recent may not be in the transaction
		if err := s.run(s.rollback); err != nil {
			return snapshot{}, 0, err
		}
	}
}

// storeFault maps SQLite's result codes (sqlite.org/rescode.html) and leaves others alone.
func storeFault(err error) error {
	var e *sqliteError
	if !errors.As(err, &e) {
		return err
	}
	switch e.code & 0xff {
	case sqlite3.SQLITE_FULL:
		return fault.New(fault.Unavailable, "kv", "the disk is full").WithFix("free space in the data folder")
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fault.New(fault.Unavailable, "kv", "the database file is damaged or no database").WithFix("restore the data folder from a backup")
	}
	return fault.As(fault.Unavailable, "kv", err)
}

func wrap(op string, err error) error { return fault.Wrap(op, storeFault(err)) }
