package runner_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/greentic"
)

// scenario is a fixed piece of life: two conversations with repeats, a wait that ends by itself,
// a retry with long pauses, an event, replies that fail at first, or for good, a poisoned message.
func (w *world) scenario() {
	tenant := greentic.DefaultTenant()
	tenant.Tenant, tenant.Locale = "acme", "en"
	said := map[string][]string{"k0": {"a0", "retry1", "event2", "late3", "bye4"}, "k1": {"flaky0", "undeliverable1", "", "c3"}}
	for _, key := range []string{"k0", "k1"} {
		for i, text := range said[key] {
			start := time.Duration(i) * 100 * time.Millisecond
			if text == "late3" || text == "bye4" {
				start += simWait + 3*time.Second // when the wait has ended
			}
			w.client(tenant, key, i, text, start)
		}
	}
	w.join()
}

// crashPoint runs the scenario with a failure at one write. It says how many writes there were.
func crashPoint(t *testing.T, open func() (kv.DB, error), releases simServed, at int, how death) (writes int, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		s := newSim(1)
		s.quiet = true
		var db kv.DB
		if db, err = open(); err != nil {
			return
		}
		w := newWorld(s, db, releases)
		w.dieAt, w.how = at, how
		w.scenario()
		err = w.live()
		writes = w.writes
		if e := db.Close(); err == nil {
			err = e
		}
	})
	return writes, err
}

// TestEveryWriteMayFail lets the process die, or the store fail, before and after each write of
// the scenario. Afterwards everything must be as if nothing had happened.
func TestEveryWriteMayFail(t *testing.T) {
	releases := simReleases(t)
	n := 0
	for name, open := range map[string]func() (kv.DB, error){
		"memory": func() (kv.DB, error) { return memory.New(time.Now), nil },
		"sqlite": func() (kv.DB, error) {
			n++
			return sqlite.Open(t.Context(), filepath.Join(t.TempDir(), fmt.Sprint(n)), sqlite.Options{Readers: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, how := range []death{{late: true}, {late: true, lives: true}, {}, {lives: true}} {
				if name == "sqlite" && (testing.Short() || !how.late) {
					break // a write that did not happen leaves nothing behind that memory would not
				}
				at := 1
				for ; ; at++ {
					writes, err := crashPoint(t, open, releases, at, how)
					if err != nil {
						t.Fatalf("write %d, %+v: %v", at, how, err)
					}
					if writes < at {
						break
					}
				}
				t.Logf("%+v: %d writes", how, at-1)
			}
		})
	}
}
