package runner_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestAReplyIsTriedAgainBeforeLaterOnes(t *testing.T) {
	r := newRig(t)
	r.channel.fail = func(o queue.Outgoing, n int) error {
		if o.Reply.Text == "you said a" && n < 3 {
			return fault.New(fault.Unavailable, "channel", "try later")
		}
		return nil
	}
	run, _ := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	for _, text := range []string{"a", "b", "c"} {
		accept(t, run, say("k", text, text))
	}
	if got := r.channel.replies(t, "k", 3); !slices.Equal(got, []string{"you said a", "you said b", "you said c"}) {
		t.Fatalf("replies %q", got)
	}
	if n := len(r.channel.tries); n != 6 {
		t.Errorf("%d attempts, want 4 + 1 + 1: %q", n, r.channel.tries)
	}
}

func letters(t *testing.T, r *rig) (list []queue.Letter) {
	t.Helper()
	err := r.db.View(t.Context(), greentic.DefaultTenant(), func(x kv.Reader) (err error) {
		list, err = queue.Letters(x, "", 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAReplyThatCannotArriveIsBuriedAndTheNextFollows(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		tries int
	}{
		"nobody there":    {fault.New(fault.NotFound, "channel", "no such conversation"), 1},
		"down for good":   {fault.New(fault.Unavailable, "channel", "down"), 4},
		"a foreign error": {fmt.Errorf("boom"), 4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.options.Attempts = 4
			r.channel.fail = func(o queue.Outgoing, _ int) error {
				if o.Reply.Text == "you said a" {
					return c.err
				}
				return nil
			}
			run, stop := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
			accept(t, run, say("k", "1", "a"))
			accept(t, run, say("k", "2", "b"))
			if got := r.channel.replies(t, "k", 1); !slices.Equal(got, []string{"you said b"}) {
				t.Fatalf("replies %q", got)
			}
			stop()
			list := letters(t, r)
			if len(list) != 1 || list[0].Reason != c.err.Error() || list[0].Parcel.Outgoing(0).Reply.Text != "you said a" || list[0].Parcel.Attempts != c.tries || list[0].Kind != "reply" {
				t.Errorf("dead letters %+v", list)
			}
			if n := len(r.channel.tries); n != c.tries+1 {
				t.Errorf("%d attempts, want %d", n, c.tries+1)
			}
		})
	}
}

func TestAChannelThatIsDownForOneHoldsNobodyElseUp(t *testing.T) {
	r := newRig(t)
	r.options.Workers, r.options.Backoff = 1, time.Hour
	r.channel.fail = func(o queue.Outgoing, _ int) error {
		if o.Key == "down" {
			return fault.New(fault.Unavailable, "channel", "down")
		}
		return nil
	}
	run, _ := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	accept(t, run, say("down", "1", "a"))
	accept(t, run, say("up", "1", "b"))
	r.channel.replies(t, "up", 1)
	accept(t, run, say("up", "2", "c"))
	r.channel.replies(t, "up", 2)
}

// hanging never answers for one conversation.
type hanging struct{ *channel }

func (h hanging) Deliver(ctx context.Context, o queue.Outgoing) error {
	if o.Key == "hangs" {
		<-ctx.Done()
		return fault.Wrap("channel", ctx.Err())
	}
	return h.channel.Deliver(ctx, o)
}

func TestAConnectorThatHangsIsGivenUp(t *testing.T) {
	r := newRig(t)
	r.options.Workers, r.options.SendTime, r.options.Attempts = 1, 10*time.Millisecond, 2
	r.deliverer = hanging{r.channel}
	run, stop := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	accept(t, run, say("hangs", "1", "a"))
	accept(t, run, say("k", "1", "b"))
	r.channel.replies(t, "k", 1)
	for len(letters(t, r)) == 0 {
		accept(t, run, say("k", fmt.Sprint(r.ids.Add(1)), "c"))
	}
	stop()
	if list := letters(t, r); list[0].Parcel.Key != "hangs" || list[0].Parcel.Attempts != 2 {
		t.Errorf("dead letters %+v", list)
	}
}

func TestAPanickingConnectorHurtsOnlyItsReply(t *testing.T) {
	r := newRig(t)
	r.options.Attempts = 2
	r.channel.fail = func(o queue.Outgoing, _ int) error {
		if o.Reply.Text == "you said a" {
			panic("connector bug")
		}
		return nil
	}
	run, stop := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	accept(t, run, say("k", "1", "a"))
	accept(t, run, say("k", "2", "b"))
	r.channel.replies(t, "k", 1)
	stop()
	if list := letters(t, r); len(list) != 1 {
		t.Errorf("dead letters %+v", list)
	}
}

func TestAttemptsAreCountedAcrossRestarts(t *testing.T) {
	r := newSQLiteRig(t)
	r.options.Attempts, r.options.Backoff = 3, time.Hour
	r.channel.fail = func(queue.Outgoing, int) error { return fault.New(fault.Unavailable, "channel", "down") }
	pack := makePack(t, "t.echo", map[string]string{"main": echo}, nil)
	run, stop := r.start(pack)
	accept(t, run, say("k", "1", "a"))
	for n := 1; n <= 3; n++ {
		for tried := 0; tried < n; {
			r.channel.mu.Lock()
			tried = len(r.channel.tries)
			r.channel.mu.Unlock()
		}
		stop()
		r.reopen()
		_, stop = r.start(pack)
	}
	stop()
	if list := letters(t, r); len(list) != 1 || len(r.channel.tries) != 3 {
		t.Errorf("%d attempts, dead letters %+v", len(r.channel.tries), list)
	}
}
