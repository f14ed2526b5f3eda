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
		_, r, err = queue.Accept(x, tr, turn, time.Unix(1, 0))
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
	waiting, err := queue.Waiting(t.Context(), db)
	if err != nil || len(waiting) != 20 || waiting[0].Key != "a" || waiting[1].Key != "ab" {
		t.Fatalf("waiting %v %v", waiting, err)
	}
	for i := 0; i < 20; i += 2 {
		err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
			e, ok, err := queue.First(x, "a")
			if err != nil || !ok || e.Turn != fmt.Sprint(i) {
				return fmt.Errorf("entry %d is %+v, %v, %v", i, e, ok, err)
			}
			later := e
			later.Seq += 2
			if err := queue.Consume(x, later); !fault.Is(err, fault.Conflict) {
				return fmt.Errorf("consuming one that is not the oldest: %v", err)
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
	if waiting, _ := queue.Waiting(t.Context(), db); len(waiting) != 10 || waiting[0].Key != "ab" {
		t.Fatalf("waiting %v", waiting)
	}
}

// answer consumes the oldest entry of a key with n replies.
func answer(t *testing.T, db kv.DB, tenant greentic.TenantCtx, key string, n int) {
	t.Helper()
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		e, _, err := queue.First(x, key)
		if err != nil {
			return err
		}
		return queue.Consume(x, e, e.Outgoing(tenant, make([]greentic.Reply, n))...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheOutboxKeepsOrderAndBuriesWithAReason(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	for i := range 3 {
		if _, err := accept(t, db, trigger(tenant, "k", fmt.Sprint(i)), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	waiting := func(want int) {
		t.Helper()
		if list, err := queue.Waiting(t.Context(), db); len(list) != want || err != nil {
			t.Fatalf("waiting %v, %v; want %d", list, err, want)
		}
	}
	answer(t, db, tenant, "k", 2)
	answer(t, db, tenant, "k", 0)
	answer(t, db, tenant, "k", 3)
	waiting(2)
	update := func(fn func(x kv.Txn, list []queue.Outgoing) error) {
		t.Helper()
		err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
			list, err := queue.Pending(x, "k", 3)
			if err != nil {
				return err
			}
			return fn(x, list)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	update(func(x kv.Txn, list []queue.Outgoing) error {
		if len(list) != 3 || list[0].ID != "0-0" || list[2].ID != "2-0" || list[0].Key != "k" {
			return fmt.Errorf("pending %+v", list)
		}
		return errors.Join(queue.Delivered(x, list[:2]...), queue.Bury(x, list[2], "no such conversation"))
	})
	waiting(1)
	update(func(x kv.Txn, list []queue.Outgoing) error {
		letters, err := queue.Letters(x, 0)
		if len(list) != 2 || list[0].ID != "2-1" || len(letters) != 1 || letters[0].Outgoing.ID != "2-0" || letters[0].Reason == "" {
			return fmt.Errorf("pending %+v letters %+v", list, letters)
		}
		return errors.Join(err, queue.Delivered(x, list[0]), queue.Bury(x, list[1], "gone"))
	})
	waiting(0)
}

func TestATurnHasABoundedNumberOfReplies(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	if _, err := accept(t, db, trigger(tenant, "k", "1"), "1"); err != nil {
		t.Fatal(err)
	}
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		e, _, err := queue.First(x, "k")
		return errors.Join(err, queue.Consume(x, e, make([]queue.Outgoing, 4097)...))
	})
	if !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
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
