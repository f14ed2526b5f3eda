package kvtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Clock is the time a store under test sees; cases move it.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a fixed instant.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// Now reads the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Home is where the store under test lives: one database, which begins empty.
type Home struct {
	Open   func() (kv.DB, error) // opens a handle on it
	Keeps  bool                  // it is still there when no handle is open
	Shares bool                  // several handles may be open at the same time, as those of several processes
}

// Open makes a fresh home on the clock; the suite closes the handles.
type Open func(t *testing.T, now func() time.Time) Home

// Case is one promise. Check returns what was broken.
type Case struct {
	Name  string
	Keeps bool // it is promised by homes that keep
	Check func(ctx context.Context, db kv.DB, stage *Stage) error
}

// Stage is what a case needs besides its first handle.
type Stage struct {
	*Clock
	home    Home
	handles []kv.DB
}

// NewStage opens the first handle of a home.
func NewStage(clock *Clock, home Home) (*Stage, kv.DB, error) {
	s := &Stage{Clock: clock, home: home}
	db, err := s.open()
	return s, db, err
}

func (s *Stage) open() (kv.DB, error) {
	db, err := s.home.Open()
	if err == nil {
		s.handles = append(s.handles, db)
	}
	return db, err
}

// Second is another handle on the same database, or the first where there can be only one.
func (s *Stage) Second() (kv.DB, error) {
	if !s.home.Shares {
		return s.handles[0], nil
	}
	return s.open()
}

// Reopen closes all handles and opens a new one.
func (s *Stage) Reopen() (kv.DB, error) {
	if err := s.Close(); err != nil {
		return nil, err
	}
	return s.open()
}

// Close closes the handles.
func (s *Stage) Close() error {
	var errs []error
	for _, db := range s.handles {
		errs = append(errs, db.Close())
	}
	s.handles = nil
	return errors.Join(errs...)
}

// Run checks every promise on fresh stores.
func Run(t *testing.T, open Open) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			clock := NewClock()
			home := open(t, clock.Now)
			if c.Keeps && !home.Keeps {
				t.Skip("skip: this store does not outlive its handle")
			}
			stage, db, err := NewStage(clock, home)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := stage.Close(); err != nil {
					t.Error(err)
				}
			}()
			if err := c.Check(t.Context(), db, stage); err != nil {
				t.Fatal(err)
			}
		})
	}
}

var (
	acme = greentic.TenantCtx{Env: "prod", Tenant: "acme"}
	beta = greentic.TenantCtx{Env: "prod", Tenant: "beta"}
	test = greentic.TenantCtx{Env: "test", Tenant: "acme"}
	bob  = greentic.TenantCtx{Env: "prod", Tenant: "acme", Team: "sales", User: "bob"}
)

// Cases is the contract as a list of promises.
func Cases() []Case {
	return []Case{
		{Name: "what was put is got", Check: roundTrip},
		{Name: "an absent key is not_found", Check: absent},
		{Name: "tenants and environments do not see each other", Check: isolation},
		{Name: "team and user do not scope keys", Check: teams},
		{Name: "all or nothing", Check: allOrNothing},
		{Name: "a transaction sees its own writes", Check: ownWrites},
		{Name: "a scan is ordered bytewise, half open and limited", Check: scanOrder},
		{Name: "a scan sees writes and deletions of its transaction", Check: scanOwnWrites},
		{Name: "an expired key is gone", Check: expiry},
		{Name: "a put without ttl removes an earlier expiry", Check: expiryRemoved},
		{Name: "values are the caller's own", Check: ownership},
		{Name: "large values are kept whole", Check: largeValues},
		{Name: "limits are refused by name", Check: limits},
		{Name: "a bad tenant is refused", Check: badTenant},
		{Name: "index keys are seen by system and by nobody else", Check: index},
		{Name: "a failed update leaves no index key", Check: indexRolledBack},
		{Name: "system does not see tenants", Check: systemScope},
		{Name: "a required system key fences the commit", Check: required},
		{Name: "concurrent updates are serialised", Check: serialised},
		{Name: "a failing update does not fail its neighbours", Check: neighbours},
		{Name: "a panicking update leaves the store usable", Check: panicking},
		{Name: "a canceled context is refused", Check: canceled},
		{Name: "a view is a snapshot", Check: snapshot},
		{Name: "a scan may write what it sees", Check: scanAndWrite},
		{Name: "closing while updates arrive answers every one", Check: closeUnderLoad},
		{Name: "a view of many pages is a snapshot while writers write", Check: pages},
		{Name: "a view sees every update that returned before", Check: fresh},
		{Name: "no update is lost between two handles", Check: lostUpdate},
		{Name: "two updates that read both keys and write one do not both pass", Check: writeSkew},
		{Name: "two updates do not both find a range empty", Check: phantom},
		{Name: "a required system key fences every handle", Check: requiredAcross},
		{Name: "due keys are found by polling from a cursor", Check: due},
		{Name: "reopening keeps everything", Keeps: true, Check: reopened},
		{Name: "after close every call is unavailable", Check: closed},
	}
}

