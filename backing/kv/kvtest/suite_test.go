package kvtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// broken is the reference with one promise broken.
type broken struct {
	kv.DB
	tenant func(greentic.TenantCtx) greentic.TenantCtx
	txn    func(kv.Txn) kv.Txn
	after  func(err error) error // changes what fn returned
	closed bool                  // answers after close
}

func (b *broken) View(ctx context.Context, t greentic.TenantCtx, fn func(kv.Reader) error) error {
	if b.tenant != nil {
		t = b.tenant(t)
	}
	return b.DB.View(ctx, t, func(r kv.Reader) error {
		if b.txn != nil {
			r = b.txn(readOnly{r})
		}
		return fn(r)
	})
}

func (b *broken) Update(ctx context.Context, t greentic.TenantCtx, fn func(kv.Txn) error) error {
	if b.tenant != nil {
		t = b.tenant(t)
	}
	var said error
	err := b.DB.Update(ctx, t, func(x kv.Txn) error {
		if b.txn != nil {
			x = b.txn(x)
		}
		said = fn(x)
		if b.after != nil {
			return b.after(said)
		}
		return said
	})
	return errors.Join(err, said)
}

func (b *broken) System(ctx context.Context, fn func(kv.Txn) error) error {
	return b.DB.System(ctx, func(x kv.Txn) error {
		if b.txn != nil {
			x = b.txn(x)
		}
		return fn(x)
	})
}

func (b *broken) Close() error {
	if b.closed {
		return nil
	}
	return b.DB.Close()
}

// readOnly lets a reader stand where a transaction is expected.
type readOnly struct{ kv.Reader }

func (readOnly) Put(string, []byte, time.Duration) error { return nil }
func (readOnly) Delete(string) error                     { return nil }
func (readOnly) Index(string, []byte) error              { return nil }
func (readOnly) Require(string, []byte) error            { return nil }

type putForever struct{ kv.Txn }

func (x putForever) Put(key string, value []byte, _ time.Duration) error {
	return x.Txn.Put(key, value, 0)
}

type scanBackwards struct{ kv.Txn }

func (x scanBackwards) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	type pair struct {
		key   string
		value []byte
	}
	var all []pair
	err := x.Txn.Scan(from, to, limit, func(k string, v []byte) bool { all = append(all, pair{k, v}); return true })
	slices.Reverse(all)
	for _, p := range all {
		if !fn(p.key, p.value) {
			break
		}
	}
	return err
}

// scanFromStart loses the cursor.
type scanFromStart struct{ kv.Txn }

func (x scanFromStart) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	return x.Txn.Scan(from[:min(len(from), 4)], to, limit, fn)
}

type noLimits struct{ kv.Txn }

func (x noLimits) Put(key string, value []byte, ttl time.Duration) error {
	if err := kv.CheckPut(key, value); err != nil {
		return nil
	}
	return x.Txn.Put(key, value, ttl)
}

type indexForTenants struct{ kv.Txn }

func (x indexForTenants) Index(key string, value []byte) error {
	return errors.Join(x.Txn.Index(key, value), x.Put(key, value, 0))
}

type deleteNothing struct{ kv.Txn }

func (deleteNothing) Delete(string) error { return nil }

type requireNothing struct{ kv.Txn }

func (requireNothing) Require(string, []byte) error { return nil }

type emptyNotFound struct{ kv.Txn }

func (x emptyNotFound) Get(key string) ([]byte, error) {
	v, err := x.Txn.Get(key)
	if err == nil && len(v) == 0 {
		return nil, fault.New(fault.NotFound, "kv", "empty")
	}
	return v, err
}

// TestBrokenStoresAreCaughtByName breaks the reference in one way at a time; the promise named
// must notice.
func TestBrokenStoresAreCaughtByName(t *testing.T) {
	in := func(wrap func(kv.Txn) kv.Txn) broken { return broken{txn: wrap} }
	for promise, b := range map[string]broken{
		"tenants and environments do not see each other": {tenant: func(t greentic.TenantCtx) greentic.TenantCtx { t.Tenant = "all"; return t }},
		"team and user do not scope keys": {tenant: func(t greentic.TenantCtx) greentic.TenantCtx {
			t.Tenant += greentic.TenantID(t.User)
			return t
		}},
		"all or nothing":                                      {after: func(error) error { return nil }},
		"a failed update leaves no index key":                 {after: func(error) error { return nil }},
		"after close every call is unavailable":               {closed: true},
		"an expired key is gone":                              in(func(x kv.Txn) kv.Txn { return putForever{x} }),
		"a scan is ordered bytewise, half open and limited":   in(func(x kv.Txn) kv.Txn { return scanBackwards{x} }),
		"limits are refused by name":                          in(func(x kv.Txn) kv.Txn { return noLimits{x} }),
		"index keys are seen by system and by nobody else":    in(func(x kv.Txn) kv.Txn { return indexForTenants{x} }),
		"a transaction sees its own writes":                   in(func(x kv.Txn) kv.Txn { return deleteNothing{x} }),
		"a scan sees writes and deletions of its transaction": in(func(x kv.Txn) kv.Txn { return deleteNothing{x} }),
		"a scan may write what it sees":                       in(func(x kv.Txn) kv.Txn { return deleteNothing{x} }),
		"a required system key fences the commit":             in(func(x kv.Txn) kv.Txn { return requireNothing{x} }),
		"due keys are found by polling from a cursor":         in(func(x kv.Txn) kv.Txn { return scanFromStart{x} }),
		"what was put is got":                                 in(func(x kv.Txn) kv.Txn { return emptyNotFound{x} }),
	} {
		clock := kvtest.NewClock()
		b.DB = memory.New(clock.Now)
		caught(t, promise, clock, kvtest.Home{Open: func() (kv.DB, error) { return &b, nil }})
	}
}

// caught says that the promise notices what is wrong with the home.
func caught(t *testing.T, promise string, clock *kvtest.Clock, home kvtest.Home) {
	t.Helper()
	i := slices.IndexFunc(kvtest.Cases(), func(c kvtest.Case) bool { return c.Name == promise })
	if i < 0 {
		t.Errorf("no promise is called %q", promise)
		return
	}
	stage, db, err := kvtest.NewStage(clock, home)
	if err != nil {
		t.Fatal(err)
	}
	if err := kvtest.Cases()[i].Check(t.Context(), db, stage); err == nil {
		t.Errorf("%q was broken and nobody noticed", promise)
	}
}
