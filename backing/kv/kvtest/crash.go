package kvtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/batch"
	"greentic.dev/greentic/fault"
)

// Server is a database server of a test, which can go away and come back.
type Server interface {
	Start() error
	Stop() error
	Kill() error
}

// Breaker breaks the connection to a server: see testserver.Wire.
type Breaker interface {
	Break(text string, answered bool)
	Broken() int
}

// RunBroken checks that an update whose commit was cut off is stored exactly once: when the server
// had committed and the answer was lost, and when the server never heard of it.
func RunBroken(t *testing.T, db kv.DB, wire Breaker) {
	for i, answered := range []bool{true, false, true, false} {
		n := strconv.Itoa(i)
		text := "the marked value " + n
		wire.Break(text, answered)
		runs := 0
		err := db.Update(t.Context(), acme, func(x kv.Txn) error {
			runs++
			return errors.Join(increment(x, "n"), x.Put("marked", []byte(text), 0))
		})
		if err != nil {
			t.Errorf("answered=%v: %v", answered, err)
		}
		if err := errors.Join(want(t.Context(), db, acme, "n", strconv.Itoa(i+1)), want(t.Context(), db, acme, "marked", text)); err != nil {
			t.Errorf("answered=%v, after %d runs: %v", answered, runs, err)
		}
		if wire.Broken() != i+1 {
			t.Fatalf("the wire broke %d times, want %d", wire.Broken(), i+1)
		}
	}
}

// RunCrashes counts on several goroutines while the server is killed and stopped. Each counter must hold
// what its goroutine was told: an acknowledged update is there, once; one that failed is not, except
// where the failure says that nobody knows. With keeps false (the server may lose its last moments when
// killed) only stops are tried.
func RunCrashes(t *testing.T, db kv.DB, server Server, keeps bool) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const counters = 16
	var all sync.WaitGroup
	errs, acknowledged := make([]error, counters), make(chan struct{}, 1)
	for i := range counters {
		all.Go(func() { errs[i] = count(ctx, db, "counter/"+strconv.Itoa(i), acknowledged) })
	}
	ends := []func() error{server.Stop, server.Stop, server.Stop}
	if keeps {
		ends = []func() error{server.Kill, server.Stop, server.Kill}
	}
	for i, end := range ends {
		for range 300 { // acknowledged updates between two ends
			select {
			case <-acknowledged:
			case <-time.After(30 * time.Second):
				t.Fatalf("no update succeeds after end %d", i)
			}
		}
		if err := errors.Join(end(), server.Start()); err != nil {
			t.Fatal(err)
		}
	}
	for range 300 {
		<-acknowledged
	}
	cancel()
	go func() { // let those go who want to tell
		for range acknowledged {
		}
	}()
	all.Wait()
	close(acknowledged)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// count adds up a counter until ctx ends and compares it with what the store said.
func count(ctx context.Context, db kv.DB, key string, acknowledged chan<- struct{}) error {
	least, most := 0, 0 // the counter's value as far as it is known
	for ctx.Err() == nil {
		found := -1
		err := db.Update(ctx, acme, func(x kv.Txn) error {
			v, err := x.Get(key)
			found, _ = strconv.Atoi(string(v))
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			return x.Put(key, []byte(strconv.Itoa(found+1)), 0)
		})
		_, _, code := fault.Detail(err)
		switch {
		case err == nil:
			if found < least || found > most {
				return fmt.Errorf("%s is %d, but the store said that it is between %d and %d", key, found, least, most)
			}
			least, most = found+1, found+1
			acknowledged <- struct{}{}
		case ctx.Err() != nil:
		case !fault.Is(err, fault.Unavailable):
			return fmt.Errorf("while the server is away: %w", err)
		case code == batch.OutcomeUnknown:
			most++
		default:
			time.Sleep(5 * time.Millisecond) // a client that is refused comes back later
		}
	}
	v, err := get(context.WithoutCancel(ctx), db, acme, key)
	if n, _ := strconv.Atoi(v); err == nil && (n < least || n > most) {
		err = fmt.Errorf("%s is %d in the end, want %d to %d", key, n, least, most)
	}
	return err
}