func put(ctx context.Context, db kv.DB, t greentic.TenantCtx, key, value string) error {
	return db.Update(ctx, t, func(x kv.Txn) error { return x.Put(key, []byte(value), 0) })
}

func get(ctx context.Context, db kv.DB, t greentic.TenantCtx, key string) (value string, err error) {
	err = db.View(ctx, t, func(r kv.Reader) error {
		b, err := r.Get(key)
		value = string(b)
		return err
	})
	return value, err
}

func want(ctx context.Context, db kv.DB, t greentic.TenantCtx, key, value string) error {
	got, err := get(ctx, db, t, key)
	if err != nil {
		return fmt.Errorf("get %q: %w", key, err)
	}
	if got != value {
		return fmt.Errorf("get %q = %.40q, want %.40q", key, got, value)
	}
	return nil
}

func wantNone(ctx context.Context, db kv.DB, t greentic.TenantCtx, key string) error {
	if v, err := get(ctx, db, t, key); !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("get %q = %.40q, %v; want not_found", key, v, err)
	}
	return nil
}

func wantKind(what string, err error, kind fault.Kind) error {
	if !fault.Is(err, kind) {
		return fmt.Errorf("%s: %v, want %s", what, err, kind)
	}
	return nil
}

func roundTrip(ctx context.Context, db kv.DB, _ *Stage) error {
	return errors.Join(put(ctx, db, acme, "k", "v"), want(ctx, db, acme, "k", "v"),
		put(ctx, db, acme, "k", "w"), want(ctx, db, acme, "k", "w"),
		put(ctx, db, acme, "empty", ""), want(ctx, db, acme, "empty", ""),
		put(ctx, db, acme, "by\x00te\xff", "x"), want(ctx, db, acme, "by\x00te\xff", "x"))
}

func absent(ctx context.Context, db kv.DB, _ *Stage) error {
	return errors.Join(wantNone(ctx, db, acme, "k"),
		db.Update(ctx, acme, func(x kv.Txn) error { return x.Delete("k") }))
}

func isolation(ctx context.Context, db kv.DB, _ *Stage) error {
	return errors.Join(put(ctx, db, acme, "k", "acme"), put(ctx, db, beta, "k", "beta"),
		want(ctx, db, acme, "k", "acme"), want(ctx, db, beta, "k", "beta"), wantNone(ctx, db, test, "k"),
		db.Update(ctx, beta, func(x kv.Txn) error { return x.Delete("k") }), want(ctx, db, acme, "k", "acme"))
}

func teams(ctx context.Context, db kv.DB, _ *Stage) error {
	return errors.Join(put(ctx, db, bob, "k", "v"), want(ctx, db, acme, "k", "v"))
}

