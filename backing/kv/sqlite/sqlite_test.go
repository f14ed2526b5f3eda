package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, file string, now func() time.Time) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), file, sqlite.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestSQLiteKeepsThePromises(t *testing.T) {
	kvtest.Run(t, func(t *testing.T, now func() time.Time) kvtest.Home {
		file := filepath.Join(t.TempDir(), "odd name?#%.db")
		return kvtest.Home{Keeps: true, Open: func() (kv.DB, error) { return open(t, file, now), nil }}
	})
}

// TestSQLiteIsTheReference runs the same random transactions on SQLite and on the memory
// reference, with time passing, and compares everything that can be seen.
func TestSQLiteIsTheReference(t *testing.T) {
	clock, file, n := kvtest.NewClock(), filepath.Join(t.TempDir(), "kv.db"), 0
	reopen := func() *sqlite.DB { // without fsync, which this test does not need and waits for
		db := open(t, file, clock.Now)
		sqlite.Exec(t, db, "PRAGMA synchronous = OFF")
		sqlite.Hurry(t, db, 4+n%10)
		return db
	}
	real, reference := reopen(), memory.New(clock.Now)
	defer func() { _ = real.Close() }()
	rapid.Check(t, func(r *rapid.T) {
		n++ // each run has tenants and index keys of its own
		own := fmt.Sprintf("%d/", n)
		key, boom := rapid.SampledFrom([]string{"a", "a/1", "a/2", "b", "b\xff", "c"}), errors.New("boom")
		both := func(do func(db kv.DB) string) {
			if got, want := do(real), do(reference); got != want {
				r.Fatalf("sqlite says %q, the reference %q", got, want)
			}
		}
		tenants := []greentic.TenantCtx{{Env: "local", Tenant: greentic.TenantID(fmt.Sprint("a", n))}, {Env: "local", Tenant: greentic.TenantID(fmt.Sprint("b", n))}}
		r.Repeat(map[string]func(*rapid.T){
			"update": func(r *rapid.T) {
				tenant, fails := rapid.SampledFrom(tenants).Draw(r, "tenant"), rapid.Bool().Draw(r, "fails")
				var ops []func(kv.Txn) string
				for range rapid.IntRange(1, 4).Draw(r, "ops") {
					k, v, ttl := key.Draw(r, "key"), rapid.String().Draw(r, "value"), rapid.SampledFrom([]time.Duration{0, 0, time.Second, time.Minute}).Draw(r, "ttl")
					ops = append(ops, rapid.SampledFrom([]func(kv.Txn) string{
						func(x kv.Txn) string { return fmt.Sprint(x.Put(k, []byte(v), ttl)) },
						func(x kv.Txn) string { return fmt.Sprint(x.Delete(k)) },
						func(x kv.Txn) string { b, err := x.Get(k); return fmt.Sprintf("%q %v", b, err) },
						func(x kv.Txn) string { return fmt.Sprint(x.Index(own+k, []byte(v))) },
						func(x kv.Txn) string { return fmt.Sprint(x.Index(own+k, nil)) },
						func(x kv.Txn) string { return dump(x, k, "", 2) },
					}).Draw(r, "op"))
				}
				both(func(db kv.DB) (said string) {
					err := db.Update(context.Background(), tenant, func(x kv.Txn) error {
						said = ""
						for _, op := range ops {
							said += op(x) + "\n"
						}
						if fails {
							return boom
						}
						return nil
					})
					return said + fmt.Sprint(err)
				})
			},
			"time": func(r *rapid.T) { clock.Add(time.Duration(rapid.IntRange(0, 30).Draw(r, "seconds")) * time.Second) },
			"reopen": func(r *rapid.T) {
				if rapid.IntRange(0, 19).Draw(r, "rarely") > 0 {
					return
				}
				if err := real.Close(); err != nil {
					r.Fatal(err)
				}
				real = reopen()
			},
			"": func(r *rapid.T) {
				both(func(db kv.DB) (said string) {
					for _, tenant := range tenants {
						_ = db.View(context.Background(), tenant, func(x kv.Reader) error { said += dump(x, "", "", 0) + "|"; return nil })
					}
					from, to := kv.Prefix(own)
					_ = db.System(context.Background(), func(x kv.Txn) error { said += dump(x, from, to, 0); return nil })
					return said
				})
			},
		})
	})
}

