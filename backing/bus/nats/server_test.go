package nats_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/bustest"
	"greentic.dev/backing/bus/nats"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// serve runs a NATS server that listens; port 0 takes a free one.
func serve(t testing.TB, dir string, port int) *server.Server {
	t.Helper()
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, MaxPayload: 2 << 20,
		JetStream: true, StoreDir: dir, SyncAlways: true, JetStreamMaxStore: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	t.Cleanup(func() { shut(s) })
	return s
}

func portOf(s *server.Server) int { return s.Addr().(*net.TCPAddr).Port }

func shut(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

func dial(t testing.TB, url string) bus.Bus {
	t.Helper()
	b, err := nats.Open(nats.Options{URL: url, Log: quiet(), AckWait: patience})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAServerByURLKeepsThePromises(t *testing.T) {
	bustest.Run(t, func(t *testing.T) *bustest.Bench {
		url := serve(t, t.TempDir(), 0).ClientURL()
		return &bustest.Bench{Bus: dial(t, url), Patience: patience, Reopen: func() (bus.Bus, error) { return dial(t, url), nil }}
	})
}

const lanes = 5

func numbered(n int) greentic.Event {
	return greentic.Event{ID: fmt.Sprintf("%d-%04d", n%lanes, n/lanes), Topic: "a", Type: "t", Subject: fmt.Sprint(n % lanes)}
}

// tally notes what was handled, across subscribers and processes.
type tally struct {
	events, repeats int
	seen            map[string]bool
	next            [lanes]int
	err             error
}

func (c *tally) note(id string) {
	if c.seen[id] {
		c.repeats++
		return
	}
	var lane, n int
	if _, err := fmt.Sscanf(id, "%d-%d", &lane, &n); err != nil || n != c.next[lane] {
		c.err = errors.Join(c.err, fmt.Errorf("%s came when number %d of its lane was due", id, c.next[lane]))
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[id] = true
	c.next[lane] = n + 1
	c.events++
}

// keep publishes until the bus has it, as an outbox does.
func keep(t testing.TB, b bus.Bus, e greentic.Event) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := b.Publish(ctx, demo, e)
		cancel()
		switch {
		case err == nil:
			return
		case !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Timeout) || t.Context().Err() != nil:
			t.Error(err)
			return
		}
	}
}

func TestARestartOfTheServerLosesNothing(t *testing.T) {
	const events = 300
	dir := t.TempDir()
	s := serve(t, dir, 0)
	b := dial(t, s.ClientURL())
	defer b.Close()
	got := make(chan string, 10*events)
	stop, err := b.Subscribe(t.Context(), demo, bus.Subscription{Name: "s", Topics: []string{"a"}, Backoff: time.Millisecond}, func(_ context.Context, d bus.Delivery) error {
		if d.Event.ID[len(d.Event.ID)-1] == '7' && d.Attempt == 1 {
			return fault.New(fault.Unavailable, "h", "try again")
		}
		got <- d.Event.ID
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	published := make(chan struct{})
	go func() {
		defer close(published)
		for n := range events {
			keep(t, b, numbered(n))
		}
	}()
	defer func() { <-published }()
	var all tally
	late := time.After(60 * time.Second)
	for all.events < events {
		select {
		case id := <-got:
			all.note(id)
		case <-late:
			t.Fatalf("%d of %d events arrived", all.events, events)
		}
		if all.events == 60 || all.events == 180 {
			port := portOf(s)
			shut(s)
			s = serve(t, dir, port)
		}
	}
	t.Logf("%d repeats", all.repeats)
	if all.err != nil {
		t.Fatal(all.err)
	}
}

func TestTheURLIsCheckedBeforeAnythingConnects(t *testing.T) {
	for url, ok := range map[string]bool{
		"nats://127.0.0.1:1": true, "tls://u:p@host:4222?replicas=3": true, "http://x": false, "nats:": false, "nats://h?replicas=9": false, "nats://h?replicas=3&patience=10s": true, "nats://h?patience=1ms": false, "nats://h?sync=1": false,
	} {
		_, err := nats.Open(nats.Options{URL: url, Log: quiet()})
		if ok != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestAServerThatIsAwayIsUnavailableAndUsedOnceItIsBack(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir, 0)
	url, port := s.ClientURL(), portOf(s)
	shut(s)
	b := dial(t, url)
	defer b.Close()
	e := greentic.Event{ID: "1", Topic: "a", Type: "t"}
	if err := b.Publish(t.Context(), demo, e); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("without a server publishing says %v", err)
	}
	serve(t, dir, port)
	keep(t, b, e)
}

// Something that is no event of ours, published by a stranger, is skipped and stops nobody.
func TestWhatIsNoEventIsSkipped(t *testing.T) {
	s := serve(t, t.TempDir(), 0)
	b := dial(t, s.ClientURL())
	defer b.Close()
	got := make(chan bus.Delivery, 10)
	stop, err := b.Subscribe(t.Context(), demo, bus.Subscription{Name: "s", Topics: []string{"a"}}, func(_ context.Context, d bus.Delivery) error { got <- d; return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	stranger, err := client.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for _, text := range []string{"", "hello", `{"id":"x"}`, `{"id":"x","topic":"a","type":"t","time":"2026-01-02T03:04:05Z","payload":1,"tenant":{"env":"prod","tenant":"somebody-else"}}`} {
		if err := stranger.Publish("greentic.events.local.demo.a", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if d := <-got; d.Event.ID != "x" || d.Tenant != (greentic.TenantCtx{Env: "local", Tenant: "demo"}) {
		t.Fatalf("got %+v", d)
	}
}

// An operator who erases a tenant removes its stream; the tenant may come back.
func TestAStreamThatWasRemovedIsMadeAgain(t *testing.T) {
	s := serve(t, t.TempDir(), 0)
	b := dial(t, s.ClientURL())
	defer b.Close()
	keep(t, b, greentic.Event{ID: "1", Topic: "a", Type: "t"})
	operator, err := client.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	js, err := jetstream.New(operator)
	if err != nil {
		t.Fatal(err)
	}
	for name := range js.StreamNames(t.Context()).Name() {
		if err := js.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, b, greentic.Event{ID: "1", Topic: "a", Type: "t"})
	info, err := js.AccountInfo(t.Context())
	if err != nil || info.Streams != 1 {
		t.Fatalf("%+v, %v", info, err)
	}
}
