package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	sqlite "modernc.org/sqlite"

	"greentic.dev/greentic/fault"
)

// statements is one connection with everything it will ever run, prepared. One goroutine at a
// time uses it. It sits on the driver itself: the pool, locks and conversions of database/sql
// would cost a third on top of each of these short statements. Nothing is canceled half way;
// contexts are looked at between statements.
type statements struct {
	conn                      driver.Conn
	begin, beginRead          driver.Stmt
	commit, rollback          driver.Stmt
	get, scan, span           driver.Stmt
	put, delete, purgeExpired driver.Stmt
}

// connect opens a connection, runs setup and prepares the statements.
func connect(name, setup string) (*statements, error) {
	conn, err := (&sqlite.Driver{}).Open(name)
	if err != nil {
		return nil, err
	}
	s := &statements{conn: conn}
	if err = s.prepare(setup); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *statements) prepare(setup string) error {
	version, err := s.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	if version > schemaVersion {
		return fault.Newf(fault.Unsupported, "", "the store has version %d, this program knows %d", version, schemaVersion).WithFix("use the program that wrote it, or a newer one")
	}
	if err := s.script(setup); err != nil {
		return err
	}
	for _, p := range []struct {
		to  *driver.Stmt
		sql string
	}{
		{&s.begin, `BEGIN IMMEDIATE`}, {&s.beginRead, `BEGIN`}, {&s.commit, `COMMIT`}, {&s.rollback, `ROLLBACK`},
		{&s.get, `SELECT value FROM kv WHERE scope = ? AND key = ? AND (expires IS NULL OR expires > ?)`},
		{&s.scan, `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`},
		{&s.span, `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND key < ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`},
		{&s.put, `INSERT INTO kv (scope, key, value, expires) VALUES (?, ?, ?, ?)
			ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, expires = excluded.expires`},
		{&s.delete, `DELETE FROM kv WHERE scope = ? AND key = ?`},
		{&s.purgeExpired, `DELETE FROM kv WHERE (scope, key) IN (SELECT scope, key FROM kv WHERE expires <= ? LIMIT 1000)`},
	} {
		if *p.to, err = s.conn.Prepare(p.sql); err != nil {
			return err
		}
	}
	return nil
}

// script runs statements that give no rows.
func (s *statements) script(text string) error {
	stmt, err := s.conn.Prepare(text)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	_, err = run(stmt)
	return err
}

// number runs a statement that gives one number.
func (s *statements) number(text string) (n int64, err error) {
	stmt, err := s.conn.Prepare(text)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	err = query(stmt, 1, func(row []driver.Value) bool {
		n, _ = row[0].(int64)
		return false
	})
	return n, err
}

func named(args []any) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, a := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return list
}

// run executes stmt and returns the number of rows it changed.
func run(stmt driver.Stmt, args ...any) (int64, error) {
	r, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), named(args))
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// query hands each row of stmt to fn until it returns false. fn must not use the connection.
func query(stmt driver.Stmt, columns int, fn func(row []driver.Value) bool, args ...any) error {
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(context.Background(), named(args))
	if err != nil {
		return err
	}
	row := make([]driver.Value, columns)
	for err = rows.Next(row); err == nil && fn(row); {
		err = rows.Next(row)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// value runs get.
func (s *statements) value(args ...any) (value []byte, found bool, err error) {
	err = query(s.get, 1, func(row []driver.Value) bool {
		value, found = blob(row[0]), true
		return false
	}, args...)
	return value, found, err
}

// pair is one row of a scan.
type pair struct {
	key   string
	value []byte
}

// pairs runs scan or span.
func pairs(stmt driver.Stmt, args ...any) (page []pair, err error) {
	err = query(stmt, 2, func(row []driver.Value) bool {
		page = append(page, pair{string(blob(row[0])), blob(row[1])})
		return true
	}, args...)
	return page, err
}

// blob is a column's bytes, which the driver has copied; the driver gives nil for an empty one.
func blob(v driver.Value) []byte {
	if b, _ := v.([]byte); b != nil {
		return b
	}
	return []byte{}
}

// close closes the connection and with it the statements.
func (s *statements) close() {
	for _, stmt := range []driver.Stmt{s.begin, s.beginRead, s.commit, s.rollback, s.get, s.scan, s.span, s.put, s.delete, s.purgeExpired} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
	_ = s.conn.Close()
}
