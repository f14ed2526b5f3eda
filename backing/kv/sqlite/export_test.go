package sqlite

import (
	"testing"
	"time"

	"greentic.dev/backing/kv"
)

// alone runs fn on the writer's goroutine.
func alone(t *testing.T, db *DB, fn func() error) {
	t.Helper()
	if err := db.System(t.Context(), func(kv.Txn) error { return fn() }); err != nil {
		t.Fatal(err)
	}
}

// Exec runs a statement on the writer's connection.
func Exec(t *testing.T, db *DB, statement string) {
	t.Helper()
	alone(t, db, func() error { return db.writer.script(statement) })
}

// Hurry lets generations have at most so many keys.
func Hurry(t *testing.T, db *DB, most int) {
	t.Helper()
	alone(t, db, func() error { db.writer.most = most; return nil })
}

// Moved is how many generations have arrived in the table.
func Moved(db *DB) uint64 { return db.recent.arrived() }

// Rows counts the rows, expired ones too, of a store at rest.
func Rows(t *testing.T, db *DB) (n int64) {
	t.Helper()
	alone(t, db, func() (err error) {
		for more := true; more && err == nil; {
			more, err = db.settle()
		}
		if err == nil {
			n, err = db.writer.statements.number("SELECT count(*) FROM kv")
		}
		return err
	})
	return n
}

// Purge purges now.
func Purge(t *testing.T, db *DB) (again time.Duration) {
	t.Helper()
	Rows(t, db)
	alone(t, db, func() error { again = db.purge(); return nil })
	return again
}
