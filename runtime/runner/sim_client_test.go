package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// message is what one client sends until it has a receipt.
type message struct {
	trigger greentic.Trigger
	text    string // empty: poisoned
	receipt greentic.Receipt
}

// say plans a message of a conversation. Several are on their way at the same time, each is
// sent again until it is acknowledged, and sometimes after that.
func (w *world) say(tenant greentic.TenantCtx, key string, i int, start time.Duration) {
	s := w.sim
	text := fmt.Sprint([]string{"a", "b", "c", "bye", "retry", "event", "undeliverable", "act", "act"}[s.rng.IntN(9)], i)
	if s.chance(5) {
		text = ""
	}
	w.client(tenant, key, i, text, start)
}

// client sends a message.
func (w *world) client(tenant greentic.TenantCtx, key string, i int, text string, start time.Duration) {
	s := w.sim
	id, m := fmt.Sprint("m", i), &message{text: text}
	body, _ := json.Marshal(greentic.Message{ID: id, Channel: "test", Conversation: key, From: &greentic.Actor{ID: "user"}, Text: m.text})
	if text == "" {
		body = []byte("[1, 2]")
	}
	m.trigger = greentic.Trigger{ID: key + "/" + id, Tenant: tenant, Kind: greentic.KindMessage, Route: "test", Key: key, Body: body}
	w.messages = append(w.messages, m)
	w.waiting++
	s.spawn(nil, "client", func() {
		s.park(nil, "client", start)
		for !w.send(m) && !w.over {
			s.park(nil, "client waits", s.between(50*time.Millisecond, 800*time.Millisecond))
		}
		w.waiting--
		for s.chance(25) && time.Since(epoch) < simMixed && !w.over { // the network repeats it
			s.park(nil, "client repeats", s.between(0, 6*time.Second))
			w.send(m)
		}
	})
}

// send sends a message once and says whether its receipt has come.
func (w *world) send(m *message) bool {
	s := w.sim
	if len(w.procs) == 0 || w.over {
		return false
	}
	p := w.procs[s.rng.IntN(len(w.procs))]
	s.note(p, "%s sent", m.trigger.ID)
	if w.mutant.unaccepted && s.chance(10) && m.receipt.Turn == "" {
		m.receipt = greentic.Receipt{ID: m.trigger.ID, Turn: "none", Seq: 1}
		return true
	}
	if w.turns && s.chance(30) {
		// Not when the runner looks whether another one has run it: which comes first is chance.
		ctx, cancel := context.WithTimeout(context.Background(), 5333*time.Millisecond)
		result, err := p.run.Turn(ctx, m.trigger)
		cancel()
		s.park(nil, m.trigger.ID+" answered", 0) // several may be at once: names give them an order
		if err == nil && !p.dead {
			texts := []string{}
			for _, r := range result.Replies {
				texts = append(texts, r.Text)
			}
			w.told[result.Turn] = texts
		}
		return false // its place in the queue is not told: ask again
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	receipt, err := p.run.Accept(ctx, m.trigger)
	cancel()
	s.park(nil, m.trigger.ID+" answered", 0) // several may be at once: names give them an order
	if p.dead {
		return false
	}
	if err != nil {
		if k := fault.KindOf(err); k != fault.Unavailable && k != fault.Timeout && k != fault.Conflict {
			w.report(fmt.Errorf("%s is refused: %w", m.trigger.ID, err))
		}
		return false
	}
	receipt.Duplicate = false
	if m.receipt.Turn != "" && m.receipt != receipt {
		w.report(fmt.Errorf("%s has receipt %+v and then %+v", m.trigger.ID, m.receipt, receipt))
	}
	s.note(nil, "%s is %s, number %d", m.trigger.ID, receipt.Turn, receipt.Seq)
	m.receipt = receipt
	return true
}
