package runner_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
	"greentic.dev/wasm"
)

// busy is what a component says that should be asked again.
const busy = `{"ok":false,"error":{"code":"busy","message":"come back","retryable":true}}`

// upstream is a server that components call: it notes the calls and answers as it is told.
type upstream struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []string // paths
	keys   []string // idempotency keys
	answer func(path string, n int) string
	called chan struct{}
}

func newUpstream(t testing.TB, answer func(path string, n int) string) *upstream {
	u := &upstream{answer: answer, called: make(chan struct{}, 100)}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		u.mu.Lock()
		u.calls, u.keys = append(u.calls, r.URL.Path), append(u.keys, r.Header.Get("Idempotency-Key"))
		text := u.answer(r.URL.Path, len(u.calls))
		u.mu.Unlock()
		_, _ = w.Write([]byte(text))
		u.called <- struct{}{}
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) paths() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.calls)
}

// caller is a pack whose nodes call u: "name: METHOD /path" lines become nodes, with the policies
// and routes that follow them.
func caller(t *testing.T, u *upstream, flow string) *loader.Verified {
	t.Helper()
	for _, method := range []string{"GET", "POST"} {
		letter := "j" + strings.ToLower(method[:1]) // see asker.wat
		for {
			before, rest, found := strings.Cut(flow, method+" /")
			if !found {
				break
			}
			path, after, _ := strings.Cut(rest, "\n")
			flow = before + fmt.Sprintf("component.exec: { component: test.asker, operation: \"%s/%s\", input: %q }\n", u.URL, path, letter) + after
		}
	}
	return makePack(t, "t.caller", map[string]string{"main": flow}, map[string]string{
		"components":                      "  - { id: test.asker, version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/asker/component.wasm }\n  - { id: test.moody, version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/moody/component.wasm }\n",
		"components/asker/component.wasm": read(t, "..", "host", "testdata", "asker.wasm"),
		"components/moody/component.wasm": read(t, "..", "host", "testdata", "moody.wasm"),
	})
}

// calling is a host whose components may use the network.
func (r *rig) calling() *host.Host {
	r.t.Helper()
	if r.host == nil {
		engine, err := wasm.New(context.Background(), wasm.Options{})
		if err != nil {
			r.t.Fatal(err)
		}
		out := egress.New(egress.Options{})
		r.t.Cleanup(func() { _ = engine.Close(context.Background()); out.Close() })
		r.host = host.New(host.Deps{Engine: engine, HTTP: out}, host.Options{})
	}
	return r.host
}

// makeCalling makes a runner over db whose components may call u.
func (r *rig) makeCalling(db kv.DB, u *upstream, v *loader.Verified) *runner.Runner {
	r.t.Helper()
	grant, err := egress.ParseGrant(strings.TrimPrefix(u.URL, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	releases := release.New(r.calling(), r.store, r.policy, []egress.Grant{grant})
	if _, err := releases.Serve(context.Background(), v); err != nil {
		r.t.Fatal(err)
	}
	return runner.New(runner.Deps{DB: db, Releases: releases, Deliver: map[string]runner.Deliverer{"test": r.channel}, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(r.log, nil)), NewID: func() string { return fmt.Sprintf("turn-%d", r.ids.Add(1)) }}, r.options)
}

func (r *rig) startCalling(u *upstream, v *loader.Verified) (run *runner.Runner, stop func()) {
	r.t.Helper()
	run = r.makeCalling(r.db, u, v)
	if err := run.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := run.Drain(context.Background()); err != nil {
			r.t.Errorf("drain: %v", err)
		}
	})
	r.t.Cleanup(stop)
	return run, stop
}

// steps are those of a conversation's only turn, as "node do attempt".
func (r *rig) steps(key string) (list []string) {
	r.t.Helper()
	var turns []record.Turn
	err := r.db.View(context.Background(), greentic.DefaultTenant(), func(x kv.Reader) error {
		turns = nil
		return record.List(x, key, 0, 0, func(one record.Turn) bool { turns = append(turns, one); return true })
	})
	if err != nil || len(turns) != 1 {
		r.t.Fatalf("%d records, %v", len(turns), err)
	}
	for _, s := range turns[0].Steps {
		text := s.Node + " " + s.Do
		if s.Attempt > 0 {
			text += fmt.Sprint(" ", s.Attempt)
		}
		list = append(list, text)
	}
	return list
}

// fragile asks a server three times and says how that went.
const fragile = `
start: ask
nodes:
  ask:
    METHOD /ask
    retry: { attempts: 3, backoff: BACKOFF, multiplier: 1 }
    err_map: { text: "{{error.code}} after {{error.attempts}}" }
    routing:
      - { status: error, to: sorry }
      - { to: fine }
  fine:
    emit.response: { text: fine }
    routing: out
  sorry:
    emit.response: { text: "sorry, {{node.ask.text}}" }
    routing: out
`

