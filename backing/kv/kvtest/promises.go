package kvtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func largeValues(ctx context.Context, db kv.DB, _ *Stage) error {
	big := strings.Repeat("0123456789abcdef", kv.MaxValue/16)
	key := strings.Repeat("k", kv.MaxKey)
	return errors.Join(put(ctx, db, acme, key, big), want(ctx, db, acme, key, big))
}

func limits(ctx context.Context, db kv.DB, _ *Stage) error {
	return errors.Join(
		wantKind("empty key", put(ctx, db, acme, "", "v"), fault.Invalid),
		wantKind("long key", put(ctx, db, acme, strings.Repeat("k", kv.MaxKey+1), "v"), fault.Invalid),
		wantKind("long value", put(ctx, db, acme, "k", strings.Repeat("v", kv.MaxValue+1)), fault.Invalid))
}

func badTenant(ctx context.Context, db kv.DB, _ *Stage) error {
	for _, t := range []greentic.TenantCtx{{}, {Env: "prod"}, {Env: "prod", Tenant: "a/b"}, {Env: "../x", Tenant: "a"}} {
		if err := wantKind(fmt.Sprintf("tenant %+v", t), put(ctx, db, t, "k", "v"), fault.Invalid); err != nil {
			return err
		}
	}
	return nil
}

func index(ctx context.Context, db kv.DB, _ *Stage) error {
	err := db.Update(ctx, acme, func(x kv.Txn) error { return x.Index("ready/1", []byte("acme")) })
	if err = errors.Join(err, wantNone(ctx, db, acme, "ready/1")); err != nil {
		return err
	}
	err = db.System(ctx, func(x kv.Txn) error {
		got, err := x.Get("ready/1")
		if err == nil && string(got) != "acme" {
			err = fmt.Errorf("system reads %q", got)
		}
		return err
	})
	err = errors.Join(err, db.Update(ctx, beta, func(x kv.Txn) error { return x.Index("ready/1", nil) }))
	if err != nil {
		return err
	}
	return db.System(ctx, func(x kv.Txn) error {
		_, err := x.Get("ready/1")
		return wantKind("deleted index key", err, fault.NotFound)
	})
}

func indexRolledBack(ctx context.Context, db kv.DB, _ *Stage) error {
	boom := errors.New("boom")
	err := db.Update(ctx, acme, func(x kv.Txn) error { return errors.Join(x.Index("ready/1", []byte("x")), boom) })
	if !errors.Is(err, boom) {
		return fmt.Errorf("update returned %v", err)
	}
	return db.System(ctx, func(x kv.Txn) error {
		_, err := x.Get("ready/1")
		return wantKind("index key of a failed update", err, fault.NotFound)
	})
}

func required(ctx context.Context, db kv.DB, _ *Stage) error {
	lease := func(value string) error {
		return db.System(ctx, func(x kv.Txn) error { return x.Put("epoch/7", []byte(value), 0) })
	}
	fenced := func(key string, epoch []byte) error {
		return db.Update(ctx, acme, func(x kv.Txn) error {
			return errors.Join(x.Put(key, []byte("v"), 0), x.Require("epoch/7", epoch))
		})
	}
	return errors.Join(
		fenced("absent", nil), want(ctx, db, acme, "absent", "v"),
		wantKind("required but absent", fenced("b", []byte("1")), fault.Conflict), wantNone(ctx, db, acme, "b"),
		lease("1"), fenced("mine", []byte("1")), want(ctx, db, acme, "mine", "v"),
		lease("2"), wantKind("an old epoch", fenced("c", []byte("1")), fault.Conflict), wantNone(ctx, db, acme, "c"),
		wantKind("required to be absent", fenced("d", nil), fault.Conflict), wantNone(ctx, db, acme, "d"),
		wantKind("a prefix of the value", fenced("e", []byte("")), fault.Conflict), wantNone(ctx, db, acme, "e"),
		db.Update(ctx, acme, func(x kv.Txn) error {
			return errors.Join(x.Index("epoch/7", []byte("3")), x.Require("epoch/7", []byte("3")))
		}))
}

func systemScope(ctx context.Context, db kv.DB, _ *Stage) error {
	if err := put(ctx, db, acme, "k", "v"); err != nil {
		return err
	}
	err := db.System(ctx, func(x kv.Txn) error {
		got, err := keys(x, "", "", 0)
		if err == nil && got != "" {
			err = fmt.Errorf("system sees %q", got)
		}
		return errors.Join(err, x.Put("lease", []byte("me"), 0))
	})
	return errors.Join(err, wantNone(ctx, db, acme, "lease"))
}

func serialised(ctx context.Context, db kv.DB, _ *Stage) error {
	const writers, rounds = 8, 25
	var all sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		all.Go(func() {
			for range rounds {
				err := db.Update(ctx, acme, func(x kv.Txn) error {
					n := 0
					if v, err := x.Get("n"); err == nil {
						n, _ = strconv.Atoi(string(v))
					} else if !fault.Is(err, fault.NotFound) {
						return err
					}
					return x.Put("n", []byte(strconv.Itoa(n+1)), 0)
				})
				errs[w] = errors.Join(errs[w], err)
			}
		})
	}
	all.Wait()
	return errors.Join(errors.Join(errs...), want(ctx, db, acme, "n", strconv.Itoa(writers*rounds)))
}

