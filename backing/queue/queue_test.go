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
	"greentic.dev/backing/shard"
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
	if n := waiting(t, db, "a") + waiting(t, db, "ab"); n != 20 {
		t.Fatalf("%d wait", n)
	}
	for i := 0; i < 20; i += 2 {
		err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
			e, ok, err := queue.First(x, "a")
			if err != nil || !ok || e.Turn != fmt.Sprint(i) {
				return fmt.Errorf("entry %d is %+v, %v, %v", i, e, ok, err)
			}
			later := e
			later.Seq++
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
	if a, ab := waiting(t, db, "a"), waiting(t, db, "ab"); a != 0 || ab != 10 {
		t.Fatalf("%d and %d wait", a, ab)
	}
}

// waiting counts the marks of a key in both queues.
func waiting(t *testing.T, db kv.DB, key string) (n int) {
	t.Helper()
	err := db.System(t.Context(), func(x kv.Txn) error {
		n = 0
		for s := range shard.Count {
			err := queue.Work(x, s, 0, func(_ string, l queue.Lane) bool { n += count(l.Key == key); return true }, func(_ string, d queue.Destination) bool { n += count(d.Key == key); return true })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestALimitOfWorkCountsEntriesAndParcelsApart(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	for i := range 6 {
		if _, err := accept(t, db, trigger(tenant, "k", fmt.Sprint(i)), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		answer(t, db, tenant, "k", 1) // the parcels are older than what still waits
	}
	lane := queue.LaneOf(trigger(tenant, "k", ""))
	for limit, want := range map[int][2]int{0: {3, 3}, 1: {1, 1}, 2: {2, 2}} {
		var got [2]int
		err := db.System(t.Context(), func(x kv.Txn) error {
			got = [2]int{}
			return queue.Work(x, lane.Shard(), limit, func(string, queue.Lane) bool { got[0]++; return true }, func(string, queue.Destination) bool { got[1]++; return true })
		})
		if err != nil || got != want {
			t.Errorf("limit %d: %v, %v", limit, got, err)
		}
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// answer consumes the oldest entry of a key with n replies.
func answer(t *testing.T, db kv.DB, tenant greentic.TenantCtx, key string, n int) {
	t.Helper()
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		e, _, err := queue.First(x, key)
		if err != nil {
			return err
		}
		if err := queue.Consume(x, e); err != nil || n == 0 {
			return err
		}
		return queue.Send(x, parcel(e, tenant, n))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// parcel has n replies of an entry's turn.
func parcel(e queue.Entry, tenant greentic.TenantCtx, n int) queue.Parcel {
	p := queue.Parcel{Turn: e.Turn, Seq: e.Seq, Key: e.Trigger.Key, Tenant: tenant, Route: e.Trigger.Route, Items: make([]queue.Item, n)}
	for i := range p.Items {
		p.Items[i].Reply = &greentic.Reply{Kind: "message", Text: fmt.Sprint(i)}
	}
	return p
}

func TestTheOutboxKeepsOrderAndRemembersWhatIsLeft(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	for i := range 3 {
		if _, err := accept(t, db, trigger(tenant, "k", fmt.Sprint(i)), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	answer(t, db, tenant, "k", 2)
	answer(t, db, tenant, "k", 0)
	answer(t, db, tenant, "k", 3)
	if n := waiting(t, db, "k"); n != 2 {
		t.Fatalf("%d wait, want two parcels", n)
	}
	to := queue.Destination{Lane: queue.LaneOf(trigger(tenant, "k", "")), Route: "test"}
	update := func(fn func(x kv.Txn, list []queue.Parcel) error) {
		t.Helper()
		err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
			list, err := queue.Pending(x, to, 3)
			if err != nil {
				return err
			}
			return fn(x, list)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	update(func(x kv.Txn, list []queue.Parcel) error {
		if len(list) != 2 || list[0].Outgoing(1).ID != "0-1" || list[1].Outgoing(2).Reply.Text != "2" || list[0].Destination() != to {
			return fmt.Errorf("pending %+v", list)
		}
		rest := list[1]
		rest.First, rest.Items, rest.Attempts = 1, rest.Items[1:], 4
		return errors.Join(queue.Delivered(x, list[0]), queue.Tried(x, rest))
	})
	update(func(x kv.Txn, list []queue.Parcel) error {
		if len(list) != 1 || list[0].Outgoing(0).ID != "2-1" || list[0].Outgoing(0).Attempts != 4 || list[0].Outgoing(1).Attempts != 0 {
			return fmt.Errorf("pending %+v", list)
		}
		return queue.Delivered(x, list[0])
	})
	if n := waiting(t, db, "k"); n != 0 {
		t.Fatalf("%d wait", n)
	}
}

func TestDestinationsOfOneTurnAreApart(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	e := queue.Entry{Trigger: trigger(tenant, "k", "1"), Turn: "t", Seq: 1}
	chat, bus := parcel(e, tenant, 1), parcel(e, tenant, 1)
	bus.Route, bus.First = "bus", 1
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		if err := errors.Join(queue.Send(x, chat), queue.Send(x, bus), queue.Delivered(x, chat)); err != nil {
			return err
		}
		list, err := queue.Pending(x, bus.Destination(), 0)
		if len(list) != 1 || list[0].Outgoing(0).ID != "t-1" {
			err = fmt.Errorf("the other destination has %+v, %v", list, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := waiting(t, db, "k"); n != 1 {
		t.Fatalf("%d marks, want the one of the other destination", n)
	}
}

func TestATurnHasABoundedNumberOfReplies(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	p := parcel(queue.Entry{Trigger: trigger(tenant, "k", "1")}, tenant, queue.MaxItems+1)
	if err := db.Update(t.Context(), tenant, func(x kv.Txn) error { return queue.Send(x, p) }); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
}

func TestACheckpointStaysWithItsEntryAndOnlyTheOldestHasOne(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	for _, id := range []string{"1", "2"} {
		if _, err := accept(t, db, trigger(tenant, "k", id), id); err != nil {
			t.Fatal(err)
		}
	}
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		e, _, err := queue.First(x, "k")
		if err != nil {
			return err
		}
		e.Progress, e.Attempts = []byte(`{"at":3}`), 2
		later := e
		later.Seq++
		if err := queue.Checkpoint(x, later); !fault.Is(err, fault.Conflict) {
			return fmt.Errorf("a checkpoint of one that is not the oldest: %v", err)
		}
		if err := queue.Checkpoint(x, e); err != nil {
			return err
		}
		got, _, err := queue.First(x, "k")
		if string(got.Progress) != `{"at":3}` || got.Attempts != 2 || got.Turn != "1" {
			err = fmt.Errorf("stored %+v, %v", got, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDueTimesComeOutInOrderAndSayWhenToLookAgain(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	lane := queue.LaneOf(trigger(tenant, "k", ""))
	at := func(s int) time.Time { return time.Unix(int64(1000+s), 0).UTC() }
	look := func(x kv.Txn, now, limit int, ids string, next time.Time) error {
		list, again, err := queue.NextDue(x, lane.Shard(), at(now), limit)
		got := ""
		for _, d := range list {
			got += d.ID
			if d.Lane != lane {
				err = fmt.Errorf("lane %+v", d.Lane)
			}
		}
		if err != nil || got != ids || !again.Equal(next) {
			return fmt.Errorf("at %d: %q, again at %v, %v; want %q, %v", now, got, again, err, ids, next)
		}
		return nil
	}
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		var err error
		for i, id := range []string{"c", "a", "b"} {
			err = errors.Join(err, queue.Due{Lane: lane, ID: id, At: at([]int{3, 1, 2}[i])}.Put(x))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.System(t.Context(), func(x kv.Txn) error {
		return errors.Join(look(x, 0, 9, "", at(1)), look(x, 1, 9, "a", at(2)), look(x, 9, 9, "abc", time.Time{}), look(x, 9, 2, "ab", at(9)))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), tenant, func(x kv.Txn) error {
		return errors.Join(queue.Due{Lane: lane, ID: "a", At: at(1)}.Drop(x), queue.Due{Lane: lane, ID: "b", At: at(7)}.Drop(x))
	})
	if err == nil {
		err = db.System(t.Context(), func(x kv.Txn) error { return look(x, 9, 9, "bc", time.Time{}) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestADeadLetterComesBackAsTheSameTurn(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	if _, err := accept(t, db, trigger(tenant, "k", "1"), "turn-1"); err != nil {
		t.Fatal(err)
	}
	answer(t, db, tenant, "k", 0)
	err := db.Update(t.Context(), tenant, func(x kv.Txn) error {
		e := queue.Entry{Trigger: trigger(tenant, "k", "1"), Turn: "turn-1", Seq: 1, Restarts: 9, Progress: []byte(`{}`)}
		one := parcel(e, tenant, 1)
		err := errors.Join(queue.Bury(x, queue.Letter{ID: "turn-1", Kind: "turn", Reason: "boom", Entry: &e}), queue.Bury(x, queue.Letter{ID: "turn-1-0", Kind: "reply", Parcel: &one}))
		list, lerr := queue.Letters(x, "", 0)
		if len(list) != 2 || list[0].Reason != "boom" {
			return fmt.Errorf("letters %+v, %v", list, errors.Join(err, lerr))
		}
		if list, err = queue.Letters(x, "turn-1", 1); len(list) != 1 || list[0].ID != "turn-1-0" {
			return fmt.Errorf("after the first: %+v, %v", list, err)
		}
		for _, id := range []string{"turn-1", "turn-1-0"} {
			if _, err := queue.Revive(x, id, time.Unix(5, 0)); err != nil {
				return err
			}
			if _, err := queue.Revive(x, id, time.Unix(5, 0)); !fault.Is(err, fault.NotFound) {
				return fmt.Errorf("reviving twice: %v", err)
			}
		}
		got, ok, err := queue.First(x, "k")
		if !ok || got.Turn != "turn-1" || got.Restarts != 0 || got.Progress == nil || got.Seq != 2 {
			return fmt.Errorf("back in the inbox: %+v, %v", got, err)
		}
		back, err := queue.Pending(x, one.Destination(), 0)
		if len(back) != 1 || back[0].Outgoing(0).ID != "turn-1-0" || back[0].Seq != 3 {
			return fmt.Errorf("back in the outbox: %+v, %v", back, err)
		}
		return queue.Bury(x, queue.Letter{ID: "x"})
	})
	if err == nil {
		err = db.Update(t.Context(), tenant, func(x kv.Txn) error { return queue.Drop(x, "x") })
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), tenant, func(x kv.Txn) error { return queue.Drop(x, "x") }); !fault.Is(err, fault.NotFound) {
		t.Fatalf("dropping twice: %v", err)
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
