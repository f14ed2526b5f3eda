package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
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
	kvtest.Run(t, func(t *testing.T, now func() time.Time) kv.DB {
		return open(t, filepath.Join(t.TempDir(), "odd name?#%.db"), now)
	})
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