func fragileCalling(method, backoff string) string {
	return strings.NewReplacer("METHOD", method, "BACKOFF", backoff).Replace(fragile)
}

// A try again is the same step: same idempotency key, the next attempt; the record shows each.
func TestAFailureThatMayPassIsTriedAgainAsTheSameStep(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		r := newRig(t)
		u := newUpstream(t, func(_ string, n int) string {
			if n < 3 {
				return busy
			}
			return `{"ok":true}`
		})
		run, _ := r.startCalling(u, caller(t, u, fragileCalling(method, "5ms")))
		if result := turn(t, run, say("k", "1", "a")); !slices.Equal(texts(result), []string{"fine"}) {
			t.Fatalf("%s: %+v", method, result)
		}
		want := []string{"ask invoke 1", "ask retry 1", "ask invoke 2", "ask retry 2", "ask invoke 3", "fine emit", "fine end"}
		if got := r.steps("k"); !slices.Equal(got, want) {
			t.Errorf("%s: the record says %q", method, got)
		}
		if keys := slices.Compact(slices.Clone(u.keys)); method == "POST" && (len(u.keys) != 3 || len(keys) != 1 || keys[0] == "") {
			t.Errorf("the calls had the keys %q", u.keys)
		}
	}
}

func TestAFailureThatStaysIsTheFlowsToRouteAfterTheLastAttempt(t *testing.T) {
	r := newRig(t)
	u := newUpstream(t, func(string, int) string { return busy })
	run, _ := r.startCalling(u, caller(t, u, fragileCalling("GET", "5ms")))
	if result := turn(t, run, say("k", "1", "a")); !slices.Equal(texts(result), []string{"sorry, busy after 3"}) || len(u.paths()) != 3 {
		t.Fatalf("%+v, %d calls", result, len(u.paths()))
	}
}

// A restart in the pause before another try: attempts that changed the outside, or whose pause is long,
// are remembered; those of a short pause without effect are made again.
func TestWhatARestartKeepsOfARetry(t *testing.T) {
	for _, c := range []struct {
		method, backoff string
		calls           int
	}{{"GET", "1s", 3}, {"POST", "200ms", 3}, {"GET", "700ms", 4}} {
		r := newSQLiteRig(t)
		u := newUpstream(t, func(string, int) string { return busy })
		v := caller(t, u, fragileCalling(c.method, c.backoff))
		run, stop := r.startCalling(u, v)
		accept(t, run, say("k", "1", "a"))
		<-u.called
		stop()
		r.reopen()
		_, stop = r.startCalling(u, v)
		if got := r.channel.replies(t, "k", 1); got[0] != "sorry, busy after 3" {
			t.Errorf("%s %s: %q", c.method, c.backoff, got)
		}
		stop()
		if got := len(u.paths()); got != c.calls {
			t.Errorf("%s with %s: %d calls, want %d", c.method, c.backoff, got, c.calls)
		}
	}
}

// A conversation that pauses before a retry holds nobody up.
func TestAPauseBeforeARetryTakesNoWorker(t *testing.T) {
	r := newRig(t)
	r.options.Workers = 1
	u := newUpstream(t, func(_ string, n int) string {
		if n == 1 {
			return busy
		}
		return "{}"
	})
	run, _ := r.startCalling(u, caller(t, u, fragileCalling("GET", "10m")))
	accept(t, run, say("slow", "1", "a"))
	<-u.called
	accept(t, run, say("fast", "1", "a"))
	if got := r.channel.replies(t, "fast", 1); got[0] != "fine" {
		t.Errorf("%q", got)
	}
}

func TestANodesTimeoutLimitsEachTryAndIsTheFlowsToRoute(t *testing.T) {
	r := newRig(t)
	u := newUpstream(t, func(string, int) string { return "{}" })
	run, _ := r.startCalling(u, caller(t, u, `
start: loop
nodes:
  loop:
    component.exec: { component: test.moody, operation: l, input: {} }
    timeout: { after: 50ms }
    retry: { attempts: 2, backoff: 1ms }
    err_map: { text: "{{error.code}} after {{error.attempts}}" }
    routing:
      - { status: error, to: sorry }
      - { out: true }
  sorry:
    emit.response: { text: "sorry, {{node.loop.text}}" }
    routing: out
`))
	result := turn(t, run, say("k", "1", "a"))
	if result.Status != greentic.TurnDone || !slices.Equal(texts(result), []string{"sorry, timeout after 2"}) {
		t.Fatalf("%+v", result)
	}
	if got, want := r.steps("k"), []string{"loop invoke 1", "loop retry 1", "loop invoke 2", "sorry emit", "sorry end"}; !slices.Equal(got, want) {
		t.Errorf("the record says %q", got)
	}
}

