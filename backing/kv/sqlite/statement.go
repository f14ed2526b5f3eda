package sqlite

import sqlite3 "modernc.org/sqlite/lib"

// statements is one connection with everything it will ever run, prepared.
type statements struct {
	*connection
	begin, beginRead, commit, rollback uintptr
	findScope, addScope                uintptr
	get, scan, span, some              uintptr
	addLog, nextLog, cutLog            uintptr
	put, replace, delete, purgeExpired uintptr
}

// connect opens a connection, runs setup and prepares the statements.
func connect(file string, setup func(*connection) error) (*statements, error) {
	c, err := dial(file)
	if err != nil {
		return nil, err
	}
	s := &statements{connection: c}
	if err = setup(c); err == nil {
		err = s.prepareAll()
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return s, nil
}

func (s *statements) prepareAll() (err error) {
	for _, p := range []struct {
		to  *uintptr
		sql string
	}{
		{&s.begin, `BEGIN IMMEDIATE`}, {&s.beginRead, `BEGIN`}, {&s.commit, `COMMIT`}, {&s.rollback, `ROLLBACK`},
		{&s.findScope, `SELECT id FROM scopes WHERE name = ?`},
		{&s.addScope, `INSERT INTO scopes (id, name) VALUES (?, ?)`},
		{&s.addLog, `INSERT INTO log (id, cells) VALUES (?, ?)`},
		{&s.nextLog, `SELECT id, cells FROM log WHERE id > ? ORDER BY id LIMIT 1`},
		{&s.cutLog, `DELETE FROM log WHERE id <= ?`},
		{&s.some, `SELECT 1 FROM kv WHERE scope = ? AND key >= ? AND key < ? LIMIT 1`},
		{&s.get, `SELECT value, expires FROM kv WHERE scope = ? AND key = ? AND (expires IS NULL OR expires > ?)`},
		{&s.scan, `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`},
		{&s.span, `SELECT key, value FROM kv WHERE scope = ? AND key >= ? AND key < ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?`},
		{&s.put, `INSERT INTO kv (scope, key, expires, value) VALUES (?, ?, ?, ?)
			ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value
			WHERE expires IS excluded.expires OR expires BETWEEN ? AND excluded.expires`},
		{&s.replace, `INSERT INTO kv (scope, key, expires, value) VALUES (?, ?, ?, ?)
			ON CONFLICT (scope, key) DO UPDATE SET expires = excluded.expires, value = excluded.value`},
		{&s.delete, `DELETE FROM kv WHERE scope = ? AND key = ?`},
		{&s.purgeExpired, `DELETE FROM kv WHERE (scope, key) IN (SELECT scope, key FROM kv WHERE expires <= ? LIMIT 1000)`},
	} {
		if *p.to, err = s.prepare(p.sql); err != nil {
			return err
		}
	}
	return nil
}

// scope runs findScope.
func (s *statements) scope(name string) (number int64, found bool, err error) {
	if err := s.reserve(len(name)); err != nil {
		return 0, false, err
	}
	bindBlob(s.connection, s.findScope, 1, name)
	if found, err = s.step(s.findScope); found {
		number = sqlite3.Xsqlite3_column_int64(s.tls, s.findScope, 0)
	}
	s.reset(s.findScope)
	return number, found, err
}

// nameScope runs addScope.
func (s *statements) nameScope(number int64, name string) error {
	return s.numbered(s.addScope, number, []byte(name))
}

// numbered runs a statement that takes a number and a blob.
func (s *statements) numbered(stmt uintptr, number int64, blob []byte) error {
	if err := s.reserve(len(blob)); err != nil {
		return err
	}
	s.bindInt(stmt, 1, number)
	bindBlob(s.connection, stmt, 2, blob)
	return s.run(stmt)
}

// addRow adds a row to the log.
func (s *statements) addRow(row int64, cells []byte) error { return s.numbered(s.addLog, row, cells) }

// nextRow is the first row of the log after one.
func (s *statements) nextRow(after int64) (row int64, cells []byte, found bool, err error) {
	s.bindInt(s.nextLog, 1, after)
	if found, err = s.step(s.nextLog); found {
		row, cells = sqlite3.Xsqlite3_column_int64(s.tls, s.nextLog, 0), s.blob(s.nextLog, 1)
	}
	s.reset(s.nextLog)
	return row, cells, found, err
}

// dropLog deletes the rows of the log up to one.
func (s *statements) dropLog(row int64) error {
	s.bindInt(s.cutLog, 1, row)
	return s.run(s.cutLog)
}

// any says whether a segment has a row; also when that cannot be found out.
func (s *statements) any(of segment) bool {
	end := of.end()
	if s.reserve(len(of.key)+len(end)) != nil {
		return true
	}
	s.bindInt(s.some, 1, of.scope)
	bindBlob(s.connection, s.some, 2, of.key)
	bindBlob(s.connection, s.some, 3, end)
	found, err := s.step(s.some)
	s.reset(s.some)
	return found || err != nil
}

// cell is what get finds; nil for nothing.
func (s *statements) cell(at id, now int64) (c *cell, err error) {
	if err := s.reserve(len(at.key)); err != nil {
		return nil, err
	}
	s.bindInt(s.get, 1, at.scope)
	bindBlob(s.connection, s.get, 2, at.key)
	s.bindInt(s.get, 3, now)
	found, err := s.step(s.get)
	if found {
		c = &cell{value: s.blob(s.get, 0)}
		c.at = sqlite3.Xsqlite3_column_int64(s.tls, s.get, 1) // 0 for null
	}
	s.reset(s.get)
	return c, err
}

// pair is one row of a scan.
type pair struct {
	key   string
	value []byte
}

// pairs reads at most n rows of a scan.
func (s *statements) pairs(scope int64, from, to string, now int64, n int) (page []pair, err error) {
	if err := s.reserve(len(from) + len(to)); err != nil {
		return nil, err
	}
	stmt, i := s.scan, int32(3)
	if to != "" {
		stmt = s.span
		bindBlob(s.connection, stmt, i, to)
		i++
	}
	s.bindInt(stmt, 1, scope)
	bindBlob(s.connection, stmt, 2, from)
	s.bindInt(stmt, i, now)
	s.bindInt(stmt, i+1, int64(n))
	row, err := s.step(stmt)
	for ; row; row, err = s.step(stmt) {
		page = append(page, pair{string(s.view(stmt, 0)), s.blob(stmt, 1)})
	}
	s.reset(stmt)
	return page, err
}

// store puts a value under a key. What has another time of expiry needs replace, which maintains
// the index of those times, also when they are equal.
func (s *statements) store(scope int64, key string, value []byte, e expiry) error {
	err := s.storeBy(s.put, scope, key, value, e)
	if err == nil && sqlite3.Xsqlite3_changes(s.tls, s.db) == 0 {
		err = s.storeBy(s.replace, scope, key, value, e)
	}
	return err
}

func (s *statements) storeBy(stmt uintptr, scope int64, key string, value []byte, e expiry) error {
	if err := s.reserve(len(key) + len(value)); err != nil {
		return err
	}
	s.bindInt(stmt, 1, scope)
	bindBlob(s.connection, stmt, 2, key)
	if e.at == 0 {
		s.bindNull(stmt, 3)
	} else {
		s.bindInt(stmt, 3, e.at)
	}
	bindBlob(s.connection, stmt, 4, value)
	if stmt == s.put {
		s.bindInt(stmt, 5, e.early)
	}
	return s.run(stmt)
}

// remove runs delete.
func (s *statements) remove(scope int64, key string) error {
	if err := s.reserve(len(key)); err != nil {
		return err
	}
	s.bindInt(s.delete, 1, scope)
	bindBlob(s.connection, s.delete, 2, key)
	return s.run(s.delete)
}

// purge runs purgeExpired and returns how many keys it deleted.
func (s *statements) purge(now int64) (int, error) {
	s.bindInt(s.purgeExpired, 1, now)
	err := s.run(s.purgeExpired)
	return int(sqlite3.Xsqlite3_changes(s.tls, s.db)), err
}
