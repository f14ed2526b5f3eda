package nats_test

import (
	"log/slog"
	"testing"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/bustest"
	"greentic.dev/backing/bus/nats"
	"greentic.dev/greentic"
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
