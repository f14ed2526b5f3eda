package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func trigger(tenant greentic.TenantCtx, key, id string) greentic.Trigger {
	return greentic.Trigger{ID: id, Tenant: tenant, Kind: greentic.KindMessage, Route: "test", Key: key, Body: []byte("{}")}
}

func accept(t *testing.T, db kv.DB, tr greentic.Trigger, turn string) (r greentic.Receipt, err error) {
	t.Helper()
	err = db.Update(t.Context(), tr.Tenant, func(x kv.Txn) error {
		r, err = queue.Accept(x, tr, turn, time.Unix(1, 0))
		return err
	})
	return r, err
}

func TestADuplicateGetsTheFirstReceipt(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	first, err := accept(t, db, trigger(tenant, "k", "1"), "turn-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := accept(t, db, trigger(tenant, "k", "1"), "turn-2")
	if err != nil || !again.Duplicate || again.Turn != "turn-1" || again.Seq != first.Seq {
		t.Fatalf("again %+v, %v", again, err)
	}
	other := greentic.TenantCtx{Env: "local", Tenant: "other"}
	if r, err := accept(t, db, trigger(other, "k", "1"), "turn-3"); err != nil || r.Duplicate {
		t.Fatalf("another tenant's trigger of the same id: %+v, %v", r, err)
	}
}

func TestEntriesComeOutInOrderAndOnce(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	for i := range 20 {
		if _, err := accept(t, db, trigger(tenant, []string{"a", "ab"}[i%2], fmt.Sprint(i)), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	in, out, err := queue.Waiting(t.Context(), db)
	if err != nil || len(in) != 20 || in[0].Key != "a" || in[1].Key != "ab" || len(out) != 0 {
		t.Fatalf("waiting %v %v %v", in, out, err)
	}
	for i := 0; i < 20; i += 2 {
		err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
			e, ok, err := queue.First(x, "a")
			if err != nil || !ok || e.Turn != fmt.Sprint(i) {
				return fmt.Errorf("entry %d is %+v, %v, %v", i, e, ok, err)
			}
			if err := queue.Consume(x, e); err != nil {
				return err
			}
			if err := queue.Consume(x, e); !fault.Is(err, fault.Conflict) {
				return fmt.Errorf("consuming twice: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if in, _, _ := queue.Waiting(t.Context(), db); len(in) != 10 || in[0].Key != "ab" {
		t.Fatalf("waiting %v", in)
	}
}

func TestTheOutboxKeepsOrderAndBuriesWithAReason(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		var errs error
		for i := range 5 {
			errs = errors.Join(errs, queue.Send(x, queue.Outgoing{ID: fmt.Sprint(i), Key: "k", Tenant: tenant, Route: "test"}))
		}
		list, err := queue.Pending(x, "k", 3)
		if len(list) != 3 || list[0].ID != "0" || list[2].ID != "2" {
			return fmt.Errorf("pending %+v", list)
		}
		return errors.Join(errs, err, queue.Delivered(x, list[:2]...), queue.Bury(x, list[2], "no such conversation"))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), tenant, func(r kv.Reader) error {
		list, err := queue.Pending(r, "k", 0)
		letters, err2 := queue.Letters(r, 0)
		if len(list) != 2 || list[0].ID != "3" || len(letters) != 1 || letters[0].Outgoing.ID != "2" || letters[0].Reason == "" {
			return fmt.Errorf("pending %+v letters %+v", list, letters)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, out, _ := queue.Waiting(t.Context(), db); len(out) != 2 {
		t.Fatalf("waiting %v", out)
	}
}

func TestForeignKeysAreRefused(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	for _, tr := range []greentic.Trigger{trigger(tenant, "", "1"), trigger(tenant, "k", ""), trigger(tenant, "a\x00b", "1"), trigger(tenant, strings.Repeat("k", 601), "1")} {
		if _, err := accept(t, db, tr, "t"); !fault.Is(err, fault.Invalid) {
			t.Errorf("key %.20q id %q: %v", tr.Key, tr.ID, err)
		}
	}
}
