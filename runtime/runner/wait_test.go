package runner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/model/pack"
)

// asking waits ten minutes for an answer.
const asking = `
start: ask
nodes:
  ask:
    emit.response: { text: "are you there, {{response.text}}?" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: answer, timeout: 10m, on_timeout: late }
    routing: [{ to: thanks }]
  thanks:
    emit.response: { text: "thanks for {{response.text}}" }
    routing: out
  late:
    emit.response: { text: "too late" }
    routing: out
`

// told is what a conversation was told so far.
func (c *channel) told(key string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.sent[key], "; ")
}

func (f *fleet) say(m *member, key, id, text string) {
	f.t.Helper()
	if _, err := m.Accept(context.Background(), say(key, id, text)); err != nil {
		f.t.Fatal(err)
	}
}

// A wait that nobody ends goes on by itself: once, in its conversation, whichever of two runners
// has it, also when none ran for a while.
func TestAWaitTimesOutOnceAndTheConversationIsTold(t *testing.T) {
	made := makePack(t, "t.report", map[string]string{"main": asking}, nil)
	for name, outage := range map[string]time.Duration{"while two run": 0, "while one leaves": -1, "after an outage": time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t)
			a, b := f.join(nil, made), f.join(nil, made)
			time.Sleep(time.Minute) // the shards are shared out
			for n := range 12 {
				f.say(a, fmt.Sprint("k", n), "1", "Anna")
			}
			time.Sleep(3 * time.Second) // each is where it belongs
			switch {
			case outage < 0:
				a.leave()
				time.Sleep(605 * time.Second)
			case outage > 0:
				a.leave()
				b.leave()
				time.Sleep(outage)
				b = f.join(nil, made)
				time.Sleep(10 * time.Second)
			default:
				time.Sleep(596 * time.Second)
				if got := f.channel.told("k0"); got != "are you there, Anna?" {
					t.Errorf("%s, before the time: %s", name, got)
				}
				time.Sleep(6 * time.Second)
			}
			for n := range 12 {
				if got := f.channel.told(fmt.Sprint("k", n)); got != "are you there, Anna?; too late" {
					t.Errorf("%s: %s", name, got)
				}
			}
			if left := f.keys("session/"); len(left) > 0 {
				t.Errorf("%s: left %v", name, left)
			}
			if outage >= 0 {
				a.leave()
			}
			b.leave()
		})
	}
}

// An answer that comes about when the wait ends: either it is in time and the end is forgotten, or
// it is late and begins anew. Never both, never neither.
func TestAnAnswerAndTheEndOfItsWaitNeverBothCount(t *testing.T) {
	made := makePack(t, "t.report", map[string]string{"main": asking}, nil)
	var mu sync.Mutex
	seen := map[string]int{}
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b := f.join(nil, made), f.join(nil, made)
		time.Sleep(time.Minute)
		const keys = 150
		var all sync.WaitGroup
		for n := range keys {
			all.Go(func() {
				key := fmt.Sprint("k", n)
				f.say(a, key, "1", "Anna")
				time.Sleep(10*time.Minute + time.Duration(n%5-2)*time.Millisecond)
				f.say([]*member{a, b}[n%2], key, "2", "Ben")
			})
		}
		all.Wait()
		time.Sleep(time.Minute) // some shards may be changing hands just now
		for n := range keys {
			got := f.channel.told(fmt.Sprint("k", n))
			mu.Lock()
			seen[got]++
			mu.Unlock()
		}
		time.Sleep(15 * time.Minute)
		a.leave()
		b.leave()
		if list := letters(t, f.rig); len(list) > 0 {
			t.Errorf("dead letters: %+v", list[0])
		}
	})
	for got := range seen {
		if got != "are you there, Anna?; thanks for Ben" && got != "are you there, Anna?; too late; are you there, Ben?" {
			t.Errorf("%d conversations were told: %s", seen[got], got)
		}
	}
	if len(seen) < 2 {
		t.Errorf("the race had one outcome only: %v", seen)
	}
}

