package nats_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/nats"
	"greentic.dev/greentic/fault"
)

// childPlace names, for a process that is to be killed, the folder or URL of its bus.
const childPlace = "BUS_TEST_CHILD"

func TestMain(m *testing.M) {
	if place := os.Getenv(childPlace); place != "" {
		child(place)
		return
	}
	goleak.VerifyTestMain(m)
}

func crashSubscription() bus.Subscription {
	return bus.Subscription{Name: "s", Topics: []string{"a"}, Backoff: 10 * time.Millisecond}
}

// child prints the ID of each event it handles, until it is killed or its input ends.
func child(place string) {
	o := nats.Options{Dir: place, Log: quiet(), AckWait: patience}
	if strings.HasPrefix(place, "nats://") {
		o.Dir, o.URL = "", place
	}
	b, err := nats.Open(o)
	if err == nil {
		_, err = b.Subscribe(context.Background(), demo, crashSubscription(), func(_ context.Context, d bus.Delivery) error {
			if d.Event.ID[len(d.Event.ID)-1] == '5' && d.Attempt == 1 {
				return fault.New(fault.Unavailable, "h", "try again")
			}
			_, err := fmt.Println(d.Event.ID)
			return err
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // a child whose parent died ends too
	_ = b.Close()
}

// run starts a child, notes what it prints until there is enough, and kills it.
func run(t *testing.T, place string, all *tally, enough func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childPlace+"="+place)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for !enough() && lines.Scan() {
		all.note(lines.Text())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it handled before it died
		all.note(lines.Text())
	}
	_ = cmd.Wait()
}

// subscribeOnce gives the name its place in the stream.
func subscribeOnce(t *testing.T, b bus.Bus) {
	t.Helper()
	stop, err := b.Subscribe(t.Context(), demo, crashSubscription(), func(context.Context, bus.Delivery) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	stop()
}

func TestKillingTheProcessLosesNothingAndKeepsOrder(t *testing.T) {
	const events = 300
	dir := t.TempDir()
	b := openDir(t, dir)
	subscribeOnce(t, b)
	for n := range events {
		keep(t, b, numbered(n))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	var all tally
	for _, n := range []int{1, 40, 130, events} {
		run(t, dir, &all, func() bool { return all.events >= n })
	}
	t.Logf("%d events, %d repeats", all.events, all.repeats)
	if all.err != nil || all.events < events {
		t.Fatalf("%d of %d events arrived: %v", all.events, events, all.err)
	}
}

// A process that stands by takes over when the one that is served is killed, and order is kept.
func TestStandingByTakesOverInOrder(t *testing.T) {
	const events = 200
	url := serve(t, t.TempDir(), 0).ClientURL()
	b := dial(t, url)
	defer b.Close()
	subscribeOnce(t, b)
	for n := range events {
		keep(t, b, numbered(n))
	}
	var all tally
	got := make(chan string, 2*events)
	stop := func() {}
	run(t, url, &all, func() bool {
		if all.events < 30 {
			return false
		}
		var err error
		stop, err = b.Subscribe(t.Context(), demo, crashSubscription(), func(_ context.Context, d bus.Delivery) error { got <- d.Event.ID; return nil })
		if err != nil {
			t.Error(err)
		}
		return true
	})
	defer stop()
	first := all.events
	late := time.After(30 * time.Second)
	for all.events < events {
		select {
		case id := <-got:
			all.note(id)
		case <-late:
			t.Fatalf("%d of %d events arrived", all.events, events)
		}
	}
	t.Logf("%d before, %d repeats", first, all.repeats)
	if all.err != nil {
		t.Fatal(all.err)
	}
}

// Two processes under one name: each event is handled by one of them, in order.
func TestTwoProcessesOfOneNameShareInOrder(t *testing.T) {
	const events = 200
	url := serve(t, t.TempDir(), 0).ClientURL()
	one, two := dial(t, url), dial(t, url)
	defer one.Close()
	defer two.Close()
	got := make(chan string, 10*events)
	handle := func(_ context.Context, d bus.Delivery) error { got <- d.Event.ID; return nil }
	stopOne, err := one.Subscribe(t.Context(), demo, crashSubscription(), handle)
	if err != nil {
		t.Fatal(err)
	}
	stopTwo, err := two.Subscribe(t.Context(), demo, crashSubscription(), handle)
	if err != nil {
		t.Fatal(err)
	}
	defer stopTwo()
	published := make(chan struct{})
	go func() {
		defer close(published)
		for n := range events {
			keep(t, two, numbered(n))
		}
	}()
	defer func() { <-published }()
	var all tally
	late := time.After(30 * time.Second)
	for all.events < events {
		select {
		case id := <-got:
			all.note(id)
		case <-late:
			t.Fatalf("%d of %d events arrived", all.events, events)
		}
		if all.events == events/2 {
			stopOne()
		}
	}
	if all.err != nil || all.repeats > 0 {
		t.Fatalf("%d repeats, %v", all.repeats, all.err)
	}
}
