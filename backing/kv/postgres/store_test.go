package postgres

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/batch"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/testserver"
)

// Server is the one server of the tests of this package.
var Server testserver.Postgres

func TestMain(m *testing.M) {
	code := m.Run()
	if err := errors.Join(Server.Close(), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// direct is a connection beside the store's.
func direct(t *testing.T, url string) *store {
	t.Helper()
	config, schema, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(config, schema)
	t.Cleanup(func() { _ = s.Close() })
	if err := s.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAStoreOfANewerVersionIsRefused(t *testing.T) {
	url := Server.URL(t)
	db, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := direct(t, url).conn.Exec(t.Context(), "UPDATE kv_version SET version = 99"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), url, Options{}); !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "version 99") {
		t.Fatalf("err = %v", err)
	}
}

func TestExpiredKeysAreDeleted(t *testing.T) {
	url, clock := Server.URL(t), kvtest.NewClock()
	db, err := Open(t.Context(), url, Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error {
		for i := range 3000 {
			if err := x.Put(fmt.Sprintf("k/%d", i), nil, time.Duration(1+i%2)*time.Hour); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	clock.Add(90 * time.Minute)
	s := direct(t, url)
	for _, want := range []bool{true, false} {
		if more, err := s.Purge(t.Context(), clock.Now()); err != nil || more != want {
			t.Errorf("more=%v, %v", more, err)
		}
	}
	var n int
	if err := s.conn.QueryRow(t.Context(), "SELECT count(*) FROM kv").Scan(&n); err != nil || n != 1500 {
		t.Errorf("%d rows are left, want 1500 (%v)", n, err)
	}
}

func TestAPasswordIsInNoError(t *testing.T) {
	for url, kind := range map[string]fault.Kind{
		"postgres://u:secret-word@127.0.0.1:1/x?sslmode=disable": fault.Unavailable,
		"postgres://u:secret-word@127.0.0.1:port/x":              fault.Invalid,
		"postgres://u:secret-word@127.0.0.1:1/x?sslmode=sure":    fault.Invalid,
		"postgres://u:secret-word@127.0.0.1:1/x?schema=a%3Bb":    fault.Invalid,
	} {
		_, err := Open(t.Context(), url, Options{})
		if !fault.Is(err, kind) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A process that stops while it holds the lock is ended by the server, and what it had not committed is
// gone; here after a fifth of a second instead of five.
func TestAStalledProcessDoesNotHoldUpTheOthers(t *testing.T) {
	url := Server.URL(t)
	db, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stalled := &txn{store: direct(t, url+"&idle_in_transaction_session_timeout=200"), writes: true}
	if err := stalled.exchange(t.Context(), nothing); err != nil {
		t.Fatal(err)
	}
	put := func(value string) error {
		return db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error { return x.Put("k", []byte(value), 0) })
	}
	if err := put("ours"); err != nil {
		t.Fatal(err)
	}
	scope, err := kv.Scope(greentic.DefaultTenant())
	if err != nil {
		t.Fatal(err)
	}
	late := []batch.Write{{ID: batch.ID{Scope: scope, Key: "k"}, Value: []byte("theirs")}}
	if err := stalled.Commit(t.Context(), late); !fault.Is(err, fault.Conflict) {
		t.Errorf("the stalled process commits: %v, want to be told to run again", err)
	}
	err = db.View(t.Context(), greentic.DefaultTenant(), func(r kv.Reader) error {
		v, err := r.Get("k")
		if err == nil && string(v) != "ours" {
			err = fmt.Errorf("k = %q", v)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
