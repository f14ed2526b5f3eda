package record_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func put(t *testing.T, db kv.DB, tenant greentic.TenantCtx, key string, seq uint64, at time.Time, text string) {
	t.Helper()
	rec := record.Turn{ID: fmt.Sprintf("%s-%d", key, seq), Seq: seq, Trigger: greentic.Trigger{Key: key, Body: []byte(`{}`)}, Began: at, Status: greentic.TurnDone,
		Steps: []record.Step{{N: 1, Node: "say", Do: "emit", Output: []byte(`"` + text + `"`), Reason: record.Reason{Rule: "start", File: "flows/a.ygtc", Line: 3}}}}
	raw, err := rec.Encode()
	if err == nil {
		err = db.Update(t.Context(), tenant, func(x kv.Txn) error { return record.Put(x, key, seq, rec.ID, raw, time.Hour) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

func ids(t *testing.T, db kv.DB, tenant greentic.TenantCtx, key string, from uint64, limit int) (all string) {
	t.Helper()
	err := db.View(t.Context(), tenant, func(r kv.Reader) error {
		all = ""
		return record.List(r, key, from, limit, func(rec record.Turn) bool { all += rec.ID + " "; return true })
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRecordsAreListedByConversationInOrderAndExpire(t *testing.T) {
	now := time.Unix(1000, 0)
	db, tenant := memory.New(func() time.Time { return now }), greentic.DefaultTenant()
	for seq := uint64(1); seq <= 20; seq++ {
		put(t, db, tenant, "k", seq, now, "x")
	}
	put(t, db, tenant, "kk", 1, now, "x")
	if got := ids(t, db, tenant, "k", 18, 2); got != "k-18 k-19 " {
		t.Fatalf("from 18, at most two: %q", got)
	}
	if got := ids(t, db, tenant, "kk", 0, 0); got != "kk-1 " {
		t.Fatalf("another conversation: %q", got)
	}
	err := db.View(t.Context(), tenant, func(r kv.Reader) error {
		one, err := record.Get(r, "k", 7)
		if err == nil && (one.ID != "k-7" || one.Steps[0].Line != 3 || one.Steps[0].Rule != "start" || string(one.Steps[0].Output) != `"x"`) {
			err = fmt.Errorf("it came back as %+v", one)
		}
		if err != nil {
			return err
		}
		found, err := record.Find(r, "k-9")
		if err == nil && found.Seq != 9 {
			err = fmt.Errorf("found %+v", found)
		}
		if err != nil {
			return err
		}
		if _, err := record.Find(r, "nobody"); !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("finding none: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if got := ids(t, db, tenant, "k", 0, 0); got != "" {
		t.Fatalf("after their time: %q", got)
	}
}

func TestASweepDeletesTheOldestOfTheTenantAndNoMoreThanNeeded(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	other := greentic.TenantCtx{Env: tenant.Env, Tenant: "other"}
	for i := range 10 { // two conversations, interleaved in time
		put(t, db, tenant, fmt.Sprint("k", i%2), uint64(i), time.Unix(int64(1000+i), 0), strings.Repeat("x", 1000))
		put(t, db, other, "k0", uint64(i), time.Unix(int64(i), 0), strings.Repeat("x", 1000))
	}
	deleted, err := record.Sweep(t.Context(), db, tenant, 6000)
	if err != nil || deleted != 6 {
		t.Fatalf("deleted %d, %v; want 6: four records of about 1 300 bytes fit", deleted, err)
	}
	if a, b := ids(t, db, tenant, "k0", 0, 0), ids(t, db, tenant, "k1", 0, 0); a != "k0-6 k0-8 " || b != "k1-7 k1-9 " {
		t.Fatalf("left: %q and %q", a, b)
	}
	if got := ids(t, db, other, "k0", 0, 0); strings.Count(got, " ") != 10 {
		t.Fatalf("another tenant keeps %q", got)
	}
	left := 0
	err = db.View(t.Context(), tenant, func(r kv.Reader) error {
		left = 0
		return r.Scan("", "", 0, func(string, []byte) bool { left++; return true })
	})
	if err != nil || left != 8 {
		t.Fatalf("%d rows are left of 4 records, %v", left, err)
	}
	if deleted, err := record.Sweep(t.Context(), db, tenant, 6000); deleted != 0 || err != nil {
		t.Fatalf("a second sweep deletes %d, %v", deleted, err)
	}
}

// unscanned is a reader that finds what it is asked for and looks through nothing.
type unscanned struct{ kv.Reader }

func (unscanned) Scan(string, string, int, func(string, []byte) bool) error {
	return fault.New(fault.Internal, "test", "it scans")
}

// A turn is found by its id among any number of records, and one that ran twice by its later run, also
// when the earlier one is swept.
func TestATurnIsFoundByItsIDWithoutLookingThroughRecords(t *testing.T) {
	db, tenant := memory.New(time.Now), greentic.DefaultTenant()
	total := int64(0)
	for seq := uint64(1); seq <= 2; seq++ {
		rec := record.Turn{ID: "again", Seq: seq, Trigger: greentic.Trigger{Key: "k/\x00", Body: []byte(`{}`)}, Began: time.Unix(int64(seq), 0)}
		raw, err := rec.Encode()
		if err == nil {
			err = db.Update(t.Context(), tenant, func(x kv.Txn) error { return record.Put(x, "k/\x00", seq, "again", raw, time.Hour) })
			total += int64(len(raw))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	find := func(id string) (seq uint64) {
		t.Helper()
		err := db.View(t.Context(), tenant, func(r kv.Reader) error {
			found, err := record.Find(unscanned{r}, id)
			seq = found.Seq
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return seq
	}
	if seq := find("again"); seq != 2 {
		t.Fatalf("found run %d", seq)
	}
	if n, err := record.Sweep(t.Context(), db, tenant, total-1); err != nil || n != 1 {
		t.Fatalf("swept %d, %v", n, err)
	}
	if find("again") != 2 {
		t.Fatal("the later run is not found any more")
	}
}
