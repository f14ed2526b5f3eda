package systemtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/bus/nats"
	"greentic.dev/build"
	"greentic.dev/greentic"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/events"
	"greentic.dev/runtime/loader"
	"greentic.dev/system"
	"greentic.dev/system/systemtest"
)

// natsServer is a server with JetStream of its own, as an operator would run one.
func natsServer(t testing.TB) (url string) {
	t.Helper()
	s, err := natsd.NewServer(&natsd.Options{Host: "127.0.0.1", Port: natsd.RANDOM_PORT, NoSigs: true, NoLog: true, MaxPayload: 2 << 20,
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	return s.ClientURL()
}

// listener is a subscriber outside of the platform: it notes each event of the default tenant once.
type listener struct {
	mu     sync.Mutex
	seen   map[string]bool
	events []greentic.Event
	grew   chan struct{}
}

// listen subscribes a listener to everything on the bus at url.
func listen(t testing.TB, url string) *listener {
	t.Helper()
	b, err := nats.Open(nats.Options{URL: url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	s := &listener{seen: map[string]bool{}, grew: make(chan struct{})}
	if _, err = b.Subscribe(context.Background(), greentic.DefaultTenant(), bus.Subscription{Name: "listener", Topics: []string{">"}}, s.note); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *listener) note(_ context.Context, d bus.Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen[d.Event.ID] {
		s.seen[d.Event.ID] = true
		s.events = append(s.events, d.Event)
		close(s.grew)
		s.grew = make(chan struct{})
	}
	return nil
}

// wait returns the first n events once they are there.
func (s *listener) wait(n int) ([]greentic.Event, error) {
	timeout := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		got, grew := append([]greentic.Event{}, s.events...), s.grew
		s.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-grew:
		case <-timeout:
			return got, fmt.Errorf("%d events of %d: %+v", len(got), n, got)
		}
	}
}

// follow checks that what came after the first n events is what was promised, in the order of each
// topic.
func (s *listener) follow(n int, want []systemtest.Happening) error {
	got, err := s.wait(n + len(want))
	if err != nil {
		return err
	}
	rest := got[n:]
	for _, h := range want {
		for i, e := range rest {
			if e.Topic == h.Topic {
				if !h.Is(e) {
					return fmt.Errorf("the bus carries %+v %s, want %+v", e, e.Payload, h)
				}
				rest = append(rest[:i:i], rest[i+1:]...)
				break
			}
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("the bus also carries %+v", rest)
	}
	return nil
}

// due makes the trigger of a schedule's next time, as the due index would.
func due(t *testing.T, folder, id string) (greentic.Trigger, error) {
	t.Helper()
	v, _, err := loader.Load(t.Context(), folder, loader.Policy{AllowUnsignedUnsafe: true, Build: &build.Options{}})
	if err != nil {
		return greentic.Trigger{}, err
	}
	schedules, _ := v.Archive().Events()
	for _, s := range schedules {
		if s.ID == id {
			return triggerOf(v.Archive().ID(), s)
		}
	}
	return greentic.Trigger{}, fmt.Errorf("the pack has no schedule %s", id)
}

func triggerOf(packID string, s pack.Schedule) (greentic.Trigger, error) {
	parsed, err := events.Parse(packID, s)
	if err != nil {
		return greentic.Trigger{}, err
	}
	at, err := parsed.Next(time.Now())
	if err != nil {
		return greentic.Trigger{}, err
	}
	return parsed.Trigger(greentic.DefaultTenant(), at)
}

func TestTheOrderDeskDoesWhatItsScriptPromises(t *testing.T) {
	folder := filepath.Join("..", "..", "examples", "orders")
	src, err := os.ReadFile(filepath.Join(folder, "script.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := systemtest.ParseScripts(src)
	if err != nil {
		t.Fatal(err)
	}
	url := natsServer(t)
	heard := listen(t, url)
	s := openSystem(t, testConfig(t, system.Override{Key: "bus", Value: url}), system.Options{Ephemeral: true}, filepath.Join(folder, "pack"))
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Drain(context.Background()), s.Close()); err != nil {
			t.Error(err)
		}
	})
	events := 0
	for _, script := range scripts {
		t.Run(script.Name, func(t *testing.T) {
			for i, step := range script.Turns {
				trigger, err := stepTrigger(t, s, script, step, filepath.Join(folder, "pack"), i)
				if err != nil {
					t.Fatal(err)
				}
				result, err := s.Turn(t.Context(), trigger)
				if err = errors.Join(err, result.Err); err == nil {
					err = step.Check(result.Replies, result.Status)
				}
				if err == nil {
					err = heard.follow(events, step.Events)
				}
				if err != nil {
					t.Fatalf("turn %d (%s%v%s): %v", i+1, step.Say, step.Click, step.Due, err)
				}
				events += len(step.Events)
			}
		})
	}
}

func stepTrigger(t *testing.T, s *system.System, script systemtest.Script, step systemtest.Step, folder string, n int) (greentic.Trigger, error) {
	if step.Due != "" {
		return due(t, folder, step.Due)
	}
	m := step.Message(fmt.Sprintf("%s-%d", script.Session, n), script.Session, script.Locale)
	body, err := json.Marshal(m)
	tenant := s.Tenant()
	tenant.User = greentic.UserID(script.Session)
	return greentic.Trigger{ID: m.ID, Tenant: tenant, Kind: greentic.KindMessage, Route: "script", Key: script.Session, Body: body}, err
}

// A process whose packs declare nothing runs no bus, not even an empty one.
func TestWithoutEventsThereIsNoBus(t *testing.T) {
	c := testConfig(t)
	s := openSystem(t, c, system.Options{}, echoPack(t))
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	turn(t, s, "1", "a")
	if err := errors.Join(s.Drain(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(c.Data, "bus")); !os.IsNotExist(err) {
		t.Errorf("the bus left its folder: %v", err)
	}
}

// A schedule and a subscription of a pack take effect when it is loaded into a running process, and
// those of its next version in place of them.
func TestAPackLoadedLaterFiresAndListensAtOnce(t *testing.T) {
	url := natsServer(t)
	heard := listen(t, url)
	s := openSystem(t, testConfig(t, system.Override{Key: "bus", Value: url}), system.Options{Ephemeral: true})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Drain(context.Background()), s.Close()); err != nil {
			t.Error(err)
		}
	})
	n := 0
	for _, version := range []string{"1.0.0", "2.0.0"} {
		if _, err := s.Load(t.Context(), tickingPack(t, version)); err != nil {
			t.Fatal(err)
		}
		for found := false; !found; n++ {
			got, err := heard.wait(n + 1)
			if err != nil {
				t.Fatal(err)
			}
			found = got[n].Topic == "echo" && got[n].Subject == version
		}
	}
}

// tickingPack emits "tick" every second, and "echo" with its version for each.
func tickingPack(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pack.yaml": "pack_id: test.ticking\nversion: " + version + `
kind: application
publisher: test
flows:
  - { id: tick, file: flows/tick.ygtc }
  - { id: echo, file: flows/echo.ygtc }
extensions:
  greentic.events.v1:
    version: "1"
    inline:
      schedules: [{ id: second, cron: "* * * * * *", flow: tick }]
      subscriptions: [{ id: ticks, topics: ["tick.` + version[:1] + `"], flow: echo }]
`,
		"flows/tick.ygtc": "id: tick\ntype: event\nnodes:\n  tell:\n    emit.event: { topic: tick." + version[:1] + " }\n    routing: out\n",
		"flows/echo.ygtc": "id: echo\ntype: event\nnodes:\n  tell:\n    emit.event: { topic: echo, subject: " + version + " }\n    routing: out\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
