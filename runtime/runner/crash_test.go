package runner_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/loader"
)

// dying is a store whose process dies at a write: before it, or after it (late) when nobody
// learns that it succeeded. From then on everything fails.
type dying struct {
	kv.DB
	late bool

	mu   sync.Mutex
	at   int // the write to die at, 1 is the next; 0 dies only when told
	dead chan struct{}
}

var errDead = fault.New(fault.Unavailable, "kv", "the process is dead")

func (d *dying) die() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.isDead() {
		close(d.dead)
	}
}

func (d *dying) isDead() bool {
	select {
	case <-d.dead:
		return true
	default:
		return false
	}
}

func (d *dying) write(do func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.isDead():
		return errDead
	case d.at != 1:
		d.at = max(d.at-1, 0)
		return do()
	case d.late:
		_ = do()
	}
	close(d.dead)
	return errDead
}

func (d *dying) Update(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Txn) error) error {
	return d.write(func() error { return d.DB.Update(ctx, tenant, fn) })
}

func (d *dying) System(ctx context.Context, fn func(kv.Txn) error) error {
	return d.write(func() error { return d.DB.System(ctx, fn) })
}

func (d *dying) View(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Reader) error) error {
	if d.isDead() {
		return errDead
	}
	return d.DB.View(ctx, tenant, fn)
}

// crash lets a runner take messages until its store dies, and ends it without a chance to
// clean up. It returns the messages that were not acknowledged.
func (r *rig) crash(pack *loader.Verified, at int, late bool, messages []greentic.Trigger) (left []greentic.Trigger, died bool) {
	r.t.Helper()
	d := &dying{DB: r.db, late: late, at: at, dead: make(chan struct{})}
	run := r.newRunner(d, pack)
	if err := run.Start(context.Background()); err != nil {
		return messages, true
	}
	defer func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = run.Drain(now)
	}()
	left = messages
	for len(left) > 0 {
		if _, err := run.Accept(context.Background(), left[0]); err != nil {
			break
		}
		left = left[1:]
	}
	all := make(chan struct{})
	go func() {
		defer close(all)
		if len(left) == 0 {
			r.channel.wait(d.dead, messages[0].Key, len(messages))
		}
	}()
	select {
	case <-d.dead:
		<-all
		return left, true
	case <-all:
		if len(left) > 0 {
			return left, true
		}
		return left, false
	}
}

// wait waits until a key has n replies, or for end.
func (c *channel) wait(end <-chan struct{}, key string, n int) {
	for {
		c.mu.Lock()
		got, grew := len(c.sent[key]), c.grew
		c.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-grew:
		case <-end:
			return
		}
	}
}

// TestEveryMessageIsAnsweredOnceInOrderWhereverTheProcessDies kills the process at every write
// of a conversation, before and after the write, restarts, and lets the client send again what
// was not acknowledged.
func TestEveryMessageIsAnsweredOnceInOrderWhereverTheProcessDies(t *testing.T) {
	said := []string{"a", "b", "c", "d", "bye", "e"}
	var messages []greentic.Trigger
	for i, text := range said {
		messages = append(messages, say("k", fmt.Sprint(i), text))
	}
	pack := makePack(t, "t.chain", map[string]string{"main": chain}, nil)
	for name, open := range map[string]func(testing.TB) *rig{"memory": newRig, "sqlite": newSQLiteRig} {
		for _, late := range []bool{false, true} {
			for at, died := 1, true; died; at++ {
				r := open(t)
				var left []greentic.Trigger
				left, died = r.crash(pack, at, late, messages)
				r.reopen()
				run, stop := r.start(pack)
				for _, m := range left {
					accept(t, run, m)
				}
				if got, want := r.channel.replies(t, "k", len(said)), answers(said...); !slices.Equal(got, want) {
					t.Fatalf("%s, death at write %d (late %v): %q, want %q", name, at, late, got, want)
				}
				stop()
				if at > 100 {
					t.Fatal("the sweep does not end")
				}
				if at == 1 && !died {
					t.Fatal("nothing died")
				}
			}
		}
	}
}

// TestManyDeathsInARow restarts into the next death, over and over.
func TestManyDeathsInARow(t *testing.T) {
	var said []string
	var left []greentic.Trigger
	for i := range 30 {
		said = append(said, fmt.Sprint("m", i))
		left = append(left, say("k", fmt.Sprint(i), said[i]))
	}
	r := newSQLiteRig(t)
	pack := makePack(t, "t.chain", map[string]string{"main": chain}, nil)
	deaths := 0
	for at := 1; len(left) > 0; at = at%7 + 1 {
		n := min(len(left), 4)
		unsent, died := r.crash(pack, at, at%2 == 0, left[:n])
		left = left[n-len(unsent):]
		if died {
			deaths++
		}
		r.reopen()
		if at%4 == 3 { // a message that is first in line through many deaths is taken for their cause
			_, stop := r.start(pack)
			r.channel.replies(t, "k", len(said)-len(left))
			stop()
			r.reopen()
		}
	}
	_, stop := r.start(pack)
	defer stop()
	if got, want := r.channel.replies(t, "k", len(said)), answers(said...); !slices.Equal(got, want) {
		t.Fatalf("after %d deaths: %q, want %q", deaths, got, want)
	}
	if deaths < 5 {
		t.Errorf("only %d deaths", deaths)
	}
}
