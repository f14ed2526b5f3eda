package operate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/bus"
	busmemory "greentic.dev/backing/bus/memory"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/queue"
	"greentic.dev/build"
	"greentic.dev/gateway"
	"greentic.dev/greentic"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/operate"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// makePack builds a version of pack "desk" with flows of these kinds and sources.
func makePack(t testing.TB, version string, flows map[string]string) *loader.Verified {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "flows"), 0o700); err != nil {
		t.Fatal(err)
	}
	project := "pack_id: desk\nversion: " + version + "\nkind: application\npublisher: tests\nflows:\n"
	for name, source := range flows {
		project += "  - { id: " + name + ", file: flows/" + name + ".ygtc, entrypoints: [default] }\n"
		if err := os.WriteFile(filepath.Join(dir, "flows", name+".ygtc"), []byte("id: "+name+"\n"+source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "pack.yaml"), []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	built, err := build.Pack(t.Context(), dir, build.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := loader.LoadBytes(t.Context(), "desk", built.Bytes, loader.Policy{AllowUnsignedUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// chat answers with the version's word and waits at a node of its own name.
func chat(word, node string) string {
	return `type: messaging
tags: [default]
start: ` + node + `
nodes:
  ` + node + `:
    emit.response: { text: "` + word + ` {{input.input.text}}" }
    routing:
      - condition: response.text == "bye"
        out: true
      - to: pause
  pause:
    session.wait: { reason: next }
    routing: [{ to: ` + node + ` }]
`
}

const job = `type: job
nodes:
  say:
    emit.response: { text: "job {{input.input.n}}" }
    routing: out
`

// desk is a server without a network.
type desk struct {
	t        testing.TB
	db       kv.DB
	runner   *runner.Runner
	releases *release.Set
	front    http.Handler
	refuse   atomic.Bool // deliveries fail for good
	sent     chan string // texts delivered on route test
	stop     func()
	header   map[string]string // of the next requests
	crash    func(point string)
	bus      bus.Bus
}

const token = "operators-token"

func open(t testing.TB, db kv.DB, crash func(string), packs ...*loader.Verified) *desk {
	t.Helper()
	d := &desk{t: t, db: db, sent: make(chan string, 10_000), bus: busmemory.New(busmemory.Options{}), header: map[string]string{}}
	d.releases = release.New(host.New(host.Deps{}, host.Options{}), loader.NewStore(filepath.Join(t.TempDir(), "packs")), loader.Policy{AllowUnsignedUnsafe: true}, nil)
	for _, p := range packs {
		d.serve(p)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	var ids atomic.Int64
	newID := func() string { return fmt.Sprintf("id-%04d", ids.Add(1)) }
	d.runner = runner.New(runner.Deps{DB: db, Releases: d.releases, Deliver: map[string]runner.Deliverer{"test": d}, Log: log, Now: time.Now, NewID: newID},
		runner.Options{Backoff: time.Millisecond, Attempts: 1, Poll: time.Millisecond, Crash: crash})
	front, err := gateway.New(gateway.Options{Token: token, Log: log}, operate.New(operate.Deps{DB: db, Bus: d.bus, Runner: d.runner, Releases: d.releases,
		Tenant: greentic.DefaultTenant(), Now: time.Now, NewID: newID, Log: log}).Routes())
	if err != nil {
		t.Fatal(err)
	}
	d.front = front
	if err := d.runner.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	stopped := false
	d.stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := d.runner.Drain(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() {
		d.stop()
		if err := d.bus.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func openMemory(t testing.TB, packs ...*loader.Verified) *desk {
	return open(t, memory.New(time.Now), nil, packs...)
}

func (d *desk) serve(p *loader.Verified) {
	d.t.Helper()
	if _, err := d.releases.Serve(context.Background(), p); err != nil {
		d.t.Fatal(err)
	}
}

// Deliver implements runner.Deliverer.
func (d *desk) Deliver(_ context.Context, o queue.Outgoing) error {
	if d.refuse.Load() {
		return fmt.Errorf("the channel is broken")
	}
	d.sent <- o.Reply.Text
	return nil
}

// answer waits for the next text that is delivered.
func (d *desk) answer() string {
	d.t.Helper()
	select {
	case text := <-d.sent:
		return text
	case <-time.After(20 * time.Second):
		d.t.Fatal("nothing is delivered")
		return ""
	}
}

// call makes a request as an operator and decodes the answer into out, which may be nil.
func (d *desk) call(method, path, body string, out any) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "Bearer "+token)
	for name, value := range d.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	d.front.ServeHTTP(w, r)
	if out != nil {
		if err := json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(out); err != nil {
			d.t.Fatalf("%s %s: %d %s: %v", method, path, w.Code, w.Body, err)
		}
	}
	return w
}

// say takes a message through its turn.
func (d *desk) say(key, id, text string) runner.TurnResult {
	d.t.Helper()
	result, err := d.runner.Turn(context.Background(), message(key, id, text))
	if err != nil {
		d.t.Fatal(err)
	}
	return result
}

func message(key, id, text string) greentic.Trigger {
	body, _ := json.Marshal(greentic.Message{ID: id, Text: text, From: &greentic.Actor{ID: "ann"}})
	return greentic.Trigger{ID: key + "/" + id, Tenant: greentic.DefaultTenant(), Kind: greentic.KindMessage, Route: "test", Key: key, Body: body}
}

// keys lists what a tenant has in the store.
func (d *desk) keys() (all []string) {
	d.t.Helper()
	err := d.db.View(context.Background(), greentic.DefaultTenant(), func(x kv.Reader) error {
		all = nil
		return x.Scan("", "", 0, func(key string, _ []byte) bool { all = append(all, key); return true })
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}
