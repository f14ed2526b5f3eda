package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
	"greentic.dev/build"
	"greentic.dev/greentic"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unsafe is the policy of these tests: their packs are not signed.
var unsafe = loader.Policy{AllowUnsignedUnsafe: true}

// makePack builds a pack of flows (id to source) and other files (path to content); the file
// named components is the list of components for pack.yaml.
func makePack(t testing.TB, id string, flows, files map[string]string) *loader.Verified {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	project := "pack_id: " + id + "\nversion: 1.0.0\nkind: application\npublisher: tests\nflows:\n"
	for flow, source := range flows {
		project += "  - { id: " + flow + ", file: flows/" + flow + ".ygtc, tags: [default], entrypoints: [default] }\n"
		write("flows/"+flow+".ygtc", "id: "+flow+"\ntype: messaging\ntags: [default]\n"+source)
	}
	for name, content := range files {
		if name == "components" {
			project += "components:\n" + content
			continue
		}
		write(name, content)
	}
	write("pack.yaml", project)
	built, err := build.Pack(t.Context(), dir, build.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := loader.LoadBytes(t.Context(), id, built.Bytes, unsafe)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// chain answers every message with the text before it, and ends on "bye". Each answer depends
// on session, state and order: a lost, doubled or reordered turn shows.
const chain = `
start: before
nodes:
  before:
    state.get: { key: last }
    routing: [{ to: say }]
  say:
    emit.response: { text: "{{response.text}} after {{node.before.value}}" }
    routing: [{ to: keep }]
  keep:
    state.set: { key: last, value: "{{response.text}}" }
    routing:
      - condition: response.text == "bye"
        out: true
      - to: pause
  pause:
    session.wait: { reason: next }
    routing: [{ to: before }]
`

// echo answers and ends.
const echo = `
nodes:
  say:
    emit.response: { text: "you said {{response.text}}" }
    routing: out
`

// endless runs into the step limit, after it has said something.
const endless = `
start: say
nodes:
  say:
    emit.response: { text: "half an answer" }
    routing: [{ to: keep }]
  keep:
    state.set: { key: last, value: "half a state" }
    routing: [{ to: say }]
`

// channel is a connector in memory that outlives runners: what it holds has been delivered.
// Like real ones it recognises a repeated id.
type channel struct {
	mu    sync.Mutex
	seen  map[string]string // reply id to text
	sent  map[string][]string
	tries []string                            // ids, in the order they were tried
	fail  func(o queue.Outgoing, n int) error // n is how often the reply was tried before
	grew  chan struct{}
}

func newChannel() *channel {
	return &channel{seen: map[string]string{}, sent: map[string][]string{}, grew: make(chan struct{})}
}

func (c *channel) Deliver(_ context.Context, o queue.Outgoing) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, id := range c.tries {
		if id == o.ID {
			n++
		}
	}
	c.tries = append(c.tries, o.ID)
	if c.fail != nil {
		if err := c.fail(o, n); err != nil {
			return err
		}
	}
	if text, again := c.seen[o.ID]; again {
		if text != o.Reply.Text {
			c.sent[o.Key] = append(c.sent[o.Key], fmt.Sprintf("reply %s was %q and is now %q", o.ID, text, o.Reply.Text))
		}
		return nil
	}
	c.seen[o.ID] = o.Reply.Text
	c.sent[o.Key] = append(c.sent[o.Key], o.Reply.Text)
	close(c.grew)
	c.grew = make(chan struct{})
	return nil
}

// replies waits until a key has n replies and returns them.
func (c *channel) replies(t testing.TB, key string, n int) []string {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		c.mu.Lock()
		got, grew := append([]string{}, c.sent[key]...), c.grew
		c.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-grew:
		case <-timeout:
			t.Fatalf("%s has %d replies of %d: %q", key, len(got), n, got)
		}
	}
}

// rig is everything of one test that outlives a runner: store, kept packs, channel.
type rig struct {
	t         testing.TB
	db        kv.DB
	file      string // of SQLite; empty for memory
	store     *loader.Store
	channel   *channel
	deliverer runner.Deliverer // in place of the channel
	host      *host.Host       // nil: one that runs no components
	ids       atomic.Int64
	releases  *release.Set // of the last runner
	options   runner.Options
	policy    loader.Policy
	log       io.Writer
	shards    *shard.Keeper // nil: the runner has the store for itself
}

