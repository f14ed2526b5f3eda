package runner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
)

// check compares what is stored and what has arrived with what was sent.
func (w *world) check() {
	if left := w.left(); len(left) > 0 || w.waiting > 0 {
		w.report(fmt.Errorf("it does not come to rest: %d clients wait, left %q", w.waiting, left))
		return
	}
	conversations := map[sinkKey][]*message{}
	for _, m := range w.messages {
		k := sinkKey{string(m.trigger.Tenant.Tenant), m.trigger.Key, ""}
		conversations[k] = append(conversations[k], m)
	}
	for k, list := range conversations {
		w.conversation(list[0].trigger.Tenant, k, list)
	}
}

// conversation checks one conversation: the turns against the messages, the replies against the
// turns, what has arrived against the replies.
func (w *world) conversation(tenant greentic.TenantCtx, k sinkKey, messages []*message) {
	var turns []record.Turn
	letters := map[string]bool{}
	err := w.db.View(context.Background(), tenant, func(x kv.Reader) error {
		list, err := queue.Letters(x, "", 0)
		for _, l := range list {
			letters[l.Kind+" "+l.ID] = true
		}
		if err != nil {
			return err
		}
		return record.List(x, k.key, 0, 0, func(t record.Turn) bool { turns = append(turns, t); return true })
	})
	if err != nil {
		w.report(err)
		return
	}
	told := map[string]record.Turn{}
	for _, t := range turns {
		told[t.ID] = t
	}
	for _, m := range messages {
		t, ok := told[m.receipt.Turn]
		if !ok || t.Seq != m.receipt.Seq || t.Trigger.ID != m.trigger.ID {
			w.report(fmt.Errorf("%s %s: acknowledged as %+v, no such turn has run", k.tenant, m.trigger.ID, m.receipt))
		}
	}
	byID := map[string]*message{}
	for _, m := range messages {
		byID[m.trigger.ID] = m
	}
	var c talk
	var replies, events []arrived
	for n, t := range turns {
		m := byID[t.Trigger.ID]
		if m == nil && t.Trigger.Kind != greentic.KindTimer {
			w.report(fmt.Errorf("%s %s: a second turn %s", k.key, t.Trigger.ID, t.ID))
			continue
		}
		delete(byID, t.Trigger.ID)
		want := c.next(m, t.ID)
		var got []string
		for i, r := range t.Replies {
			got = append(got, r.Text)
			id := fmt.Sprintf("%s-%d", t.ID, i)
			if strings.Contains(r.Text, "undeliverable") && !strings.HasPrefix(r.Text, "Something") {
				w.letter(letters, "reply "+id)
				continue
			}
			replies = append(replies, arrived{id: id, text: r.Text})
		}
		for i, e := range t.Events {
			id := fmt.Sprintf("%s-%d", t.ID, len(t.Replies)+i)
			events = append(events, arrived{id: id, text: string(e.Payload)})
		}
		if !slices.Equal(got, want) {
			w.report(fmt.Errorf("%s %s %s answers %q, want %q", k.tenant, k.key, t.ID, got, want))
		}
		if said, ok := w.told[t.ID]; ok && !slices.Equal(said, want) {
			w.report(fmt.Errorf("%s: the client was told %q, want %q", t.ID, said, want))
		}
		if w.peaceful && m == nil && n > 0 {
			due := turns[n-1].Began.Add(turns[n-1].Took + simWait)
			if late := t.Began.Sub(due); late < -time.Microsecond || late > time.Second {
				w.report(fmt.Errorf("%s %s: the wait ends %v after its time", k.key, t.ID, late))
			}
		}
		if m != nil && m.text == "" {
			w.letter(letters, "turn "+t.ID)
		}
		if strings.HasPrefix(textOf(m), "act") {
			w.acted("/"+k.key+"/"+m.text, t)
		}
		if strings.HasPrefix(textOf(m), "event") != (len(t.Events) == 1) {
			w.report(fmt.Errorf("%s publishes %d events", t.ID, len(t.Events)))
		}
	}
	w.arrivals(sinkKey{k.tenant, k.key, "test"}, replies)
	w.arrivals(sinkKey{k.tenant, k.key, runner.BusRoute}, events)
	for l := range letters {
		for id := range told {
			if l == "turn "+id || strings.HasPrefix(l, "reply "+id+"-") || strings.HasPrefix(l, "event "+id+"-") {
				w.report(fmt.Errorf("a dead letter nobody expects: %s", l))
			}
		}
	}
}

// acted checks the calls that a turn made: one key, and after its checkpoint no call any more.
func (w *world) acted(path string, t record.Turn) {
	keys := w.outside.keys[path]
	distinct := slices.Compact(slices.Sorted(slices.Values(keys)))
	if len(distinct) != 1 || !strings.HasPrefix(distinct[0], t.ID+"/") {
		w.report(fmt.Errorf("%s: %s was called with the keys %q", t.ID, path, keys))
	}
	w.again += len(keys) - 1
	if w.peaceful && len(keys) != 1 {
		w.report(fmt.Errorf("%s: nothing went wrong, and %s was called %d times", t.ID, path, len(keys)))
	}
}

func textOf(m *message) string {
	if m == nil {
		return ""
	}
	return m.text
}

// letter expects a dead letter.
func (w *world) letter(letters map[string]bool, name string) {
	if !letters[name] {
		w.report(fmt.Errorf("there is no dead letter %s", name))
	}
	delete(letters, name)
}

func (w *world) arrivals(k sinkKey, want []arrived) {
	var a, b []string
	for _, x := range w.sink.order[k] {
		a = append(a, x.id+": "+x.text)
	}
	for _, x := range want {
		b = append(b, x.id+": "+x.text)
	}
	if !slices.Equal(a, b) {
		w.report(fmt.Errorf("%v: arrived\n  %s\nwant\n  %s", k, strings.Join(a, "\n  "), strings.Join(b, "\n  ")))
	}
}

// talk is what a conversation is by simFlow.
type talk struct {
	open bool
	last string
}

// next is what turn answers to m, nil for the end of a wait.
func (c *talk) next(m *message, turn string) []string {
	switch {
	case m == nil && !c.open:
		return []string{"no session waits"}
	case m == nil:
		said := "timeout after " + c.last
		c.open, c.last = false, "timeout"
		return []string{said}
	case m.text == "":
		c.open = false
		return []string{"Something went wrong on our side. Please try again; if it happens again, mention reference " + turn + "."}
	}
	said := []string{m.text + " after " + c.last}
	if !c.open {
		said[0] = "new " + said[0]
	}
	if strings.HasPrefix(m.text, "retry") {
		said = append(said, "no "+m.text)
	}
	if strings.HasPrefix(m.text, "act") {
		said = append(said, "did "+m.text)
	}
	c.open, c.last = !strings.HasPrefix(m.text, "bye"), m.text
	return said
}
