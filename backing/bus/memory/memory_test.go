package memory_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/bustest"
	"greentic.dev/backing/bus/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryKeepsThePromises(t *testing.T) {
	bustest.Run(t, func(*testing.T) *bustest.Bench { return &bustest.Bench{Bus: memory.New(memory.Options{})} })
}

var demo = greentic.DefaultTenant()

func TestAFullBusRefusesAndForgetsNothing(t *testing.T) {
	b := memory.New(memory.Options{MaxBytes: 1000})
	defer b.Close()
	s := bus.Subscription{Name: "s", Topics: []string{"a"}}
	got := make(chan string, 10)
	handle := func(_ context.Context, d bus.Delivery) error { got <- d.Event.ID; return nil }
	stop, err := b.Subscribe(t.Context(), demo, s, handle)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	e := greentic.Event{ID: "1", Topic: "a", Type: "t", Payload: json.RawMessage(`"` + strings.Repeat("x", 700) + `"`)}
	if err := b.Publish(t.Context(), demo, e); err != nil {
		t.Fatal(err)
	}
	e.ID = "2"
	if err := b.Publish(t.Context(), demo, e); !fault.Is(err, fault.Exhausted) {
		t.Fatalf("a full bus says %v", err)
	}
	if stop, err = b.Subscribe(t.Context(), demo, s, handle); err != nil {
		t.Fatal(err)
	}
	if id := <-got; id != "1" {
		t.Fatal(id)
	}
	stop() // waits until the first is settled
	if err := b.Publish(t.Context(), demo, e); err != nil {
		t.Fatalf("what was refused is not a repeat: %v", err)
	}
}

func TestTheWindowOfAnIDEnds(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := memory.New(memory.Options{Now: func() time.Time { return now }})
	defer b.Close()
	calls := make(chan string, 10)
	stop, err := b.Subscribe(t.Context(), demo, bus.Subscription{Name: "s", Topics: []string{"a"}}, func(_ context.Context, d bus.Delivery) error {
		calls <- d.Event.ID // every stored copy becomes a dead letter, so that no copy is taken for handled
		return fault.New(fault.Invalid, "h", "no")
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, age := range []time.Duration{0, bus.Window - 1, 1} {
		now = now.Add(age)
		if err := b.Publish(t.Context(), demo, greentic.Event{ID: "1", Topic: "a", Type: "t", Subject: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Publish(t.Context(), demo, greentic.Event{ID: "2", Topic: "a", Type: "t", Subject: "x"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1", "1", "2"} {
		if got := <-calls; got != want {
			t.Fatalf("%s was handed out, want %s", got, want)
		}
	}
}
