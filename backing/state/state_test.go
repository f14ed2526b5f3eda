package state_test

import (
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/state"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestATurnSeesItsOwnWritesAndOthersOnlyWhatIsCommitted(t *testing.T) {
	ctx, db, tenant := t.Context(), memory.New(time.Now), greentic.DefaultTenant()
	turn, other := state.NewOverlay(db, tenant), state.NewOverlay(db, tenant)
	mine, theirs := turn.In("p", state.Conversation("k")), other.In("p", state.Conversation("k"))
	if err := mine.Write(ctx, "n", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if v, err := mine.Read(ctx, "n"); err != nil || string(v) != "1" {
		t.Fatalf("own write reads %q, %v", v, err)
	}
	if _, err := theirs.Read(ctx, "n"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("an uncommitted write is visible: %v", err)
	}
	if err := db.Update(ctx, tenant, turn.Commit); err != nil {
		t.Fatal(err)
	}
	if v, err := theirs.Read(ctx, "n"); err != nil || string(v) != "1" {
		t.Fatalf("a committed write reads %q, %v", v, err)
	}
	if err := theirs.Delete(ctx, "n"); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.Read(ctx, "n"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("own deletion reads %v", err)
	}
}

func TestTheLongestNamesFit(t *testing.T) {
	ctx, db, tenant := t.Context(), memory.New(time.Now), greentic.DefaultTenant()
	long, key := strings.Repeat("x", 600), strings.Repeat("k", 512)
	for i, scope := range []state.Scope{state.Conversation(long), state.Conversation(long + "y"), state.User(long, long), state.Tenant} {
		turn := state.NewOverlay(db, tenant)
		s := turn.In(long, scope)
		if v, err := s.Read(ctx, key); !fault.Is(err, fault.NotFound) {
			t.Fatalf("scope %d reads %q, %v", i, v, err)
		}
		if err := s.Write(ctx, key, []byte("v")); err != nil {
			t.Fatal(err)
		}
		if err := db.Update(ctx, tenant, turn.Commit); err != nil {
			t.Fatal(err)
		}
	}
}

func TestScopesAndTenantsDoNotMix(t *testing.T) {
	ctx, db := t.Context(), memory.New(time.Now)
	acme, beta := greentic.TenantCtx{Env: "e", Tenant: "acme"}, greentic.TenantCtx{Env: "e", Tenant: "beta"}
	turn := state.NewOverlay(db, acme)
	if err := turn.In("p", state.Conversation("a")).Write(ctx, "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(ctx, acme, turn.Commit); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]state.Scoped{
		"another conversation": state.NewOverlay(db, acme).In("p", state.Conversation("b")),
		"the tenant's scope":   state.NewOverlay(db, acme).In("p", state.Tenant),
		"a user's scope":       state.NewOverlay(db, acme).In("p", state.User("webchat", "a")),
		"another pack":         state.NewOverlay(db, acme).In("q", state.Conversation("a")),
		"another tenant":       state.NewOverlay(db, beta).In("p", state.Conversation("a")),
	} {
		if v, err := s.Read(ctx, "k"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s reads %q, %v", name, v, err)
		}
	}
	if err := turn.In("p", state.Tenant).Write(ctx, "", nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty key: %v", err)
	}
}
