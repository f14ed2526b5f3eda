package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"greentic.dev/greentic/fault"
)

// statements is one connection with everything it will ever run, prepared. One goroutine at a
// time uses it. Nothing is canceled half way: contexts are looked at between statements, which
// are short, and the driver would start a goroutine for each cancelable one.
type statements struct {
	conn               *sql.Conn
	begin, beginRead   *sql.Stmt
	commit, rollback   *sql.Stmt
	save, undo, keep   *sql.Stmt
	get, scan, span    *sql.Stmt
	put, delete, purge *sql.Stmt
}

// connect opens a connection, runs setup and prepares the statements.
func connect(ctx context.Context, pool *sql.DB, setup string) (*statements, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &statements{conn: conn}
	if err = s.prepare(ctx, setup); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *statements) prepare(ctx context.Context, setup string) error {
	var version int
	if err := s.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fault.Newf(fault.Unsupported, "", "the store has version %d, this program knows %d", version, schemaVersion).WithFix("use the program that wrote it, or a newer one")
	}
	if _, err := s.conn.ExecContext(ctx, setup); err != nil {
		return err
	}
	for _, p := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&s.begin, `BEGIN IMMEDIATE`}, {&s.beginRead, `BEGIN`}, {&s.commit, `COMMIT`}, {&s.rollback, `ROLLBACK`},
		{&s.save, `SAVEPOINT u`}, {&s.undo, `ROLLBACK TO u`}, {&s.keep, `RELEASE u`},
		{&s.get, `SELECT value FROM kv WHERE scope = ? AND key = ? AND (expires IS NULL OR expires > ?)`},
		{&s.scan, `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`},
		{&s.span, `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND key < ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`},
		{&s.put, `INSERT INTO kv (scope, key, value, expires) VALUES (?, ?, ?, ?)
			ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, expires = excluded.expires`},
		{&s.delete, `DELETE FROM kv WHERE scope = ? AND key = ?`},
		{&s.purge, `DELETE FROM kv WHERE (scope, key) IN (SELECT scope, key FROM kv WHERE expires <= ? LIMIT 1000)`},
	} {
		var err error
		if *p.to, err = s.conn.PrepareContext(ctx, p.sql); err != nil {
			return err
		}
	}
	return nil
}

func (s *statements) run(stmt *sql.Stmt, args ...any) error {
	_, err := stmt.ExecContext(context.Background(), args...)
	return err
}

// value runs get.
func (s *statements) value(args ...any) (value []byte, found bool, err error) {
	err = s.get.QueryRowContext(context.Background(), args...).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return value, err == nil, err
}

// pair is one row of a scan.
type pair struct {
	key   string
	value []byte
}

// pairs runs scan or span.
func (s *statements) pairs(stmt *sql.Stmt, args ...any) (page []pair, err error) {
	rows, err := stmt.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key, value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		page = append(page, pair{string(key), value})
	}
	return page, rows.Err()
}

// close closes the connection and with it the statements.
func (s *statements) close() {
	for _, stmt := range []*sql.Stmt{s.begin, s.beginRead, s.commit, s.rollback, s.save, s.undo, s.keep, s.get, s.scan, s.span, s.put, s.delete, s.purge} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
	_ = s.conn.Close()
}
