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

// Open makes a fresh, empty store on the clock; the suite closes it.
type Open func(t *testing.T, now func() time.Time) kv.DB

// Case is one promise. Check returns what was broken.
type Case struct {
	Name  string
	Check func(ctx context.Context, db kv.DB, clock *Clock) error
}

// Run checks every promise on fresh stores.
func Run(t *testing.T, open Open) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			clock := NewClock()
			db := open(t, clock.Now)
			defer func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}()
			if err := c.Check(t.Context(), db, clock); err != nil {
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
		{"what was put is got", roundTrip},
		{"an absent key is not_found", absent},
		{"tenants and environments do not see each other", isolation},
		{"team and user do not scope keys", teams},
		{"all or nothing", allOrNothing},
		{"a transaction sees its own writes", ownWrites},
		{"a scan is ordered bytewise, half open and limited", scanOrder},
		{"a scan sees writes and deletions of its transaction", scanOwnWrites},
		{"an expired key is gone", expiry},
		{"a put without ttl removes an earlier expiry", expiryRemoved},
		{"values are the caller's own", ownership},
		{"large values are kept whole", largeValues},
		{"limits are refused by name", limits},
		{"a bad tenant is refused", badTenant},
		{"index keys are seen by system and by nobody else", index},
		{"a failed update leaves no index key", indexRolledBack},
		{"system does not see tenants", systemScope},
		{"a required system key fences the commit", required},
		{"concurrent updates are serialised", serialised},
		{"a failing update does not fail its neighbours", neighbours},
		{"a panicking update leaves the store usable", panicking},
		{"a canceled context is refused", canceled},
		{"a view is a snapshot", snapshot},
		{"a scan may write what it sees", scanAndWrite},
		{"closing while updates arrive answers every one", closeUnderLoad},
		{"after close every call is unavailable", closed},
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

func roundTrip(ctx context.Context, db kv.DB, _ *Clock) error {
	return errors.Join(put(ctx, db, acme, "k", "v"), want(ctx, db, acme, "k", "v"),
		put(ctx, db, acme, "k", "w"), want(ctx, db, acme, "k", "w"),
		put(ctx, db, acme, "empty", ""), want(ctx, db, acme, "empty", ""),
		put(ctx, db, acme, "by\x00te\xff", "x"), want(ctx, db, acme, "by\x00te\xff", "x"))
}

func absent(ctx context.Context, db kv.DB, _ *Clock) error {
	return errors.Join(wantNone(ctx, db, acme, "k"),
		db.Update(ctx, acme, func(x kv.Txn) error { return x.Delete("k") }))
}

func isolation(ctx context.Context, db kv.DB, _ *Clock) error {
	return errors.Join(put(ctx, db, acme, "k", "acme"), put(ctx, db, beta, "k", "beta"),
		want(ctx, db, acme, "k", "acme"), want(ctx, db, beta, "k", "beta"), wantNone(ctx, db, test, "k"),
		db.Update(ctx, beta, func(x kv.Txn) error { return x.Delete("k") }), want(ctx, db, acme, "k", "acme"))
}

func teams(ctx context.Context, db kv.DB, _ *Clock) error {
	return errors.Join(put(ctx, db, bob, "k", "v"), want(ctx, db, acme, "k", "v"))
}

func allOrNothing(ctx context.Context, db kv.DB, _ *Clock) error {
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

func ownWrites(ctx context.Context, db kv.DB, _ *Clock) error {
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

func scanOrder(ctx context.Context, db kv.DB, _ *Clock) error {
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

func scanOwnWrites(ctx context.Context, db kv.DB, _ *Clock) error {
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

func expiry(ctx context.Context, db kv.DB, clock *Clock) error {
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

func expiryRemoved(ctx context.Context, db kv.DB, clock *Clock) error {
	err := db.Update(ctx, acme, func(x kv.Txn) error { return x.Put("k", []byte("v"), time.Minute) })
	if err = errors.Join(err, put(ctx, db, acme, "k", "w")); err != nil {
		return err
	}
	clock.Add(time.Hour)
	return want(ctx, db, acme, "k", "w")
}

func ownership(ctx context.Context, db kv.DB, _ *Clock) error {
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
