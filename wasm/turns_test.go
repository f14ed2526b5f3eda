package wasm_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// gate is a host function that says who came and lets them go on.
type gate struct{ came, leave chan struct{} }

func (g *gate) wait(ctx context.Context, _ *wasm.Call, _ []any) (any, error) {
	g.came <- struct{}{}
	select {
	case <-g.leave:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestOneOwnerCannotTakeEveryTurn(t *testing.T) {
	e, err := wasm.New(t.Context(), wasm.Options{Concurrency: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close(context.Background()) }()
	c := load(t, e, "hostile")
	synctest.Test(t, func(t *testing.T) {
		g := &gate{make(chan struct{}, 10), make(chan struct{})}
		b := bind(t, c, hostileHosts(g.wait))
		defer b.Close()
		invoke := func(ctx context.Context, owner string) error {
			_, _, err := b.Invoke(ctx, wasm.Invocation{Func: "wait", Owner: owner})
			return err
		}
		var wg sync.WaitGroup
		errs := make(chan error, 10)
		for range 3 { // the third waits
			wg.Go(func() { errs <- invoke(t.Context(), "greedy") })
		}
		synctest.Wait()
		if len(g.came) != 2 {
			t.Fatalf("%d of one owner run, want 2", len(g.came))
		}
		wg.Go(func() { errs <- invoke(t.Context(), "other") })
		synctest.Wait()
		if len(g.came) != 3 {
			t.Fatal("another owner has to wait")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := invoke(ctx, "greedy"); !fault.Is(err, fault.Exhausted) {
			t.Errorf("whoever gives up waiting gets %v", err)
		}
		close(g.leave)
		wg.Wait()
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}
