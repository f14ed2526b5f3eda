package bus_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// end is a backend that tells what became of its one event.
type end struct {
	what    chan string
	extends chan struct{}
	refuse  int // burials
}

func newEnd() *end { return &end{what: make(chan string, 10), extends: make(chan struct{}, 1000)} }

func (e *end) Settle()  { e.what <- "settled" }
func (e *end) Release() { e.what <- "released" }
func (e *end) Extend()  { e.extends <- struct{}{} }
func (e *end) Bury(_ context.Context, b bus.Burial) error {
	if e.refuse--; e.refuse >= 0 {
		return fault.New(fault.Unavailable, "letters", "away")
	}
	e.what <- fmt.Sprintf("buried after %d: %s", b.Attempts, b.Reason)
	return nil
}

func startLanes(t *testing.T, handle bus.Handler, o bus.LaneOptions) *bus.Lanes {
	t.Helper()
	s, err := bus.Subscription{Name: "s", Topics: []string{">"}, Backoff: time.Millisecond}.Check()
	if err != nil {
		t.Fatal(err)
	}
	return bus.NewLanes(t.Context(), s, handle, o)
}

func delivery(id string) bus.Delivery {
	return bus.Delivery{Event: greentic.Event{ID: id, Topic: "a", Type: "t", Subject: "x"}}
}

// An event that took its process down each time is not handed out for ever.
func TestAnEventThatIsAlwaysLostIsBuriedWithoutBeingHandedOut(t *testing.T) {
	l := startLanes(t, func(context.Context, bus.Delivery) error { panic("it was handed out") }, bus.LaneOptions{})
	defer l.Stop()
	d, e := delivery("1"), newEnd()
	d.Attempt = 5
	l.Add(d, e)
	if got := <-e.what; !strings.HasPrefix(got, "buried after 5: ") || !strings.Contains(got, "lost") {
		t.Fatal(got)
	}
}

func TestALetterThatCannotBeStoredKeepsItsLane(t *testing.T) {
	handled := make(chan string, 10)
	l := startLanes(t, func(_ context.Context, d bus.Delivery) error {
		handled <- d.Event.ID
		return fault.New(fault.Invalid, "h", "no")
	}, bus.LaneOptions{})
	defer l.Stop()
	first, second := newEnd(), newEnd()
	first.refuse = 2
	l.Add(delivery("1"), first)
	l.Add(delivery("2"), second)
	if got := <-first.what; !strings.HasPrefix(got, "buried after 1: ") || len(handled) > 2 {
		t.Fatal(got)
	}
	if got := <-second.what; !strings.HasPrefix(got, "buried after 1: ") {
		t.Fatal(got)
	}
	if <-handled != "1" || <-handled != "2" || len(handled) > 0 {
		t.Fatal("a burial that failed is no reason for another attempt")
	}
}

// What works, waits for its lane or for its next attempt is extended; after the end nothing is.
func TestWhatIsHeldIsExtendedUntilItIsGone(t *testing.T) {
	leave := make(chan struct{})
	l := startLanes(t, func(context.Context, bus.Delivery) error { <-leave; return nil }, bus.LaneOptions{Extend: time.Millisecond})
	first, second := newEnd(), newEnd()
	l.Add(delivery("1"), first)
	l.Add(delivery("2"), second)
	<-first.extends
	<-second.extends
	stopped := make(chan struct{})
	go func() { l.Stop(); close(stopped) }()
	for len(first.extends) > 0 { // also while it stops, as long as the handler runs
		<-first.extends
	}
	<-first.extends
	close(leave)
	<-stopped
	if got := <-first.what + " " + <-second.what; got != "settled released" && got != "settled settled" {
		t.Fatal(got)
	}
	late := newEnd()
	l.Add(delivery("3"), late)
	if got := <-late.what; got != "released" {
		t.Fatalf("after the end an event is %s", got)
	}
}
