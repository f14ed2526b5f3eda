package session_test

import (
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func save(t *testing.T, db kv.DB, tenant greentic.TenantCtx, s session.Session) error {
	t.Helper()
	return db.Update(t.Context(), tenant, func(x kv.Txn) error {
		_, err := session.Save(x, tenant, s)
		return err
	})
}

func load(t *testing.T, db kv.DB, tenant greentic.TenantCtx, key string) (s session.Session) {
	t.Helper()
	err := db.View(t.Context(), tenant, func(r kv.Reader) (err error) {
		s, err = session.Load(r, key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASessionThatChangedMeanwhileIsNotOverwritten(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	s := load(t, db, tenant, "k")
	s.Flow = "first"
	if err := save(t, db, tenant, s); err != nil {
		t.Fatal(err)
	}
	if err := save(t, db, tenant, s); !fault.Is(err, fault.Conflict) {
		t.Fatalf("saving an old revision: %v", err)
	}
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error { return session.End(x, tenant, s) })
	if !fault.Is(err, fault.Conflict) {
		t.Fatalf("ending an old revision: %v", err)
	}
	if now := load(t, db, tenant, "k"); now.Revision != 1 || now.Flow != "first" {
		t.Fatalf("stored %+v", now)
	}
}

func TestPinsFollowSessions(t *testing.T) {
	db := memory.New(time.Now)
	acme, beta := greentic.TenantCtx{Env: "e", Tenant: "acme"}, greentic.TenantCtx{Env: "e", Tenant: "beta"}
	one, two := greentic.DigestOf([]byte("1")), greentic.DigestOf([]byte("2"))
	pins := func(want ...greentic.Digest) {
		t.Helper()
		got, err := session.Pinned(t.Context(), db)
		if err != nil || len(got) != len(want) {
			t.Fatalf("pins %v, %v; want %v", got, err, want)
		}
		for _, d := range want {
			if !got[d] {
				t.Fatalf("%s is not pinned", d.Short())
			}
		}
	}
	for _, tenant := range []greentic.TenantCtx{acme, beta} {
		for _, key := range []string{"a", "b"} {
			if err := save(t, db, tenant, session.Session{Key: key, Release: one}); err != nil {
				t.Fatal(err)
			}
		}
	}
	pins(one)
	s := load(t, db, acme, "a")
	s.Release = two
	if err := save(t, db, acme, s); err != nil {
		t.Fatal(err)
	}
	pins(one, two)
	for _, tenant := range []greentic.TenantCtx{acme, beta} {
		for _, key := range []string{"a", "b"} {
			s := load(t, db, tenant, key)
			if err := db.Update(t.Context(), tenant, func(x kv.Txn) error { return session.End(x, tenant, s) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	pins()
}

// A later session of the same key has the same revisions; its wait is another one all the same.
func TestTheEndOfAWaitBelongsToOneSession(t *testing.T) {
	due := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := session.Session{Key: strings.Repeat("k", 600), Revision: 1, Due: due}
	second := first
	second.Due = due.Add(time.Microsecond)
	if first.Timer() == second.Timer() {
		t.Errorf("both are %s", first.Timer())
	}
	if len(first.Timer()) > 100 {
		t.Errorf("a long key makes a name of %d bytes, which a trigger's id may be too short for", len(first.Timer()))
	}
}
