package nats_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/bustest"
	"greentic.dev/backing/bus/nats"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// patience is short, so that the tests of redelivery are.
const patience = 2 * time.Second

var demo = greentic.DefaultTenant()

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openDir(t testing.TB, dir string) bus.Bus {
	t.Helper()
	b, err := nats.Open(nats.Options{Dir: dir, Log: quiet(), AckWait: patience})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheServerInThisProcessKeepsThePromises(t *testing.T) {
	bustest.Run(t, func(t *testing.T) *bustest.Bench {
		dir := t.TempDir()
		return &bustest.Bench{Bus: openDir(t, dir), Patience: patience, Reopen: func() (bus.Bus, error) { return openDir(t, dir), nil }}
	})
}

// A subscription whose context ends releases its events a moment before it stops pulling. The server
// handed them straight back, until one had been lost too often and became a dead letter.
func TestWhatIsReleasedIsNotHandedOutAgainWhileTheSubscriptionPulls(t *testing.T) {
	b := openDir(t, t.TempDir()).(*nats.Bus)
	defer b.Close()
	subscribe := func(ctx context.Context, handle bus.Handler) func() {
		stop, err := b.Subscribe(ctx, demo, bus.Subscription{Name: "s", Topics: []string{"a"}}, handle)
		if err != nil {
			t.Fatal(err)
		}
		return stop
	}
	entered := make(chan struct{}, 100)
	leave, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := subscribe(leave, func(ctx context.Context, _ bus.Delivery) error {
		entered <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	keep(t, b, greentic.Event{ID: "1", Topic: "a", Type: "t", Subject: "x"})
	<-entered
	b.Release()
	for range 20 {
		if n, err := b.Delivered(t.Context()); n != 1 || err != nil {
			t.Fatalf("one event was handed out %d times, %v", n, err)
		}
	}
	cancel()
	stop()
	got := make(chan bus.Delivery, 100)
	defer subscribe(t.Context(), func(_ context.Context, d bus.Delivery) error { got <- d; return nil })()
	if d := <-got; d.Event.ID != "1" {
		t.Fatalf("got %+v", d)
	}
}

// An operator who looks into the folder of a server that never used its bus starts no server in it.
func TestLookingForDeadLettersStartsNoServer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bus")
	b := openDir(t, dir)
	list, err := b.DeadLetters(t.Context(), greentic.DefaultTenant(), "", 0)
	if err != nil || len(list) != 0 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, act := range []func(context.Context, greentic.TenantCtx, string) error{b.Retry, b.Drop} {
		if err := act(t.Context(), greentic.DefaultTenant(), "1"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
}