func TestANodeWhoseConditionDoesNotHoldDoesNothing(t *testing.T) {
	r := newRig(t)
	u := newUpstream(t, func(string, int) string { return `{"found":"yes"}` })
	run, _ := r.startCalling(u, caller(t, u, `
start: look
nodes:
  look:
    POST /look
    when: { condition: 'response.text == "look"' }
    routing: [{ to: tell }]
  tell:
    emit.response: { text: "skipped {{node.look.skipped}} found {{node.look.found}}" }
    routing: out
`))
	if result := turn(t, run, say("k1", "1", "no")); !slices.Equal(texts(result), []string{"skipped true found "}) || len(u.paths()) != 0 {
		t.Errorf("%+v %v", result, u.paths())
	}
	if result := turn(t, run, say("k2", "1", "look")); !slices.Equal(texts(result), []string{"skipped  found yes"}) || len(u.paths()) != 1 {
		t.Errorf("%+v %v", result, u.paths())
	}
}

const trip = `
start: hello
nodes:
  hello:
    emit.response: { text: "this is never said" }
    routing: [{ to: flight }]
  flight:
    POST /flight
    meta: { greentic: { compensate: cancel_flight } }
    routing: [{ to: hotel }]
  hotel:
    POST /hotel
    meta: { greentic: { compensate: cancel_hotel } }
    routing: [{ to: car }]
  car:
    component.exec: { component: test.moody, operation: t, input: {} }
    routing: out
  cancel_flight:
    POST /cancel/flight/{{prev.id}}
    routing: out
  cancel_hotel:
    POST /cancel/hotel/{{prev.id}}
    routing: out
`

// A run that fails undoes what it did, the last first, once, also when the process ends between
// two of them; the user gets the apology and nothing of what was said before.
func TestARunThatFailsUndoesWhatItDidTheLastFirst(t *testing.T) {
	answer := func(path string, _ int) string { return fmt.Sprintf(`{"id":%q}`, strings.Trim(path, "/")+"-1") }
	want := []string{"/flight", "/hotel", "/cancel/hotel/hotel-1", "/cancel/flight/flight-1"}
	r := newRig(t)
	u := newUpstream(t, answer)
	run, stop := r.startCalling(u, caller(t, u, trip))
	result := turn(t, run, say("k", "1", "a"))
	if result.Status != greentic.TurnFailed || len(result.Replies) != 1 || !strings.Contains(result.Replies[0].Text, result.Turn) {
		t.Errorf("%+v", result)
	}
	if got := u.paths(); !slices.Equal(got, want) {
		t.Errorf("the calls were %q", got)
	}
	if got, steps := r.steps("k"), []string{"hello emit", "flight invoke 1", "hotel invoke 1", "car invoke 1", "cancel_hotel invoke 1", "cancel_flight invoke 1", "car fail"}; !slices.Equal(got, steps) {
		t.Errorf("the record says %q", got)
	}
	stop()
	if list := letters(t, r); len(list) != 1 || list[0].Kind != "turn" {
		t.Errorf("dead letters %+v", list)
	}
}

// Wherever the process dies, each call has one idempotency key, and the order stays.
func TestUndoingGoesOnWhereADeathInterruptedIt(t *testing.T) {
	answer := func(path string, _ int) string { return fmt.Sprintf(`{"id":%q}`, strings.Trim(path, "/")+"-1") }
	for at, died := 1, true; died; at++ {
		r := newSQLiteRig(t)
		u := newUpstream(t, answer)
		v := caller(t, u, trip)
		d := &dying{DB: r.db, late: at%2 == 0, at: (at + 1) / 2, dead: make(chan struct{})}
		died = r.dies(d, u, v)
		r.reopen()
		run, stop := r.startCalling(u, v)
		_, _ = run.Accept(t.Context(), say("k", "1", "a"))
		if got := r.channel.replies(t, "k", 1); len(got) != 1 || !strings.Contains(got[0], "Something went wrong") {
			t.Errorf("death %d: %q", at, got)
		}
		stop()
		keys := map[string]string{}
		var order []string
		for i, path := range u.calls {
			if keys[path] == "" {
				order = append(order, path)
				keys[path] = u.keys[i]
			}
			if keys[path] != u.keys[i] {
				t.Errorf("death %d: %s had the keys %q and %q", at, path, keys[path], u.keys[i])
			}
		}
		if want := []string{"/flight", "/hotel", "/cancel/hotel/hotel-1", "/cancel/flight/flight-1"}; !slices.Equal(order, want) {
			t.Errorf("death %d: the calls were %q", at, u.calls)
		}
		if at > 60 {
			t.Fatal("the sweep does not end")
		}
	}
}

// dies runs the trip of conversation "k" over a store until that dies or the user has the answer.
func (r *rig) dies(d *dying, u *upstream, v *loader.Verified) (died bool) {
	r.t.Helper()
	run := r.makeCalling(d, u, v)
	if run.Start(context.Background()) == nil {
		if _, err := run.Accept(context.Background(), say("k", "1", "a")); err == nil {
			r.channel.wait(d.dead, "k", 1)
		}
	}
	died = d.isDead()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = run.Drain(now)
	return died || d.isDead()
}
