package runner_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
)

// slowLook is a store in which the first look for what waits in the outboxes takes until it is let.
type slowLook struct {
	kv.DB
	once    sync.Once
	looking chan struct{}
	let     chan struct{}
}

func (s *slowLook) System(ctx context.Context, fn func(kv.Txn) error) error {
	looked := false
	err := s.DB.System(ctx, func(x kv.Txn) error { return fn(looker{x, &looked}) })
	if looked {
		s.once.Do(func() {
			close(s.looking)
			<-s.let
		})
	}
	return err
}

type looker struct {
	kv.Txn
	looked *bool
}

func (l looker) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	*l.looked = *l.looked || strings.HasPrefix(from, "out/")
	return l.Txn.Scan(from, to, limit, fn)
}

// A runner takes over the shards of one that died with a reply under way. A message that comes
// while it has not yet looked for what waits there is answered after that reply.
func TestWhatADeadRunnerLeftIsDeliveredBeforeWhatComesLater(t *testing.T) {
	r := newRig(t)
	dead := shard.New(r.db, shard.Options{Name: "dead", TTL: 50 * time.Millisecond})
	if _, err := dead.Tick(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	old := say("k", "1", "old")
	err := r.db.Update(t.Context(), old.Tenant, func(x kv.Txn) error {
		e, _, err := queue.Accept(x, old, "turn-old", time.Now())
		if err != nil {
			return err
		}
		if err := queue.Consume(x, e); err != nil {
			return err
		}
		return queue.Send(x, queue.Parcel{Turn: e.Turn, Seq: e.Seq, Made: time.Now(), Key: "k", Tenant: old.Tenant, Route: "test", Items: []queue.Item{{Reply: &greentic.Reply{Text: "the old answer"}}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowLook{DB: r.db, looking: make(chan struct{}), let: make(chan struct{})}
	r.options.Poll = time.Hour
	r.shards = shard.New(slow, shard.Options{Name: "next", TTL: 50 * time.Millisecond})
	r.db = slow
	next, _ := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	defer sync.OnceFunc(func() { close(slow.let) })()
	select {
	case <-slow.looking: // the shards are its own now
	case <-time.After(20 * time.Second):
		t.Fatal("the shards are not taken over")
	}
	accept(t, next, say("k", "2", "new"))
	if got := r.channel.replies(t, "k", 2); !slices.Equal(got, []string{"the old answer", "you said new"}) {
		t.Errorf("%q", got)
	}
}
