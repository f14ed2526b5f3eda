package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"sync"
	"time"

	sqlite "modernc.org/sqlite"
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
	readers *sql.DB
	writer  *sql.DB
	conn    *sql.Conn // the writer's only connection
	stmts   *statements

	jobs chan *job
	quit chan struct{}
	done sync.WaitGroup
	once sync.Once
}

const schema = `
CREATE TABLE IF NOT EXISTS kv (
	scope   TEXT NOT NULL,
	key     BLOB NOT NULL,
	value   BLOB NOT NULL,
	expires INTEGER,
	PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kv_expires ON kv (expires) WHERE expires IS NOT NULL;
PRAGMA user_version = 1;`

func dsn(file string, pragmas ...string) string {
	q := url.Values{}
	for _, p := range append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)"}, pragmas...) {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + q.Encode()
}

// Open opens or creates the store in file. A file that is no database, or a damaged one, is
// fault.Unavailable and named.
func Open(ctx context.Context, file string, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	db := &DB{now: o.Now, jobs: make(chan *job, 1024), quit: make(chan struct{})}
	if err := db.open(ctx, file, o.Readers); err != nil {
		db.release()
		return nil, wrap("kv open "+file, err)
	}
	db.done.Go(db.write)
	return db, nil
}

func (db *DB) open(ctx context.Context, file string, readers int) (err error) {
	if db.writer, err = sql.Open("sqlite", dsn(file)); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if db.conn, err = db.writer.Conn(ctx); err != nil {
		return err
	}
	if _, err = db.conn.ExecContext(ctx, schema); err != nil {
		return err
	}
	if db.stmts, err = prepare(ctx, db.conn); err != nil {
		return err
	}
	if db.readers, err = sql.Open("sqlite", dsn(file, "query_only(1)")); err != nil {
		return err
	}
	db.readers.SetMaxOpenConns(readers)
	db.readers.SetMaxIdleConns(readers)
	return db.readers.PingContext(ctx)
}

func (db *DB) release() {
	if db.readers != nil {
		_ = db.readers.Close()
	}
	if db.conn != nil {
		_ = db.conn.Close()
	}
	if db.writer != nil {
		_ = db.writer.Close()
	}
}

// Close implements kv.DB: queued updates are refused, running ones finish.
func (db *DB) Close() error {
	db.once.Do(func() {
		close(db.quit)
		db.done.Wait()
		db.release()
	})
	return nil
}

func (db *DB) closed() error { return fault.New(fault.Unavailable, "kv", "the store is closed") }

// View implements kv.DB on a read transaction of its own connection.
func (db *DB) View(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Reader) error) error {
	scope, err := kv.Scope(tenant)
	if err != nil {
		return fault.Wrap("kv view", err)
	}
	select {
	case <-db.quit:
		return db.closed()
	default:
	}
	tx, err := db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return db.readError(ctx, err)
	}
	defer func() { _ = tx.Rollback() }()
	return db.readError(ctx, fn(&reader{ctx: ctx, q: tx, scope: scope, now: db.now().UnixMilli()}))
}

// readError gives an error of the driver its kind; errors of fn pass unchanged.
func (db *DB) readError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fault.Wrap("kv view", ctx.Err())
	}
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) {
		return db.closed()
	}
	return driverFault(err)
}

// driverFault maps SQLite's result codes (sqlite.org/rescode.html) and leaves others alone.
func driverFault(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fault.New(fault.Unavailable, "kv", "the disk is full").WithFix("free space in the data folder")
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return fault.New(fault.Unavailable, "kv", "the database file is damaged or no database").WithFix("restore the data folder from a backup")
	case sqlite3.SQLITE_INTERRUPT:
		return fault.New(fault.Canceled, "kv", "interrupted")
	}
	return fault.As(fault.Unavailable, "kv", err)
}

func wrap(op string, err error) error { return fault.Wrap(op, driverFault(err)) }
