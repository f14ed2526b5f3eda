package sqlite

import (
	"testing"
	"time"
)

// Exec runs a statement on the writer's connection; nothing else may be going on.
func Exec(t *testing.T, db *DB, statement string) {
	t.Helper()
	if _, err := db.writer.conn.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Rows counts the rows, expired ones too.
func Rows(t *testing.T, db *DB) (n int) {
	t.Helper()
	if err := db.writer.conn.QueryRowContext(t.Context(), "SELECT count(*) FROM kv").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Purge purges now.
func Purge(db *DB) time.Duration { return db.purge() }
