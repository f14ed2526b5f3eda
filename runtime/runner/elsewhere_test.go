package runner_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/runtime/loader"
)

// heard is a log that says when a line with a text was written.
type heard struct {
	text string
	once sync.Once
	yes  chan struct{}
}

func (h *heard) Write(line []byte) (int, error) {
	if strings.Contains(string(line), h.text) {
		h.once.Do(func() { close(h.yes) })
	}
	return len(line), nil
}

// A session began on a process that had another pack. The process that got its conversation does
// not have it: the message is no failure, it waits, and is answered once the pack is there.
func TestATurnWaitsForAReleaseThatOnlyAnotherProcessHas(t *testing.T) {
	r := newRig(t)
	old, other := makePack(t, "t.chain", map[string]string{"main": chain}, nil), makePack(t, "t.echo", map[string]string{"main": echo}, nil)
	first, stop := r.start(old)
	accept(t, first, say("k", "1", "one"))
	r.channel.replies(t, "k", 1)
	stop()

	log := &heard{text: "neither served nor kept", yes: make(chan struct{})}
	r.log, r.store = log, loader.NewStore(filepath.Join(t.TempDir(), "packs"))
	r.shards = shard.New(r.db, shard.Options{Name: "second"})
	second, _ := r.start(other)
	accept(t, second, say("k", "2", "two"))
	accept(t, second, say("k2", "1", "hello"))
	select {
	case <-log.yes:
	case <-time.After(20 * time.Second):
		t.Fatal("the process does not say what it waits for")
	}
	if got := r.channel.replies(t, "k2", 1); got[0] != "you said hello" {
		t.Errorf("the conversation beside it: %q", got)
	}
	err := r.db.View(t.Context(), greentic.DefaultTenant(), func(x kv.Reader) error {
		letters, err := queue.Letters(x, "", 0)
		if len(letters) != 0 {
			t.Errorf("dead letters: %+v", letters)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.Keep(context.Background(), old); err != nil {
		t.Fatal(err)
	}
	if got := r.channel.replies(t, "k", 2); !slices.Equal(got, answers("one", "two")) {
		t.Errorf("%q", got)
	}
}
