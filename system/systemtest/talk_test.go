package systemtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"greentic.dev/greentic"
)

// talk is one conversation of a storm. What it does follows from the seed and its number alone.
type talk struct {
	storm  *storm
	n      int
	kind   string // chain, crowd, effect, timer, race, poison or webchat
	tenant greentic.TenantID
	key    string
	says   []say

	mu     sync.Mutex
	turns  map[string]string // by message id: the turn of the first receipt
	copies sync.WaitGroup
}

// say is a message of a talk.
type say struct {
	text  string
	twice bool          // a copy is sent beside it
	old   bool          // the message before it is sent once more
	delay time.Duration // of the copies
	pause time.Duration // after it
}

func newTalk(s *storm, n int) *talk {
	random := rand.New(rand.NewPCG(s.seed, uint64(n)<<8|1))
	kinds := strings.Fields("chain chain chain chain chain crowd crowd crowd effect effect effect effect timer timer race race poison poison webchat webchat")
	t := &talk{storm: s, n: n, kind: kinds[random.IntN(len(kinds))], turns: map[string]string{}}
	t.tenant = greentic.TenantID(fmt.Sprintf("tenant-%d", random.IntN(4)))
	t.key = fmt.Sprintf("%s-%d", t.kind, n)
	long := 8
	if t.flow() == "timer" {
		long = 2 // each takes a second
	}
	for i := range 2 + random.IntN(long) {
		m := say{fmt.Sprint(i), random.IntN(3) == 0, random.IntN(10) == 0, time.Duration(random.IntN(20)) * time.Millisecond, time.Duration(random.IntN(6)) * time.Millisecond}
		if t.kind == "poison" && random.IntN(3) == 0 {
			m.text = "boom"
		}
		if t.kind == "race" { // with the end of the wait
			m.pause = 970*time.Millisecond + 10*m.pause
		}
		t.says = append(t.says, m)
	}
	return t
}

func (t *talk) texts() []string {
	list := make([]string, len(t.says))
	for i, m := range t.says {
		list[i] = m.text
	}
	return list
}

func (t *talk) lane() string { return string(t.tenant) + "/" + t.key }

// flow is the flow that a kind of talk runs.
func (t *talk) flow() string {
	switch t.kind {
	case "crowd":
		return "chain"
	case "race":
		return "timer"
	}
	return t.kind
}

// hold holds the conversation and returns what was promised and is not so.
func (t *talk) hold() error {
	if t.kind == "webchat" {
		return t.chat()
	}
	defer t.copies.Wait()
	until := time.Now().Add(answerTime)
	replies := 0
	for i, m := range t.says {
		began := time.Now()
		if t.kind == "crowd" { // the order of arrival is not defined
			t.copies.Go(func() { t.storm.report(t.post(i, until)) })
		} else if err := t.post(i, until); err != nil {
			return err
		}
		if t.kind == "timer" { // waits for both answers
			replies += 2
			if _, err := t.storm.sink.await(t.lane(), replies, until); err != nil {
				return err
			}
			t.storm.waited(t, time.Since(began))
		}
		time.Sleep(m.pause)
	}
	t.copies.Wait()
	began := time.Now()
	got, err := t.storm.sink.await(t.lane(), len(t.says), until)
	for end := "late: armed " + t.says[len(t.says)-1].text; err == nil && t.flow() == "timer" && got[len(got)-1].Text != end; {
		got, err = t.storm.sink.await(t.lane(), len(got)+1, until) // the last wait ends, too
	}
	if err != nil {
		return err
	}
	t.storm.waited(t, time.Since(began))
	return nil
}

// post sends a message until it is acknowledged, now and then twice at the same time, and now and
// then an old one again.
func (t *talk) post(i int, until time.Time) error {
	m := t.says[i]
	again := func(i int) {
		t.copies.Go(func() {
			time.Sleep(m.delay)
			if err := t.send(i); errors.Is(err, errWrong) {
				t.storm.report(err)
			}
		})
	}
	if m.twice {
		again(i)
	}
	if m.old && i > 0 && t.kind != "crowd" {
		again(i - 1)
	}
	for {
		err := t.send(i)
		switch {
		case err == nil, errors.Is(err, errWrong):
			return err
		case time.Now().After(until), t.storm.failed():
			return fmt.Errorf("message %d of %s is not accepted: %w", i, t.lane(), err)
		}
		t.storm.settle()
	}
}

