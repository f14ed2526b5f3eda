package nats_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/nats"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestNothingStartsBeforeTheBusIsUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bus")
	b := openDir(t, dir)
	if err := b.Publish(t.Context(), demo, greentic.Event{}); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("an unused bus made its folder: %v", err)
	}
}

func TestEventsGoOnceEverybodyHasHandledThemAndTheWindowIsOver(t *testing.T) {
	now := time.Now()
	b, err := nats.Open(nats.Options{Dir: t.TempDir(), Log: quiet(), AckWait: patience, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	handled := make(chan string, 100)
	subscribe := func(name string) (stop func()) {
		stop, err := b.Subscribe(t.Context(), demo, bus.Subscription{Name: name, Topics: []string{"a"}}, func(_ context.Context, d bus.Delivery) error {
			handled <- d.Event.ID
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return stop
	}
	stored := func(what string, want uint64) {
		t.Helper()
		b.Sweep(t.Context())
		if got, err := b.Stored(t.Context(), demo); err != nil || got != want { // stop waited until the server knew
			t.Fatalf("%s there are %d events, %v; want %d", what, got, err, want)
		}
	}
	subscribe("late")() // has its place and is not served
	for n := range 10 {
		keep(t, b, greentic.Event{ID: fmt.Sprint(n), Topic: "a", Type: "t"})
	}
	stored("within the window", 10)
	now = now.Add(bus.Window + 1)
	stored("while a subscription has not handled them", 10)
	stop := subscribe("late")
	for range 10 {
		<-handled
	}
	stop()
	keep(t, b, greentic.Event{ID: "young", Topic: "a", Type: "t"})
	stored("when all are handled but one, which is young,", 1)
	now = now.Add(bus.Window + 1)
	stored("when the young one is old and not handled", 1)
	again := subscribe("late")
	<-handled
	again()
	stored("when everything is handled", 0)
}

func TestAFullTenantIsRefusedAndHurtsNobodyElse(t *testing.T) {
	b, err := nats.Open(nats.Options{Dir: t.TempDir(), Log: quiet(), MaxBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	payload := json.RawMessage(`"` + strings.Repeat("x", 8<<10) + `"`)
	full := error(nil)
	for n := 0; full == nil && n < 20; n++ {
		full = b.Publish(t.Context(), demo, greentic.Event{ID: fmt.Sprint(n), Topic: "a", Type: "t", Payload: payload})
	}
	if _, fix, _ := fault.Detail(full); !fault.Is(full, fault.Exhausted) || fix == "" {
		t.Fatalf("a full tenant is told %v", full)
	}
	other := demo
	other.Tenant = "other"
	if err := b.Publish(t.Context(), other, greentic.Event{ID: "1", Topic: "a", Type: "t", Payload: payload}); err != nil {
		t.Fatal(err)
	}
}
