package runner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestADuplicateIsAnsweredOnceAndGetsTheFirstReceipt(t *testing.T) {
	r := newRig(t)
	run, _ := r.start(makePack(t, "t.chain", map[string]string{"main": chain}, nil))
	first := accept(t, run, say("k", "1", "a"))
	if first.Duplicate || first.Turn == "" || first.Seq == 0 {
		t.Fatalf("first receipt %+v", first)
	}
	for range 3 {
		again := accept(t, run, say("k", "1", "a"))
		if !again.Duplicate || again.Turn != first.Turn || again.Seq != first.Seq {
			t.Fatalf("receipt of a duplicate %+v, first %+v", again, first)
		}
	}
	accept(t, run, say("k", "2", "b"))
	accept(t, run, say("k", "1", "a"))
	accept(t, run, say("k", "3", "bye"))
	if got, want := r.channel.replies(t, "k", 3), answers("a", "b", "bye"); !slices.Equal(got, want) {
		t.Fatalf("replies %q, want %q", got, want)
	}
}

func TestMessagesOfAConversationAreAnsweredInOrderWhileOthersRun(t *testing.T) {
	const keys, messages = 20, 15
	r := newRig(t)
	run, _ := r.start(makePack(t, "t.chain", map[string]string{"main": chain}, nil))
	var texts []string
	for i := range messages {
		texts = append(texts, fmt.Sprint("m", i))
	}
	var all sync.WaitGroup
	for k := range keys {
		for range 2 { // two connections send the same messages, each in order
			all.Go(func() {
				for i, text := range texts {
					if _, err := run.Accept(t.Context(), say(fmt.Sprint("k", k), fmt.Sprint(i), text)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	for k := range keys {
		if got, want := r.channel.replies(t, fmt.Sprint("k", k), messages), answers(texts...); !slices.Equal(got, want) {
			t.Errorf("conversation %d: %q, want %q", k, got, want)
		}
	}
}

// gate blocks the first call at a crash point until it is opened.
type gate struct {
	point   string
	reached chan struct{}
	open    chan struct{}
	shut    atomic.Bool
}

func newGate(point string) *gate {
	return &gate{point: point, reached: make(chan struct{}), open: make(chan struct{})}
}

func (g *gate) pass(point string) {
	if point == g.point && g.shut.CompareAndSwap(false, true) {
		close(g.reached)
		<-g.open
	}
}

func TestASlowConversationDoesNotHoldOthersUp(t *testing.T) {
	r, g := newRig(t), newGate("before_commit")
	r.options.Crash = g.pass
	run, _ := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	accept(t, run, say("slow", "1", "a"))
	<-g.reached
	accept(t, run, say("slow", "2", "b"))
	accept(t, run, say("fast", "1", "c"))
	r.channel.replies(t, "fast", 1)
	close(g.open)
	if got := r.channel.replies(t, "slow", 2); !slices.Equal(got, []string{"you said a", "you said b"}) {
		t.Fatalf("replies %q", got)
	}
}

func TestDrainFinishesTheRunningTurnAndKeepsTheRest(t *testing.T) {
	r, g := newSQLiteRig(t), newGate("before_commit")
	r.options.Crash = g.pass
	pack := makePack(t, "t.chain", map[string]string{"main": chain}, nil)
	run, _ := r.start(pack)
	accept(t, run, say("k", "1", "a"))
	<-g.reached
	accept(t, run, say("k", "2", "b"))
	late := make(chan error, 1)
	go func() {
		_, err := run.Turn(t.Context(), say("k", "3", "c"))
		late <- err
	}()
	drained := make(chan error)
	go func() { drained <- run.Drain(context.Background()) }()
	for {
		_, err := run.Accept(t.Context(), say("other", fmt.Sprint(r.ids.Add(1)), "c"))
		if fault.Is(err, fault.Unavailable) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Turn(t.Context(), say("k", "9", "c")); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a turn during drain: %v", err)
	}
	select {
	case err := <-drained:
		t.Fatalf("drained while a turn ran: %v", err)
	default:
	}
	close(g.open)
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	if err := <-late; !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a turn that did not run any more: %v", err)
	}
	r.reopen()
	r.start(pack)
	if got, want := r.channel.replies(t, "k", 2)[:2], answers("a", "b"); !slices.Equal(got, want) {
		t.Fatalf("replies %q, want %q", got, want)
	}
}

func TestDrainInterruptsWhatDoesNotFinishInTime(t *testing.T) {
	r := newRig(t)
	r.channel.fail = func(queue.Outgoing, int) error { return fault.New(fault.Unavailable, "channel", "down") }
	r.options.Backoff, r.options.Attempts = time.Hour, 100
	run, _ := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	accept(t, run, say("k", "1", "a"))
	for {
		r.channel.mu.Lock()
		tried := len(r.channel.tries)
		r.channel.mu.Unlock()
		if tried > 0 {
			break
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := run.Drain(ctx); err != nil {
		t.Fatalf("a reply that waits for its next attempt held the drain up: %v", err)
	}
}

func TestForeignTriggersAreRefusedByName(t *testing.T) {
	r := newRig(t)
	run, _ := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	for name, spoil := range map[string]func(*greentic.Trigger){
		"tenant":  func(x *greentic.Trigger) { x.Tenant.Tenant = "a/b" },
		"no id":   func(x *greentic.Trigger) { x.ID = "" },
		"long id": func(x *greentic.Trigger) { x.ID = strings.Repeat("i", 10_000) },
		"no key":  func(x *greentic.Trigger) { x.Key = "" },
		"route":   func(x *greentic.Trigger) { x.Route = "../x" },
		"body":    func(x *greentic.Trigger) { x.Body = []byte("{") },
	} {
		trigger := say("k", "1", "a")
		spoil(&trigger)
		if _, err := run.Accept(t.Context(), trigger); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left := r.left(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNothingIsLeftBehindWhenAllIsAnswered(t *testing.T) {
	r := newRig(t)
	run, stop := r.start(makePack(t, "t.chain", map[string]string{"main": chain}, nil))
	for i, text := range []string{"a", "b", "bye"} {
		accept(t, run, say("k", fmt.Sprint(i), text))
	}
	r.channel.replies(t, "k", 3)
	stop()
	err := errors.Join(
		r.db.View(t.Context(), greentic.DefaultTenant(), func(x kv.Reader) error {
			return x.Scan("", "", 0, func(key string, _ []byte) bool {
				if !strings.HasPrefix(key, "seen/") && !strings.HasPrefix(key, "state/") && !strings.HasPrefix(key, "lane/") && !strings.HasPrefix(key, "turn/") && !strings.HasPrefix(key, "record/") {
					t.Errorf("left behind: %q", key)
				}
				return true
			})
		}),
		r.db.System(t.Context(), func(x kv.Txn) error {
			return x.Scan("", "", 0, func(key string, _ []byte) bool {
				if key != "news" && !strings.HasPrefix(key, "lease/") {
					t.Errorf("left in the index: %q", key)
				}
				return true
			})
		}))
	if err != nil {
		t.Fatal(err)
	}
}