func allOrNothing(ctx context.Context, db kv.DB, _ *Stage) error {
	boom := errors.New("boom")
	err := db.Update(ctx, acme, func(x kv.Txn) error {
		if err := errors.Join(x.Put("a", []byte("1"), 0), x.Put("b", []byte("2"), 0)); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		return fmt.Errorf("update returned %v, want the error of fn", err)
	}
	return errors.Join(wantNone(ctx, db, acme, "a"), wantNone(ctx, db, acme, "b"))
}

func ownWrites(ctx context.Context, db kv.DB, _ *Stage) error {
	return db.Update(ctx, acme, func(x kv.Txn) error {
		if err := x.Put("k", []byte("v"), 0); err != nil {
			return err
		}
		if v, err := x.Get("k"); err != nil || string(v) != "v" {
			return fmt.Errorf("own write reads %q, %v", v, err)
		}
		if err := x.Delete("k"); err != nil {
			return err
		}
		_, err := x.Get("k")
		return wantKind("own deletion", err, fault.NotFound)
	})
}

func keys(r kv.Reader, from, to string, limit int) (string, error) {
	var all []string
	err := r.Scan(from, to, limit, func(k string, _ []byte) bool { all = append(all, k); return true })
	return strings.Join(all, " "), err
}

func scanOrder(ctx context.Context, db kv.DB, _ *Stage) error {
	for _, k := range []string{"b", "a/2", "a/10", "a", "a/1", "c", "Z", "é"} {
		if err := put(ctx, db, acme, k, "v"); err != nil {
			return err
		}
	}
	from, to := kv.Prefix("a/")
	return db.View(ctx, acme, func(r kv.Reader) error {
		for _, c := range []struct {
			from, to string
			limit    int
			want     string
		}{
			{"", "", 0, "Z a a/1 a/10 a/2 b c é"}, {from, to, 0, "a/1 a/10 a/2"}, {"a", "b", 2, "a a/1"}, {"b", "c", 0, "b"}, {"x", "a", 0, ""},
		} {
			got, err := keys(r, c.from, c.to, c.limit)
			if err != nil || got != c.want {
				return fmt.Errorf("scan %q..%q limit %d = %q, %v; want %q", c.from, c.to, c.limit, got, err, c.want)
			}
		}
		n := 0
		err := r.Scan("", "", 0, func(string, []byte) bool { n++; return false })
		if n != 1 {
			return fmt.Errorf("a scan told to stop went on to %d keys", n)
		}
		return err
	})
}

func scanOwnWrites(ctx context.Context, db kv.DB, _ *Stage) error {
	if err := errors.Join(put(ctx, db, acme, "a", "1"), put(ctx, db, acme, "c", "3")); err != nil {
		return err
	}
	return db.Update(ctx, acme, func(x kv.Txn) error {
		if err := errors.Join(x.Put("b", []byte("2"), 0), x.Delete("a")); err != nil {
			return err
		}
		got, err := keys(x, "", "", 0)
		if err == nil && got != "b c" {
			err = fmt.Errorf("scan = %q, want \"b c\"", got)
		}
		return err
	})
}

func expiry(ctx context.Context, db kv.DB, clock *Stage) error {
	err := db.Update(ctx, acme, func(x kv.Txn) error { return x.Put("k", []byte("v"), time.Minute) })
	if err = errors.Join(err, want(ctx, db, acme, "k", "v")); err != nil {
		return err
	}
	clock.Add(time.Minute)
	if err := wantNone(ctx, db, acme, "k"); err != nil {
		return err
	}
	return db.View(ctx, acme, func(r kv.Reader) error {
		got, err := keys(r, "", "", 0)
		if err == nil && got != "" {
			err = fmt.Errorf("a scan shows expired keys: %q", got)
		}
		return err
	})
}

func expiryRemoved(ctx context.Context, db kv.DB, clock *Stage) error {
	err := db.Update(ctx, acme, func(x kv.Txn) error { return x.Put("k", []byte("v"), time.Minute) })
	if err = errors.Join(err, put(ctx, db, acme, "k", "w")); err != nil {
		return err
	}
	clock.Add(time.Hour)
	return want(ctx, db, acme, "k", "w")
}

func ownership(ctx context.Context, db kv.DB, _ *Stage) error {
	value := []byte("value")
	err := db.Update(ctx, acme, func(x kv.Txn) error {
		err := x.Put("k", value, 0)
		value[0] = 'X'
		return err
	})
	if err != nil {
		return err
	}
	err = db.View(ctx, acme, func(r kv.Reader) error {
		b, err := r.Get("k")
		if err == nil {
			b[0] = 'Y'
		}
		return err
	})
	return errors.Join(err, want(ctx, db, acme, "k", "value"))
}
