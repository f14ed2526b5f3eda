package runner_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
)

// pausing waits, and then pauses for a second with what it has done stored: its component traps.
func pausing(word string) string {
	return `
start: greet
nodes:
  greet:
    emit.response: { text: "` + word + `" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: try }]
  try:
    component.exec: { component: test.moody, operation: t, input: {} }
    retry: { attempts: 2, backoff: 1s, on: [any] }
    routing:
      - { status: error, to: greet }
      - { out: true }
`
}

// migrate does what an operator does.
func migrate(db kv.DB, run *runner.Runner, key string, to greentic.Digest) error {
	tenant := greentic.DefaultTenant()
	var s session.Session
	err := db.Update(context.Background(), tenant, func(x kv.Txn) (err error) {
		if s, err = session.Load(x, key); err == nil {
			s.Release = to
			s, err = session.Save(x, tenant, s)
		}
		return err
	})
	run.Changed(tenant, s)
	return err
}

// A checkpoint of a turn that began before an operator changed its session does not undo the change.
func TestACheckpointDoesNotOutliveAChangeOfItsSession(t *testing.T) {
	r := newRig(t)
	r.withEngine()
	files := map[string]string{
		"components":                      "  - { id: test.moody, version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/moody/component.wasm }\n",
		"components/moody/component.wasm": read(t, "..", "host", "testdata", "moody.wasm"),
	}
	v1, v2 := makePack(t, "t.pause", map[string]string{"main": pausing("one")}, files), makePack(t, "t.pause", map[string]string{"main": pausing("two")}, files)
	var change func()
	var once atomic.Bool
	r.options.Crash = func(point string) {
		if point == "before_checkpoint" && once.CompareAndSwap(false, true) {
			change()
		}
	}
	run, stop := r.start(v2)
	turn(t, run, say("k", "1", "a"))
	stop()
	run, _ = r.start(v1)
	change = func() {
		if err := migrate(r.db, run, "k", v1.Digest()); err != nil {
			t.Error(err)
		}
	}
	turn(t, run, say("k", "2", "b"))
	if got := r.channel.replies(t, "k", 2); !slices.Equal(got, []string{"two", "one"}) {
		t.Fatalf("replies %q: the second is the other release's", got)
	}
	if s := stored(t, r.db, "k"); s.Release != v1.Digest() {
		t.Errorf("the session is on %s", s.Release.Short())
	}
}

// A conversation whose session has left the cache while its message waited goes on where it was.
func TestASessionThatLeavesTheCacheMeanwhileIsReadAgain(t *testing.T) {
	r, g := newRig(t), newGate("before_commit")
	var runs atomic.Int64
	r.options.Workers = 1
	r.options.Crash = func(point string) {
		if point == "before_commit" && runs.Add(1) > 1 {
			g.pass(point)
		}
	}
	pack := makePack(t, "t.chain", map[string]string{"main": chain}, nil)
	run, _ := r.start(pack)
	turn(t, run, say("k", "1", "a"))
	accept(t, run, say("slow", "1", "a"))
	<-g.reached
	accept(t, run, say("k", "2", "b")) // its session is cached
	run.Changed(greentic.DefaultTenant(), stored(t, r.db, "k"))
	close(g.open)
	if got, want := r.channel.replies(t, "k", 2), answers("a", "b"); !slices.Equal(got, want) {
		t.Fatalf("replies %q, want %q", got, want)
	}
	if runs.Load() != 3 {
		t.Errorf("%d runs for 3 messages: one began as a new conversation", runs.Load())
	}
}

// The release that an accepted trigger demands is kept over a restart that serves another.
func TestAReleaseIsKeptForATriggerThatDemandsIt(t *testing.T) {
	r := newSQLiteRig(t)
	v1, v2 := makePack(t, "t.echo", map[string]string{"main": echo}, nil), makePack(t, "t.echo", map[string]string{"main": chain}, nil)
	r.newRunner(r.db, v1)
	trigger := say("k", "1", "a")
	trigger.Release = v1.Digest()
	err := r.db.Update(t.Context(), trigger.Tenant, func(x kv.Txn) error {
		_, _, err := queue.Accept(x, trigger, "turn", time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, stop := r.start(v2)
	if got := r.channel.replies(t, "k", 1); !slices.Equal(got, []string{"you said a"}) {
		t.Fatalf("replies %q", got)
	}
	stop()
	pins, err := session.Pinned(t.Context(), r.db)
	if err != nil || len(pins) != 0 {
		t.Fatalf("afterwards pinned: %v, %v", pins, err)
	}
}

// Somebody who waits for a turn that another process runs is told by its record.
func TestATurnThatAnotherProcessRunsIsWaitedFor(t *testing.T) {
	r := newRig(t)
	r.options.Poll = time.Millisecond
	pack := makePack(t, "t.echo", map[string]string{"main": echo}, nil)
	here := r.newRunner(r.db, pack) // not started: no shard is its own
	done := make(chan error, 1)
	go func() {
		result, err := here.Turn(context.Background(), say("k", "1", "a"))
		if err == nil && (len(result.Replies) != 1 || result.Replies[0].Text != "you said a" || result.Release != pack.Digest() || result.Steps != 1) {
			err = fmt.Errorf("%+v", result)
		}
		done <- err
	}()
	for len(r.left()) == 0 { // until it is accepted
	}
	r.start(pack)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