// An answer that no route takes waits again, for the whole time.
func TestAnAnswerPutsTheEndOfTheWaitOff(t *testing.T) {
	made := makePack(t, "t.report", map[string]string{"main": strings.Replace(asking, "routing: [{ to: thanks }]", "routing:\n      - { condition: 'response.text == \"yes\"', to: thanks }", 1)}, nil)
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a := f.join(nil, made)
		f.say(a, "k", "1", "Anna")
		time.Sleep(9 * time.Minute)
		f.say(a, "k", "2", "maybe")
		time.Sleep(9 * time.Minute)
		if got := f.channel.told("k"); got != "are you there, Anna?" {
			t.Errorf("after 18 minutes: %s", got)
		}
		time.Sleep(70 * time.Second)
		if got := f.channel.told("k"); got != "are you there, Anna?; too late" {
			t.Errorf("after 19 minutes: %s", got)
		}
		a.leave()
	})
}

// A flow that an event started may wait too: for its time, or the next event of its subject.
func TestAFlowThatAnEventStartedWaitsForTheNextEventOfItsSubject(t *testing.T) {
	const paid = `
start: pause
nodes:
  pause:
    session.wait: { reason: payment, timeout: 10m, on_timeout: late }
    routing: [{ to: done }]
  done:
    emit.event: { topic: order.done, subject: "{{entry.payload.n}} {{input.payload.n}}" }
    routing: out
  late:
    emit.event: { topic: order.late, subject: "{{entry.payload.n}} late" }
    routing: out
`
	made := makePack(t, "t.report", map[string]string{"main": paid}, nil)
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a := f.join(nil, made)
		happens := func(id, key string, n int) {
			_, err := a.Accept(context.Background(), greentic.Trigger{ID: id, Tenant: greentic.DefaultTenant(), Kind: greentic.KindEvent, Route: "event", Key: key,
				Pack: "t.report", Flow: "main", Body: fmt.Appendf(nil, `{"payload":{"n":%d}}`, n)})
			if err != nil {
				t.Fatal(err)
			}
		}
		happens("1", "anna", 1)
		happens("2", "ben", 2)
		time.Sleep(time.Minute)
		if n := len(f.keys("session/")); n != 2 {
			t.Errorf("%d sessions wait", n)
		}
		happens("3", "anna", 3)
		happens("3", "anna", 3)
		time.Sleep(10 * time.Minute)
		if got := f.wire.subjects(); !slices.Equal(got, []string{"1 3", "2 late"}) {
			t.Errorf("emitted %q", got)
		}
		if left := f.keys("session/"); len(left) > 0 {
			t.Errorf("left %v", left)
		}
		a.leave()
	})
}

// A flow that an event starts and that fails lies in the dead letters, says nothing, emits nothing
// and holds nobody up.
func TestAFailingEventFlowIsADeadLetterWithoutAnApology(t *testing.T) {
	const failing = `
start: tell
nodes:
  tell:
    emit.event: { topic: report.made, subject: "{{entry.input.id}}" }
    routing:
      - condition: input.input.payload.bad == true
        to: circle
      - out: true
  circle:
    emit.log: { again: true }
    routing: [{ to: circle }]
`
	made := makePack(t, "t.report", map[string]string{"main": failing}, nil)
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		bad := schedule("*/2 * * * *", "all")
		bad.Input = []byte(`{"bad":true}`)
		good := schedule("*/2 * * * *", "all")
		good.ID = "good"
		a := f.join([]pack.Schedule{bad, good}, made)
		time.Sleep(5 * time.Minute)
		a.leave()
		if got := f.wire.subjects(); !slices.Equal(got, []string{"t.report/good/2000-01-01T00:02:00Z", "t.report/good/2000-01-01T00:04:00Z"}) {
			t.Errorf("emitted %q", got)
		}
		list := letters(t, f.rig)
		if len(list) != 2 || list[0].Kind != "turn" || list[0].Code != "step_limit" || list[0].Entry == nil || list[0].Entry.Trigger.ID != "t.report/s/2000-01-01T00:02:00Z" {
			t.Errorf("dead letters %+v", list)
		}
		if len(f.channel.tries) > 0 {
			t.Errorf("said %v", f.channel.tries)
		}
	})
}