// errWrong marks an answer that must not be, whoever dies.
var errWrong = errors.New("a broken promise")

// send hands a message to some process once.
func (t *talk) send(i int) error {
	id := fmt.Sprint(i)
	body, err := json.Marshal(greentic.Message{ID: id, Channel: sinkRoute, Conversation: t.key, From: &greentic.Actor{ID: "user"}, Text: t.says[i].text})
	if err != nil {
		return err
	}
	trigger := greentic.Trigger{ID: t.key + "/" + id, Tenant: greentic.TenantCtx{Env: "local", Tenant: t.tenant, Locale: "en"}, Kind: greentic.KindMessage,
		Route: sinkRoute, Key: t.key, Body: body, Header: map[string]string{"message": id}, Flow: t.flow()}
	raw, err := json.Marshal(trigger)
	if err != nil {
		return err
	}
	base := t.storm.some(func(s *server) string { return s.side })
	if base == "" {
		return errors.New("no process is up")
	}
	resp, err := t.storm.http.Post(base+"/accept", "application/json", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusServiceUnavailable:
		return fmt.Errorf("refused: %s", answer)
	default:
		return fmt.Errorf("%w: accept answers %d: %s", errWrong, resp.StatusCode, answer)
	}
	var receipt greentic.Receipt
	if err := json.Unmarshal(answer, &receipt); err != nil {
		return err
	}
	t.storm.accepted.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if first := t.turns[id]; first != "" && first != receipt.Turn {
		return fmt.Errorf("%w: message %s of %s was accepted as turn %s and as turn %s", errWrong, id, t.lane(), first, receipt.Turn)
	}
	t.turns[id] = receipt.Turn
	return nil
}

// chat is a conversation over web chat, read to its end and once more from its beginning.
func (t *talk) chat() error {
	until := time.Now().Add(answerTime)
	c := &client{activities: map[string]bool{}, http: t.storm.http}
	try := func(what string, f func() error) error {
		for {
			c.base = t.storm.some(func(s *server) string { return s.url })
			err := errors.New("no process is up")
			if c.base != "" {
				err = f()
			}
			if err == nil || errors.Is(err, errWrong) {
				return err
			}
			if time.Now().After(until) || t.storm.failed() {
				return fmt.Errorf("%s, %s: %w", t.lane(), what, err)
			}
			t.storm.settle()
		}
	}
	if err := try("begin", c.begin); err != nil {
		return err
	}
	for i, m := range t.says {
		send := func() error { return c.post(t.key, i, m.text) }
		if err := try("post", send); err != nil {
			return err
		}
		if m.twice { // now and then repeat an acknowledged message
			if err := try("repeat", send); err != nil {
				return err
			}
		}
		t.storm.accepted.Add(1)
		time.Sleep(m.pause)
	}
	began := time.Now()
	err := try("read", func() error { return c.readUntil(len(t.says)) })
	if err != nil {
		return err
	}
	t.storm.waited(t, time.Since(began))
	if err := chained(c.texts, t.texts()); err != nil {
		return fmt.Errorf("%s: %w", t.lane(), err)
	}
	// A fresh reader sees the same transcript from the start: activities and watermarks survived.
	again := &client{token: c.token, id: c.id, activities: map[string]bool{}, http: t.storm.http}
	err = try("read again", func() error { again.base = c.base; return again.readUntil(len(t.says)) })
	if err == nil && (len(again.texts) != len(t.says) || len(again.activities) != 2*len(t.says)) {
		err = fmt.Errorf("%s: the transcript has %d answers and %d activities", t.lane(), len(again.texts), len(again.activities))
	}
	return err
}
