package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

const (
	getSQL  = `SELECT value FROM kv WHERE scope = ? AND key = ? AND (expires IS NULL OR expires > ?)`
	scanSQL = `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`
	spanSQL = `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND key < ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`
)

// statements are the writer's, prepared once.
type statements struct {
	conn                                *sql.Conn
	begin, commit, rollback             *sql.Stmt
	save, release, undo                 *sql.Stmt
	get, scan, span, put, delete, purge *sql.Stmt
}

func prepare(ctx context.Context, conn *sql.Conn) (*statements, error) {
	s := &statements{conn: conn}
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&s.begin, `BEGIN IMMEDIATE`}, {&s.commit, `COMMIT`}, {&s.rollback, `ROLLBACK`},
		{&s.save, `SAVEPOINT u`}, {&s.release, `RELEASE u`}, {&s.undo, `ROLLBACK TO u`},
		{&s.get, getSQL}, {&s.scan, scanSQL}, {&s.span, spanSQL},
		{&s.put, `INSERT INTO kv (scope, key, value, expires) VALUES (?, ?, ?, ?)
			ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, expires = excluded.expires`},
		{&s.delete, `DELETE FROM kv WHERE scope = ? AND key = ?`},
		{&s.purge, `DELETE FROM kv WHERE (scope, key) IN (SELECT scope, key FROM kv WHERE expires <= ? LIMIT 1000)`},
	} {
		var err error
		if *p.to, err = conn.PrepareContext(ctx, p.sql); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// QueryContext runs a prepared query by its text, so that readers and the writer share code.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	switch query {
	case scanSQL:
		return s.scan.QueryContext(ctx, args...)
	case spanSQL:
		return s.span.QueryContext(ctx, args...)
	}
	return s.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext is QueryContext for one row.
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if query == getSQL {
		return s.get.QueryRowContext(ctx, args...)
	}
	return s.conn.QueryRowContext(ctx, query, args...)
}

// querier is what reading needs of a connection or transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type reader struct {
	ctx   context.Context
	q     querier
	scope string
	now   int64 // Unix milliseconds
}

func (r *reader) Get(key string) ([]byte, error) {
	if err := kv.CheckKey(key); err != nil {
		return nil, err
	}
	var value []byte
	err := r.q.QueryRowContext(r.ctx, getSQL, r.scope, []byte(key), r.now).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.Newf(fault.NotFound, "kv", "no key %q", key)
	}
	return value, err
}

// pair is one row of a scan.
type pair struct {
	key   string
	value []byte
}

// scanPage bounds the rows read before fn sees them: fn may write, and a statement that is
// still open would hold the connection.
const scanPage = 256

func (r *reader) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	for {
		n := scanPage
		if limit > 0 && limit < n {
			n = limit
		}
		page, err := r.page(from, to, n)
		if err != nil {
			return err
		}
		for _, p := range page {
			if !fn(p.key, p.value) {
				return nil
			}
		}
		if limit > 0 {
			if limit -= len(page); limit == 0 {
				return nil
			}
		}
		if len(page) < n {
			return nil
		}
		from = page[len(page)-1].key + "\x00"
	}
}

func (r *reader) page(from, to string, n int) ([]pair, error) {
	query, args := scanSQL, []any{r.scope, []byte(from), r.now, n}
	if to != "" {
		query, args = spanSQL, []any{r.scope, []byte(from), []byte(to), r.now, n}
	}
	rows, err := r.q.QueryContext(r.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var page []pair
	for rows.Next() {
		var key, value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		page = append(page, pair{string(key), value})
	}
	return page, rows.Err()
}

// txn writes inside the writer's transaction, below a savepoint that the first write makes.
type txn struct {
	reader
	stmts  *statements
	dirty  bool
	failed error
}

func (t *txn) exec(s *sql.Stmt, args ...any) error {
	if !t.dirty {
		if _, err := t.stmts.save.ExecContext(t.ctx); err != nil {
			t.failed = err
			return err
		}
		t.dirty = true
	}
	if _, err := s.ExecContext(t.ctx, args...); err != nil {
		t.failed = err
		return err
	}
	return nil
}

func (t *txn) Put(key string, value []byte, ttl time.Duration) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	var expires any
	if ttl > 0 {
		expires = t.now + max(ttl.Milliseconds(), 1)
	}
	if value == nil {
		value = []byte{}
	}
	return t.exec(t.stmts.put, t.scope, []byte(key), value, expires)
}

func (t *txn) Delete(key string) error {
	if err := kv.CheckKey(key); err != nil {
		return err
	}
	return t.exec(t.stmts.delete, t.scope, []byte(key))
}

func (t *txn) Index(key string, value []byte) error {
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	if value == nil {
		return t.exec(t.stmts.delete, "", []byte(key))
	}
	return t.exec(t.stmts.put, "", []byte(key), value, nil)
}
