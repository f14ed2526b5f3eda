package sqlite

import (
	"testing"
	"time"
)

// Exec runs a statement on the writer's connection; nothing else may be going on.
func Exec(t *testing.T, db *DB, statement string) {
	t.Helper()
	if err := db.writer.script(statement); err != nil {
		t.Fatal(err)
	}
}

// Rows counts the rows, expired ones too.
func Rows(t *testing.T, db *DB) int64 {
	t.Helper()
	n, err := db.writer.number("SELECT count(*) FROM kv")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Purge purges now.
func Purge(db *DB) time.Duration { return db.purge() }
