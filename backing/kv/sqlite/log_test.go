package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// write puts the value under keys in one update and deletes others.
func write(t *testing.T, db kv.DB, value string, puts, deletes []string) {
	t.Helper()
	if err := db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error {
		for _, key := range puts {
			if err := x.Put(key, []byte(value), 0); err != nil {
				return err
			}
		}
		for _, key := range deletes {
			if err := x.Delete(key); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func everything(t *testing.T, db kv.DB) (said string) {
	t.Helper()
	if err := db.View(t.Context(), greentic.DefaultTenant(), func(x kv.Reader) error { said = dump(x, "", "", 0); return nil }); err != nil {
		t.Fatal(err)
	}
	return said
}

func names(prefix string, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("%s/%03d", prefix, i))
	}
	return list
}

// Whatever arrives in the table while a view is under way, the view sees what it began with.
func TestAViewStaysAsItBeganWhileTheLogIsMoved(t *testing.T) {
	for begin := range 9 { // commits before it
		db := open(t, filepath.Join(t.TempDir(), "kv.db"), time.Now)
		defer db.Close()
		sqlite.Hurry(t, db, 20+20*(begin%3))
		keys := names("a", 30)
		for i := range begin {
			write(t, db, fmt.Sprint("before ", i), keys[i:20+i], keys[:i])
		}
		begun, changed := make(chan struct{}), make(chan struct{})
		var first, last, one string
		done := make(chan error)
		go func() {
			done <- db.View(context.Background(), greentic.DefaultTenant(), func(x kv.Reader) error {
				first = dump(x, "", "", 0)
				close(begun)
				<-changed
				last = dump(x, "", "", 0)
				for _, key := range keys {
					if v, err := x.Get(key); err == nil {
						one += fmt.Sprintf("%q=%q ", key, v)
					} else if !fault.Is(err, fault.NotFound) {
						return err
					}
				}
				one += "<nil>"
				return nil
			})
		}()
		<-begun
		arrived := sqlite.Moved(db)
		for i := 0; sqlite.Moved(db) < arrived+3; i++ {
			write(t, db, fmt.Sprint("after ", i), append(keys[i%10:], names(fmt.Sprint("b", i), 20)...), keys[:i%10])
		}
		close(changed)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if first != last || one != last {
			t.Errorf("a view after %d commits: %s\nthen: %s\nkey by key: %s", begin, first, last, one)
		}
	}
}

// What is deleted before its generation arrives never gets into the table, and what is in the table
// leaves it, whenever the store is closed.
func TestWhatIsDeletedStaysDeleted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	want := ""
	for i := range 12 {
		db := open(t, file, time.Now)
		sqlite.Hurry(t, db, 10+i)
		if got := everything(t, db); i > 0 && got != want {
			t.Fatalf("opening %d: %s, want %s", i, got, want)
		}
		keys := names("k", 40)
		write(t, db, fmt.Sprint(i), keys[i:], keys[:i])
		write(t, db, "short", names("s", 25), nil)
		if i%3 == 0 {
			sqlite.Rows(t, db) // all of it arrives
		}
		write(t, db, "", nil, names("s", 25))
		want = everything(t, db)
		if strings.Contains(want, "short") || strings.Count(want, "=") != 40-i {
			t.Fatalf("run %d: %s", i, want)
		}
		if i == 11 {
			if n := sqlite.Rows(t, db); n != int64(40-i) {
				t.Errorf("%d rows for %d keys", n, 40-i)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStoreOfVersion2GetsALog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	db := open(t, file, time.Now)
	write(t, db, "v", names("k", 3), nil)
	want := everything(t, db)
	sqlite.Rows(t, db)
	sqlite.Exec(t, db, "DROP TABLE log")
	sqlite.Exec(t, db, "PRAGMA user_version = 2")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		db = open(t, file, time.Now)
		if got := everything(t, db); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		write(t, db, "w", names("k", 2), nil)
		want = everything(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADamagedLogIsRefusedByName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	db := open(t, file, time.Now)
	write(t, db, "v", names("k", 3), nil)
	sqlite.Exec(t, db, "UPDATE log SET cells = substr(cells, 1, length(cells) - 1)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "log") {
		t.Fatalf("err = %v", err)
	}
}

// A commit of more than a row of the log holds comes back whole.
func TestALargeCommitHasSeveralRows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	db := open(t, file, time.Now)
	write(t, db, strings.Repeat("large ", 100_000), names("k", 12), nil)
	want := everything(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, file, time.Now)
	defer db.Close()
	if got := everything(t, db); got != want {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

// A generation that takes several commits to arrive is there all the time, for updates and views.
func TestWhatArrivesPieceByPieceIsThereAllTheTime(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "kv.db"), time.Now)
	defer db.Close()
	sqlite.Hurry(t, db, 400)
	keys := names("k", 400)
	from, to := kv.Prefix("k/")
	_ = everything(t, db)
	write(t, db, "v", keys[:399], nil)
	write(t, db, "v", keys[399:], nil)
	want := strings.TrimSuffix(everything(t, db), "<nil>")
	for i := 0; sqlite.Moved(db) == 0; i++ {
		write(t, db, "w", names(fmt.Sprint("other/", i), 10), nil)
		if err := db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error {
			for _, key := range keys {
				if _, err := x.Get(key); err != nil {
					return err
				}
			}
			if got := dump(x, from, to, 0); got != want+"<nil>" {
				t.Errorf("after %d commits: %s", i, got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got := everything(t, db); !strings.HasPrefix(got, want) {
			t.Fatalf("after %d commits: %s", i, got)
		}
		if i > 400 {
			t.Fatal("it does not arrive")
		}
	}
}

// What expires before it arrives takes the row with it that was in the table before.
func TestWhatExpiresInTheLogIsGone(t *testing.T) {
	clock := kvtest.NewClock()
	db := open(t, filepath.Join(t.TempDir(), "kv.db"), clock.Now)
	defer db.Close()
	write(t, db, "for ever", []string{"k"}, nil)
	sqlite.Rows(t, db)
	if err := db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error { return x.Put("k", []byte("for a second"), time.Second) }); err != nil {
		t.Fatal(err)
	}
	clock.Add(2 * time.Second)
	if got := everything(t, db); got != "<nil>" {
		t.Errorf("in the log: %s", got)
	}
	if n := sqlite.Rows(t, db); n != 0 || everything(t, db) != "<nil>" {
		t.Errorf("in the table: %d rows, %s", n, everything(t, db))
	}
}