func newRig(t testing.TB) *rig {
	return &rig{t: t, db: memory.New(time.Now), store: loader.NewStore(filepath.Join(t.TempDir(), "packs")), channel: newChannel(), policy: unsafe, log: io.Discard,
		options: runner.Options{Backoff: time.Millisecond}}
}

func newSQLiteRig(t testing.TB) *rig {
	r := newRig(t)
	r.file = filepath.Join(t.TempDir(), "kv.db")
	r.db = nil
	r.reopen()
	t.Cleanup(func() { _ = r.db.Close() })
	return r
}

// reopen closes and opens the store, as a restart does.
func (r *rig) reopen() {
	r.t.Helper()
	if r.file == "" {
		return
	}
	if r.db != nil {
		if err := r.db.Close(); err != nil {
			r.t.Fatal(err)
		}
	}
	db, err := sqlite.Open(context.Background(), r.file, sqlite.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.db = db
}

// newRunner makes a runner that serves packs, over db.
func (r *rig) newRunner(db kv.DB, packs ...*loader.Verified) *runner.Runner {
	r.t.Helper()
	if r.host == nil {
		r.host = host.New(host.Deps{}, host.Options{})
	}
	releases := release.New(r.host, r.store, r.policy, nil)
	for _, v := range packs {
		if _, err := releases.Serve(context.Background(), v); err != nil {
			r.t.Fatal(err)
		}
	}
	deliverer := r.deliverer
	if deliverer == nil {
		deliverer = r.channel
	}
	r.releases = releases
	return runner.New(runner.Deps{
		DB: db, Releases: releases, Shards: r.shards, Deliver: map[string]runner.Deliverer{"test": deliverer}, Now: time.Now,
		Log:   slog.New(slog.NewTextHandler(r.log, nil)),
		NewID: func() string { return fmt.Sprintf("turn-%d", r.ids.Add(1)) },
	}, r.options)
}

// start makes and starts a runner; stop drains it and fails the test when that takes long.
func (r *rig) start(packs ...*loader.Verified) (run *runner.Runner, stop func()) {
	r.t.Helper()
	run = r.newRunner(r.db, packs...)
	if err := run.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := run.Drain(ctx); err != nil {
				r.t.Errorf("drain: %v", err)
			}
		})
	}
	r.t.Cleanup(stop)
	return run, stop
}

// left lists the lanes with work in the store.
func (r *rig) left() (list []queue.Lane) {
	r.t.Helper()
	err := r.db.System(context.Background(), func(x kv.Txn) error {
		list = nil
		for s := range shard.Count {
			err := queue.Work(x, s, 0, func(_ string, l queue.Lane) bool { list = append(list, l); return true },
				func(_ string, d queue.Destination) bool { list = append(list, d.Lane); return true })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

// dump is everything in the store.
func (r *rig) dump() (all string) {
	r.t.Helper()
	err := r.db.View(context.Background(), greentic.DefaultTenant(), func(x kv.Reader) error {
		all = ""
		return x.Scan("", "", 0, func(key string, value []byte) bool { all += fmt.Sprintf("%q %q\n", key, value); return true })
	})
	if err == nil {
		err = r.db.System(context.Background(), func(x kv.Txn) error {
			system := ""
			err := x.Scan("", "", 0, func(key string, value []byte) bool { system += fmt.Sprintf("%q %q\n", key, value); return true })
			all += system
			return err
		})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// say is a message of a user; key is the conversation.
func say(key, id, text string) greentic.Trigger {
	tenant := greentic.DefaultTenant()
	tenant.Locale = "en"
	body, _ := json.Marshal(greentic.Message{ID: id, Channel: "test", Conversation: key, From: &greentic.Actor{ID: "user"}, Text: text})
	return greentic.Trigger{ID: key + "/" + id, Tenant: tenant, Kind: greentic.KindMessage, Route: "test", Key: key, Body: body}
}

// accept fails the test when a trigger is refused.
func accept(t testing.TB, run *runner.Runner, trigger greentic.Trigger) greentic.Receipt {
	t.Helper()
	receipt, err := run.Accept(t.Context(), trigger)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// answers is what the chain flow says to texts sent one after the other.
func answers(texts ...string) []string {
	list, before := make([]string, len(texts)), ""
	for i, text := range texts {
		list[i], before = text+" after "+before, text
	}
	return list
}
