package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
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

// version1 is a copy of a file that the program of schema version 1 wrote: two tenants, the same
// keys in both, at the time kvtest's clock begins with.
func version1(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "version1.db"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kv.db")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAStoreOfVersion1KeepsItsKeys(t *testing.T) {
	clock, file := kvtest.NewClock(), version1(t)
	for _, opening := range []string{"first", "second"} {
		db := open(t, file, clock.Now)
		for _, name := range []string{"acme", "beta"} {
			want := &strings.Builder{}
			fmt.Fprintf(want, "%q=%q ", "by\x00te\xff", "\x00\xff")
			fmt.Fprintf(want, "%q=%q %q=%q ", "empty", "", "hour", "h")
			for i := range 40 {
				fmt.Fprintf(want, "%q=%q ", fmt.Sprintf("k/%02d", i), name)
			}
			fmt.Fprintf(want, "%q=%q %q=%q <nil>", "large", bytes.Repeat([]byte(name), 1500), "minute", "m")
			tenant := greentic.TenantCtx{Env: "prod", Tenant: greentic.TenantID(name)}
			if err := db.View(t.Context(), tenant, func(x kv.Reader) error {
				if got := dump(x, "", "", 0); got != want.String() {
					t.Errorf("%s opening, %s: %s", opening, name, got)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.System(t.Context(), func(x kv.Txn) error {
			if got := dump(x, "", "", 0); got != `"ready/acme"="acme" "ready/beta"="beta" <nil>` {
				t.Errorf("%s opening, system: %s", opening, got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	clock.Add(30 * time.Minute)
	db := open(t, file, clock.Now)
	defer db.Close()
	acme := greentic.TenantCtx{Env: "prod", Tenant: "acme"}
	if err := db.Update(t.Context(), acme, func(x kv.Txn) error {
		if _, err := x.Get("minute"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a key that has expired: %v", err)
		}
		_, err := x.Get("hour")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	before := sqlite.Rows(t, db)
	sqlite.Purge(t, db)
	if after := sqlite.Rows(t, db); after != before-2 {
		t.Errorf("a purge leaves %d of %d rows, two have expired", after, before)
	}
}

// A scope gets its number in the transaction that writes in it first, and loses it with that.
func TestAFailedFirstUpdateDoesNotLeakItsScope(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "kv.db"), time.Now)
	defer db.Close()
	acme, beta := greentic.TenantCtx{Env: "prod", Tenant: "acme"}, greentic.TenantCtx{Env: "prod", Tenant: "beta"}
	put := func(tenant greentic.TenantCtx, value string, then error) error {
		return db.Update(t.Context(), tenant, func(x kv.Txn) error { return first(x.Put("k", []byte(value), 0), then) })
	}
	if err := put(acme, "lost", fault.New(fault.Internal, "test", "boom")); !fault.Is(err, fault.Internal) {
		t.Fatalf("the update that fails: %v", err)
	}
	if err := first(put(beta, "beta", nil), put(acme, "acme", nil)); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []greentic.TenantCtx{acme, beta} {
		if err := db.View(t.Context(), tenant, func(x kv.Reader) error {
			if got, want := dump(x, "", "", 0), fmt.Sprintf("%q=%q <nil>", "k", tenant.Tenant); got != want {
				t.Errorf("%s has %s, want %s", tenant.Tenant, got, want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// first is the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