func dump(x kv.Reader, from, to string, limit int) string {
	var b strings.Builder
	err := x.Scan(from, to, limit, func(k string, v []byte) bool { fmt.Fprintf(&b, "%q=%q ", k, v); return true })
	return b.String() + fmt.Sprint(err)
}

func TestReopeningFindsEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	tenant := greentic.DefaultTenant()
	db := open(t, file, time.Now)
	if err := db.Update(t.Context(), tenant, func(x kv.Txn) error { return x.Put("k", []byte("v"), 0) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, file, time.Now)
	defer db.Close()
	err := db.View(t.Context(), tenant, func(r kv.Reader) error {
		v, err := r.Get("k")
		if err == nil && string(v) != "v" {
			err = fmt.Errorf("got %q", v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADamagedFileIsRefusedByName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	if err := os.WriteFile(file, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), file) {
		t.Fatalf("err = %v", err)
	}
}

func TestAStoreOfANewerVersionIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	db := open(t, file, time.Now)
	sqlite.Exec(t, db, "PRAGMA user_version = 99")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	if !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), "version 99") {
		t.Fatalf("err = %v", err)
	}
}

func TestOthersCannotReadTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kv.db")
	defer open(t, file, time.Now).Close()
	for _, name := range []string{file, file + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

// A full disk may cost SQLite the whole transaction; updates that need no space must survive it.
func TestAFullDiskIsUnavailableAndHurtsNobodyElse(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "kv.db"), time.Now)
	defer db.Close()
	tenant := greentic.DefaultTenant()
	put := func(key string, n int) error {
		return db.Update(t.Context(), tenant, func(x kv.Txn) error { return x.Put(key, bytes.Repeat([]byte("x"), n), 0) })
	}
	if err := put("small", 10); err != nil {
		t.Fatal(err)
	}
	sqlite.Exec(t, db, "PRAGMA max_page_count = 20")
	var all sync.WaitGroup
	errs := make([]error, 32)
	for i := range errs {
		all.Go(func() {
			if i%2 == 0 {
				errs[i] = put("small", 10)
			} else {
				errs[i] = put(fmt.Sprintf("large/%d", i), 1<<20)
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		if i%2 == 0 && err != nil {
			t.Errorf("a small update beside a full disk: %v", err)
		}
		if i%2 == 1 && (!fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "disk is full")) {
			t.Errorf("a large update: %v", err)
		}
	}
	sqlite.Exec(t, db, "PRAGMA max_page_count = 100000")
	if err := put("large", 1<<20); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

// What an update wrote before the disk was full is gone with it, also after a restart.
func TestAFullDiskLeavesNothingHalfWritten(t *testing.T) {
	file, tenant := filepath.Join(t.TempDir(), "kv.db"), greentic.DefaultTenant()
	db := open(t, file, time.Now)
	sqlite.Exec(t, db, "PRAGMA max_page_count = 20")
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		if err := x.Put("a", []byte("half"), 0); err != nil {
			return err
		}
		if err := x.Index("ready/a", []byte("half")); err != nil {
			return err
		}
		_ = x.Put("b", bytes.Repeat([]byte("x"), 1<<20), 0) // an fn that does not look cannot save the half
		return x.Put("c", []byte("half"), 0)
	})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("the update: %v", err)
	}
	for _, again := range []bool{false, true} {
		for scope, look := range map[string]func(func(kv.Reader) error) error{
			"tenant": func(fn func(kv.Reader) error) error { return db.View(t.Context(), tenant, fn) },
			"system": func(fn func(kv.Reader) error) error {
				return db.System(t.Context(), func(x kv.Txn) error { return fn(x) })
			},
		} {
			if err := look(func(x kv.Reader) error {
				if got := dump(x, "", "", 0); got != "<nil>" {
					t.Errorf("%s, reopened %t: %.100s", scope, again, got)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if !again {
			db = open(t, file, time.Now)
		}
	}
}

func TestExpiredKeysAreDeleted(t *testing.T) {
	clock := kvtest.NewClock()
	db := open(t, filepath.Join(t.TempDir(), "kv.db"), clock.Now)
	defer db.Close()
	err := db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error {
		for i := range 1500 {
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
	if again := sqlite.Purge(t, db); again != time.Minute {
		t.Errorf("750 expired keys: again in %s", again)
	}
	if n := sqlite.Rows(t, db); n != 750 {
		t.Errorf("%d rows are left of 750", n)
	}
}

// What is stored anew keeps its place in the index of times for ten minutes, but its last writer
// gets the time that was asked for, and no more than those ten minutes beyond.
func TestWhatIsStoredAnewIsKeptAsLongAsItsLastWriterAsked(t *testing.T) {
	const day = 24 * time.Hour
	for _, again := range []time.Duration{0, time.Minute, 10 * time.Minute, 11 * time.Minute, day, 2 * day} {
		clock := kvtest.NewClock()
		db := open(t, filepath.Join(t.TempDir(), "kv.db"), clock.Now)
		for _, value := range []string{"first", "last"} {
			if value == "last" {
				clock.Add(again)
			}
			if err := db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error { return x.Put("k", []byte(value), day) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, later := range []struct {
			by   time.Duration
			want string
		}{{day - time.Millisecond, "last"}, {10*time.Minute + time.Millisecond, ""}} {
			clock.Add(later.by)
			got := ""
			err := db.View(t.Context(), greentic.DefaultTenant(), func(r kv.Reader) error {
				raw, err := r.Get("k")
				got = string(raw)
				if fault.Is(err, fault.NotFound) {
					err = nil
				}
				return err
			})
			if err != nil || got != later.want {
				t.Errorf("stored anew after %s, then %s later: %q, %v; want %q", again, later.by, got, err, later.want)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestScansOfManyPagesAreComplete(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "kv.db"), time.Now)
	defer db.Close()
	tenant := greentic.DefaultTenant()
	const n = 1000
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		for i := range n {
			if err := x.Put(fmt.Sprintf("k/%05d", i), []byte("v"), 0); err != nil {
				return err
			}
		}
		i := 0
		from, to := kv.Prefix("k/")
		err := x.Scan(from, to, 0, func(key string, _ []byte) bool {
			if key != fmt.Sprintf("k/%05d", i) {
				t.Errorf("key %d is %s", i, key)
			}
			i++
			return true
		})
		if i != n {
			t.Errorf("%d keys of %d", i, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// modernc's libc must be the very version its sqlite was generated against.
func TestLibcIsTheVersionSQLiteNames(t *testing.T) {
	graph, err := exec.CommandContext(t.Context(), "go", "mod", "graph").Output()
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := exec.CommandContext(t.Context(), "go", "list", "-m", "modernc.org/libc", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(chosen)) // libc vX sqlite vY
	want := fmt.Sprintf("%s@%s %s@%s", f[2], f[3], f[0], f[1])
	if !strings.Contains(string(graph), want) {
		t.Fatalf("the build uses %s %s, which %s does not require", f[0], f[1], f[3])
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			db := open(b, filepath.Join(b.TempDir(), "kv.db"), time.Now)
			defer db.Close()
			tenant, value := greentic.DefaultTenant(), bytes.Repeat([]byte("v"), 256)
			var n atomic.Int64
			b.SetParallelism(max(writers/2, 1))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := fmt.Sprintf("k/%d", n.Add(1)%10000)
					if err := db.Update(context.Background(), tenant, func(x kv.Txn) error { return x.Put(key, value, 0) }); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