func neighbours(ctx context.Context, db kv.DB, _ *Stage) error {
	const n = 32
	boom := errors.New("boom")
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() {
			errs[i] = db.Update(ctx, acme, func(x kv.Txn) error {
				err := x.Put("k/"+strconv.Itoa(i), []byte("v"), 0)
				if i%2 == 1 {
					return boom
				}
				return err
			})
		})
	}
	all.Wait()
	for i := range n {
		key := "k/" + strconv.Itoa(i)
		if i%2 == 1 {
			if !errors.Is(errs[i], boom) {
				return fmt.Errorf("update %d returned %v, want its own error", i, errs[i])
			}
			if err := wantNone(ctx, db, acme, key); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(errs[i], want(ctx, db, acme, key, "v")); err != nil {
			return err
		}
	}
	return nil
}

func panicking(ctx context.Context, db kv.DB, _ *Stage) error {
	var caught any
	func() {
		defer func() { caught = recover() }()
		_ = db.Update(ctx, acme, func(x kv.Txn) error {
			_ = x.Put("k", []byte("v"), 0)
			panic("oops")
		})
	}()
	if caught != "oops" {
		return fmt.Errorf("the caller recovered %v, want its own panic", caught)
	}
	return errors.Join(wantNone(ctx, db, acme, "k"), put(ctx, db, acme, "k", "w"), want(ctx, db, acme, "k", "w"))
}

func canceled(ctx context.Context, db kv.DB, _ *Stage) error {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	return errors.Join(
		wantKind("update", put(gone, db, acme, "k", "v"), fault.Canceled),
		wantKind("view", db.View(gone, acme, func(kv.Reader) error { return nil }), fault.Canceled),
		wantKind("system", db.System(gone, func(kv.Txn) error { return nil }), fault.Canceled),
		wantNone(ctx, db, acme, "k"))
}

func snapshot(ctx context.Context, db kv.DB, _ *Stage) error {
	if err := errors.Join(put(ctx, db, acme, "a", "1"), put(ctx, db, acme, "b", "1")); err != nil {
		return err
	}
	written := make(chan error, 1)
	err := db.View(ctx, acme, func(r kv.Reader) error {
		a, err := r.Get("a")
		if err != nil {
			return err
		}
		go func() {
			written <- db.Update(ctx, acme, func(x kv.Txn) error {
				return errors.Join(x.Put("a", []byte("2"), 0), x.Put("b", []byte("2"), 0))
			})
		}()
		select { // a store may block the writer until the view ends; one that does not must hide it
		case err := <-written:
			written <- err
		default:
		}
		b, err := r.Get("b")
		if err == nil && string(a) != string(b) {
			err = fmt.Errorf("one view reads a=%s b=%s", a, b)
		}
		return err
	})
	return errors.Join(err, <-written, want(ctx, db, acme, "b", "2"))
}

func scanAndWrite(ctx context.Context, db kv.DB, _ *Stage) error {
	const n = 600
	fill := func(x kv.Txn) error {
		for i := range n {
			if err := x.Put(fmt.Sprintf("k/%04d", i), []byte("v"), 0); err != nil {
				return err
			}
		}
		return nil
	}
	from, to := kv.Prefix("k/")
	drain := func(x kv.Txn) error {
		seen, failed := 0, error(nil)
		err := x.Scan(from, to, 0, func(key string, _ []byte) bool {
			seen++
			failed = errors.Join(x.Delete(key), x.Put("moved"+key, []byte("v"), 0))
			return failed == nil
		})
		if seen != n {
			err = errors.Join(err, fmt.Errorf("the scan saw %d of %d keys", seen, n))
		}
		return errors.Join(err, failed)
	}
	err := errors.Join(db.Update(ctx, acme, fill), db.Update(ctx, acme, drain))
	return errors.Join(err, db.View(ctx, acme, func(r kv.Reader) error {
		got, err := keys(r, from, to, 0)
		if err == nil && got != "" {
			err = fmt.Errorf("left behind: %.40q", got)
		}
		return err
	}))
}

func closeUnderLoad(ctx context.Context, db kv.DB, _ *Stage) error {
	const writers = 16
	var all sync.WaitGroup
	errs := make([]error, writers)
	started := make(chan struct{}, writers)
	for w := range writers {
		all.Go(func() {
			for i := 0; errs[w] == nil; i++ {
				errs[w] = put(ctx, db, acme, fmt.Sprintf("k/%d/%d", w, i), "v")
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range writers {
		<-started
	}
	err := db.Close()
	all.Wait()
	for _, e := range errs {
		err = errors.Join(err, wantKind("an update during close", e, fault.Unavailable))
	}
	return err
}

func closed(ctx context.Context, db kv.DB, _ *Stage) error {
	if err := db.Close(); err != nil {
		return err
	}
	return errors.Join(
		wantKind("update", put(ctx, db, acme, "k", "v"), fault.Unavailable),
		wantKind("view", db.View(ctx, acme, func(kv.Reader) error { return nil }), fault.Unavailable),
		wantKind("system", db.System(ctx, func(kv.Txn) error { return nil }), fault.Unavailable),
		db.Close())
}
