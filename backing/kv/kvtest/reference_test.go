package kvtest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/kv/postgres"
	"greentic.dev/backing/kv/redis"
	"greentic.dev/greentic"
)

// TestServersAreTheReference runs the same seeded transactions on a server and on the memory
// reference, with time passing and the server opened again, and compares everything that can be seen.
func TestServersAreTheReference(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, now func() time.Time) func() (kv.DB, error){
		"postgres": func(t *testing.T, now func() time.Time) func() (kv.DB, error) {
			url := postgresServer.URL(t)
			return func() (kv.DB, error) { return postgres.Open(t.Context(), url, postgres.Options{Now: now}) }
		},
		"redis": func(t *testing.T, now func() time.Time) func() (kv.DB, error) {
			url := redisServer.URL(t)
			return func() (kv.DB, error) { return redis.Open(t.Context(), url, redis.Options{Now: now}) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := kvtest.NewClock()
			reopen, reference := open(t, clock.Now), memory.New(clock.Now)
			db, err := reopen()
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(1, 2))
			for i := range 300 {
				if i%50 == 49 {
					if err := db.Close(); err != nil {
						t.Fatal(err)
					}
					if db, err = reopen(); err != nil {
						t.Fatal(err)
					}
				}
				clock.Add(time.Duration(random.IntN(20)) * time.Second)
				do := transaction(random)
				if got, want := do(t, db), do(t, reference); got != want {
					t.Fatalf("transaction %d: the server says\n%s\nthe reference\n%s", i, got, want)
				}
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

var errBoom = errors.New("boom")

// transaction is a random update of one of two tenants, followed by a look at all that is stored.
func transaction(r *rand.Rand) func(t *testing.T, db kv.DB) string {
	name := func() string { return []string{"a", "a\x00b", "a/1", "a/2", "b", "b\xff", "\xff\xff"}[r.IntN(7)] }
	tenants := []greentic.TenantCtx{{Env: "local", Tenant: "a"}, {Env: "local", Tenant: "ab"}}
	tenant, fails := tenants[r.IntN(2)], r.IntN(5) == 0
	var ops []func(kv.Txn) string
	for range 1 + r.IntN(5) {
		k, to, v, ttl, limit := name(), name(), strings.Repeat("v", r.IntN(40)), time.Duration(r.IntN(3))*30*time.Second, r.IntN(4)
		ops = append(ops, []func(kv.Txn) string{
			func(x kv.Txn) string { return fmt.Sprint(x.Put(k, []byte(v), ttl)) },
			func(x kv.Txn) string { return fmt.Sprint(x.Delete(k)) },
			func(x kv.Txn) string { b, err := x.Get(k); return fmt.Sprintf("%q %v", b, err) },
			func(x kv.Txn) string { return fmt.Sprint(x.Index(k, []byte(v))) },
			func(x kv.Txn) string { return fmt.Sprint(x.Index(k, nil)) },
			func(x kv.Txn) string { return fmt.Sprint(x.Require(k, []byte(v))) },
			func(x kv.Txn) string { return dump(x, k, to, limit) },
			func(x kv.Txn) string { return dump(x, k, "", limit) },
		}[r.IntN(8)])
	}
	return func(t *testing.T, db kv.DB) (said string) {
		err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
			said = ""
			for _, op := range ops {
				said += op(x) + "\n"
			}
			if fails {
				return errBoom
			}
			return nil
		})
		said += fmt.Sprintln(err)
		seen := ""
		for _, tenant := range tenants {
			err = errors.Join(err, db.View(t.Context(), tenant, func(x kv.Reader) error { seen = dump(x, "", "", 0); return nil }))
			said += seen + "\n"
		}
		err = db.System(t.Context(), func(x kv.Txn) error { seen = dump(x, "", "", 0); return nil })
		return said + seen + fmt.Sprint(err)
	}
}

func dump(x kv.Reader, from, to string, limit int) string {
	var b strings.Builder
	err := x.Scan(from, to, limit, func(k string, v []byte) bool { fmt.Fprintf(&b, "%q=%q ", k, v); return true })
	return b.String() + fmt.Sprint(err)
}
