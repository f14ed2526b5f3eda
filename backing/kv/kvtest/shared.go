package kvtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// The promises about what happens at the same time, on one handle or two.

// both runs fn on two handles at once, in several goroutines each.
func both(db kv.DB, s *Stage, goroutines int, fn func(db kv.DB, i int) error) error {
	second, err := s.Second()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, 2*goroutines)
	for i := range errs {
		all.Go(func() { errs[i] = fn([]kv.DB{db, second}[i%2], i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// pages writes one generation over the first, middle and last key of a range of many pages; every
// view must find the same in all three.
func pages(ctx context.Context, db kv.DB, s *Stage) error {
	const n, views = 1500, 30
	from, to := kv.Prefix("k/")
	write := func(g int) func(kv.Txn) error {
		return func(x kv.Txn) error {
			var errs []error
			for _, i := range []int{0, n / 2, n - 1} {
				errs = append(errs, x.Put(fmt.Sprintf("k/%04d", i), []byte(strconv.Itoa(g)), 0))
			}
			return errors.Join(errs...)
		}
	}
	err := db.Update(ctx, acme, func(x kv.Txn) error {
		for i := range n {
			if err := x.Put(fmt.Sprintf("k/%04d", i), []byte("x"), 0); err != nil {
				return err
			}
		}
		return write(0)(x)
	})
	if err != nil {
		return err
	}
	viewed := make(chan struct{})
	return both(db, s, 1, func(db kv.DB, i int) error {
		if i == 0 {
			for g := 1; ; g++ {
				if err := db.Update(ctx, acme, write(g)); err != nil {
					return err
				}
				select {
				case <-viewed:
					return nil
				default:
				}
			}
		}
		defer close(viewed)
		for range views {
			err := db.View(ctx, acme, func(r kv.Reader) error {
				seen, count := map[string]bool{}, 0
				err := r.Scan(from, to, 0, func(_ string, v []byte) bool {
					count++
					if string(v) != "x" {
						seen[string(v)] = true
					}
					return true
				})
				if count != n || len(seen) != 1 {
					err = errors.Join(err, fmt.Errorf("one view sees %d keys of the generations %v", count, seen))
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func fresh(ctx context.Context, db kv.DB, s *Stage) error {
	second, err := s.Second()
	for i := range 20 {
		writer, viewer := db, second
		if i%2 == 1 {
			writer, viewer = second, db
		}
		value := strconv.Itoa(i)
		err = errors.Join(err, put(ctx, writer, acme, "k", value), want(ctx, viewer, acme, "k", value), want(ctx, writer, acme, "k", value))
	}
	return err
}

func increment(x kv.Txn, key string) error {
	n := 0
	v, err := x.Get(key)
	if err == nil {
		n, err = strconv.Atoi(string(v))
	} else if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return errors.Join(err, x.Put(key, []byte(strconv.Itoa(n+1)), 0))
}

func lostUpdate(ctx context.Context, db kv.DB, s *Stage) error {
	const goroutines, rounds = 4, 20
	err := both(db, s, goroutines, func(db kv.DB, _ int) error {
		for range rounds {
			if err := db.Update(ctx, acme, func(x kv.Txn) error { return increment(x, "n") }); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, want(ctx, db, acme, "n", strconv.Itoa(2*goroutines*rounds)))
}

// writeSkew has two doctors on call, each of whom leaves if the other stays.
func writeSkew(ctx context.Context, db kv.DB, s *Stage) error {
	for round := range 10 {
		on := func(i int) string { return fmt.Sprintf("on/%d/%d", round, i) }
		if err := errors.Join(put(ctx, db, acme, on(0), "v"), put(ctx, db, acme, on(1), "v")); err != nil {
			return err
		}
		err := both(db, s, 1, func(db kv.DB, i int) error {
			return db.Update(ctx, acme, func(x kv.Txn) error {
				_, err := x.Get(on(1 - i))
				_, own := x.Get(on(i))
				if fault.Is(err, fault.NotFound) {
					return own
				}
				return errors.Join(err, own, x.Delete(on(i)))
			})
		})
		if err != nil {
			return err
		}
		if err := wantKeys(ctx, db, fmt.Sprintf("on/%d/", round), 1); err != nil {
			return err
		}
	}
	return nil
}

// phantom has several who each take a seat if all are free.
func phantom(ctx context.Context, db kv.DB, s *Stage) error {
	for round := range 10 {
		prefix := fmt.Sprintf("seat/%d/", round)
		from, to := kv.Prefix(prefix)
		err := both(db, s, 2, func(db kv.DB, i int) error {
			return db.Update(ctx, acme, func(x kv.Txn) error {
				taken, err := keys(x, from, to, 0)
				if err != nil || taken != "" {
					return err
				}
				return x.Put(prefix+strconv.Itoa(i), nil, 0)
			})
		})
		if err != nil {
			return err
		}
		if err := wantKeys(ctx, db, prefix, 1); err != nil {
			return err
		}
	}
	return nil
}

func wantKeys(ctx context.Context, db kv.DB, prefix string, n int) error {
	from, to := kv.Prefix(prefix)
	return db.View(ctx, acme, func(r kv.Reader) error {
		got, err := keys(r, from, to, 0)
		if count := len(strings.Fields(got)); err == nil && count != n {
			err = fmt.Errorf("%d keys begin with %q, want %d: %s", count, prefix, n, got)
		}
		return err
	})
}

func requiredAcross(ctx context.Context, db kv.DB, s *Stage) error {
	second, err := s.Second()
	if err != nil {
		return err
	}
	holds := func(db kv.DB, epoch string) error {
		return db.Update(ctx, acme, func(x kv.Txn) error {
			return errors.Join(x.Require("epoch", []byte(epoch)), x.Put("by/"+epoch, []byte("v"), 0))
		})
	}
	take := func(db kv.DB, epoch string) error {
		return db.System(ctx, func(x kv.Txn) error { return x.Put("epoch", []byte(epoch), 0) })
	}
	return errors.Join(
		take(db, "1"), holds(db, "1"), holds(second, "1"),
		take(second, "2"), wantKind("the first handle with the old epoch", holds(db, "1"), fault.Conflict), holds(second, "2"),
		take(db, "3"), wantKind("the second handle with the old epoch", holds(second, "2"), fault.Conflict), holds(db, "3"))
}

// due polls as a timer does: what is due, a few at a time, from where the last poll ended.
func due(ctx context.Context, db kv.DB, _ *Stage) error {
	key := func(at, n int) string { return fmt.Sprintf("due/0/%04d/%d", at, n) }
	err := db.Update(ctx, acme, func(x kv.Txn) error {
		var errs []error
		for at := range 10 {
			errs = append(errs, x.Index(key(at, 0), []byte("acme")), x.Index(key(at, 1), []byte("acme")))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	poll := func(cursor string, now int) (got string, err error) {
		err = db.System(ctx, func(x kv.Txn) error {
			got, err = keys(x, cursor, key(now+1, 0)[:10], 3)
			return err
		})
		return got, err
	}
	for _, c := range []struct {
		cursor string
		now    int
		want   []string
	}{
		{"due/0/", 2, []string{key(0, 0), key(0, 1), key(1, 0)}},
		{key(1, 0) + "\x00", 2, []string{key(1, 1), key(2, 0), key(2, 1)}},
		{key(2, 1) + "\x00", 2, nil},
		{key(2, 1) + "\x00", 3, []string{key(3, 0), key(3, 1)}},
	} {
		got, err := poll(c.cursor, c.now)
		if err != nil || got != strings.Join(c.want, " ") {
			return fmt.Errorf("due at %d after %q: %q, %v; want %q", c.now, c.cursor, got, err, c.want)
		}
	}
	return nil
}

func reopened(ctx context.Context, db kv.DB, s *Stage) error {
	err := errors.Join(put(ctx, db, acme, "k", "acme"), put(ctx, db, beta, "k", "beta"), put(ctx, db, acme, "gone", "v"),
		db.Update(ctx, acme, func(x kv.Txn) error {
			return errors.Join(x.Delete("gone"), x.Put("soon", []byte("v"), time.Minute), x.Index("ready/1", []byte("acme")))
		}))
	if err != nil {
		return err
	}
	if db, err = s.Reopen(); err != nil {
		return err
	}
	err = errors.Join(want(ctx, db, acme, "k", "acme"), want(ctx, db, beta, "k", "beta"), wantNone(ctx, db, acme, "gone"), want(ctx, db, acme, "soon", "v"),
		db.System(ctx, func(x kv.Txn) error { return x.Require("ready/1", []byte("acme")) }))
	s.Add(time.Minute)
	return errors.Join(err, wantNone(ctx, db, acme, "soon"), put(ctx, db, acme, "k", "w"), want(ctx, db, acme, "k", "w"))
}
