package sqlite

import (
	"fmt"

	"modernc.org/libc"
	_ "modernc.org/sqlite" // prepares lib on the platforms that need it
	sqlite3 "modernc.org/sqlite/lib"

	"greentic.dev/greentic/fault"
)

// connection is SQLite's C interface, translated to Go: database/sql and the driver below it
// would cost as much again as the short statements of this package. One goroutine at a time uses
// it. Nothing is canceled half way; contexts are looked at between statements.
type connection struct {
	tls *libc.TLS
	db  uintptr

	// arena holds the keys and values of the statement that runs: SQLite must not be given
	// Go's memory. Parameters left over by an earlier statement are replaced before they are read.
	arena      uintptr
	size, used int
	rc         int32 // of the first bind that failed
}

// sqliteError is a result code (sqlite.org/rescode.html).
type sqliteError struct {
	code int32
	text string
}

func (e *sqliteError) Error() string { return fmt.Sprintf("%s (%d)", e.text, e.code) }

// arenaSize is kept between statements; what large values need beyond it is given back.
const arenaSize = 64 << 10

// dial opens or creates the database in file, an absolute path.
func dial(file string) (*connection, error) {
	c := &connection{tls: libc.NewTLS()}
	err := c.dial(file)
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *connection) dial(file string) error {
	if err := c.reserve(0); err != nil {
		return err
	}
	name, err := libc.CString(file)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, name)
	// No mutex: a connection is never used by two goroutines at once.
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.arena, flags, 0)
	if c.db = libc.AtomicLoadNUintptr(c.arena, 0); rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, 10_000)
	return nil
}

func (c *connection) failure(rc int32) error {
	text := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 {
		text = libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	}
	return &sqliteError{code: rc, text: text}
}

// script runs statements and drops their rows.
func (c *connection) script(text string) error {
	p, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, p)
	if rc := sqlite3.Xsqlite3_exec(c.tls, c.db, p, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

// number runs a statement that gives one number.
func (c *connection) number(text string) (n int64, err error) {
	s, err := c.prepare(text)
	if err != nil {
		return 0, err
	}
	row, err := c.step(s)
	if row {
		n = sqlite3.Xsqlite3_column_int64(c.tls, s, 0)
	}
	sqlite3.Xsqlite3_finalize(c.tls, s)
	return n, err
}

// prepare compiles one statement, to be kept until close.
func (c *connection) prepare(text string) (uintptr, error) {
	p, err := libc.CString(text)
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(c.tls, p)
	if rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, p, int32(len(text)), sqlite3.SQLITE_PREPARE_PERSISTENT, c.arena, 0); rc != sqlite3.SQLITE_OK {
		return 0, c.failure(rc)
	}
	return libc.AtomicLoadNUintptr(c.arena, 0), nil
}

// reserve empties the arena and makes room for n bytes of the next statement.
func (c *connection) reserve(n int) error {
	c.used = 0
	want := max(n, arenaSize)
	if want == c.size {
		return nil
	}
	libc.Xfree(c.tls, c.arena)
	c.arena, c.size = libc.Xmalloc(c.tls, libc.Tsize_t(want)), want
	if c.arena == 0 {
		c.size = 0
		return fault.Newf(fault.Exhausted, "kv", "no memory for a statement of %d bytes", n)
	}
	return nil
}

// bindBlob gives statement s its parameter number i; reserve has made room for it.
func bindBlob[T string | []byte](c *connection, s uintptr, i int32, v T) {
	p := c.arena + uintptr(c.used)
	c.used += copy(libc.GoBytes(p, len(v)), v)
	c.bound(sqlite3.Xsqlite3_bind_blob(c.tls, s, i, p, int32(len(v)), 0))
}

func (c *connection) bindInt(s uintptr, i int32, n int64) {
	c.bound(sqlite3.Xsqlite3_bind_int64(c.tls, s, i, n))
}

func (c *connection) bindNull(s uintptr, i int32) {
	c.bound(sqlite3.Xsqlite3_bind_null(c.tls, s, i))
}

func (c *connection) bound(rc int32) {
	if rc != sqlite3.SQLITE_OK && c.rc == sqlite3.SQLITE_OK {
		c.rc = rc
	}
}

// step runs s to its next row; row is false at the end.
func (c *connection) step(s uintptr) (row bool, err error) {
	rc := c.rc
	if c.rc = sqlite3.SQLITE_OK; rc == sqlite3.SQLITE_OK {
		rc = sqlite3.Xsqlite3_step(c.tls, s)
	}
	switch rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	}
	return false, c.failure(rc)
}

// reset ends s, which may run again; what went wrong step has said.
func (c *connection) reset(s uintptr) { sqlite3.Xsqlite3_reset(c.tls, s) }

// run executes a statement that gives no rows.
func (c *connection) run(s uintptr) error {
	_, err := c.step(s)
	c.reset(s)
	return err
}

// view is a column of the present row, valid until the next step or reset.
func (c *connection) view(s uintptr, column int32) []byte {
	p := sqlite3.Xsqlite3_column_blob(c.tls, s, column)
	n := int(sqlite3.Xsqlite3_column_bytes(c.tls, s, column))
	if p == 0 || n == 0 {
		return nil
	}
	return libc.GoBytes(p, n)
}

// blob is a copy of a column; never nil.
func (c *connection) blob(s uintptr, column int32) []byte {
	return append([]byte{}, c.view(s, column)...)
}

// close closes the connection with its statements.
func (c *connection) close() {
	if c.db != 0 {
		for s := sqlite3.Xsqlite3_next_stmt(c.tls, c.db, 0); s != 0; s = sqlite3.Xsqlite3_next_stmt(c.tls, c.db, 0) {
			sqlite3.Xsqlite3_finalize(c.tls, s)
		}
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	}
	libc.Xfree(c.tls, c.arena)
	c.tls.Close()
}
