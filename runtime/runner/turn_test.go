package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/runner"
)

func turn(t *testing.T, run *runner.Runner, trigger greentic.Trigger) runner.TurnResult {
	t.Helper()
	result, err := run.Turn(t.Context(), trigger)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// texts are the texts of a turn's replies.
func texts(result runner.TurnResult) (list []string) {
	for _, reply := range result.Replies {
		list = append(list, reply.Text)
	}
	return list
}

func stored(t *testing.T, db kv.DB, key string) (s session.Session) {
	t.Helper()
	err := db.View(t.Context(), greentic.DefaultTenant(), func(x kv.Reader) (err error) {
		s, err = session.Load(x, key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestATurnSaysWhatItDid(t *testing.T) {
	r := newRig(t)
	run, _ := r.start(makePack(t, "t.chain", map[string]string{"main": chain}, nil))
	first := turn(t, run, say("k", "1", "a"))
	want := greentic.Reply{Kind: "message", Text: "a after ", Node: "say", Flow: "main", Turn: first.Turn}
	if first.Status != greentic.TurnWaiting || first.Steps != 4 || first.Err != nil || len(first.Replies) != 1 || !slices.Equal(texts(first), []string{want.Text}) ||
		first.Replies[0].Node != want.Node || first.Replies[0].Flow != want.Flow || first.Replies[0].Turn != first.Turn || first.Replies[0].Kind != want.Kind {
		t.Fatalf("first turn %+v", first)
	}
	last := turn(t, run, say("k", "2", "bye"))
	if last.Status != greentic.TurnDone || last.Steps != 3 || !slices.Equal(texts(last), []string{"bye after a"}) {
		t.Fatalf("last turn %+v", last)
	}
	if _, err := run.Turn(t.Context(), say("k", "2", "bye")); !fault.Is(err, fault.Exists) {
		t.Fatalf("a turn for a duplicate: %v", err)
	}
	if got := r.channel.replies(t, "k", 2); !slices.Equal(got, answers("a", "bye")) {
		t.Fatalf("delivered %q", got)
	}
}

func TestRepliesOfARouteWithoutConnectorGoToTheCallerOnly(t *testing.T) {
	r := newRig(t)
	run, stop := r.start(makePack(t, "t.echo", map[string]string{"main": echo}, nil))
	trigger := say("k", "1", "a")
	trigger.Route = "run"
	if got := texts(turn(t, run, trigger)); !slices.Equal(got, []string{"you said a"}) {
		t.Fatalf("replies %q", got)
	}
	stop()
	if list := letters(t, r); len(list) > 0 || len(r.channel.tries) > 0 {
		t.Fatalf("dead letters %v, tries %v", list, r.channel.tries)
	}
}

func TestAConversationGoesOnAfterARestart(t *testing.T) {
	r := newSQLiteRig(t)
	pack := makePack(t, "t.chain", map[string]string{"main": chain}, nil)
	want := answers("a", "b", "c", "bye", "again")
	for i, text := range []string{"a", "b", "c", "bye", "again"} {
		run, stop := r.start(pack)
		accept(t, run, say("k", fmt.Sprint(i), text))
		if got := r.channel.replies(t, "k", i+1); !slices.Equal(got, want[:i+1]) {
			t.Fatalf("replies %q, want %q", got, want[:i+1])
		}
		stop()
		r.reopen()
		if ended := stored(t, r.db, "k").Revision == 0; ended != (text == "bye") {
			t.Fatalf("after %q the session is %+v", text, stored(t, r.db, "k"))
		}
	}
}

func TestAConversationStaysOnItsRelease(t *testing.T) {
	r := newSQLiteRig(t)
	version := func(name string) *loader.Verified {
		return makePack(t, "t.pinned", map[string]string{"main": strings.ReplaceAll(chain, "{{response.text}} after", name+": {{response.text}} after")}, nil)
	}
	one, two := version("v1"), version("v2")
	run, stop := r.start(one)
	if got := texts(turn(t, run, say("old", "1", "a"))); !slices.Equal(got, []string{"v1: a after "}) {
		t.Fatalf("v1 says %q", got)
	}
	stop()
	r.reopen()
	run, stop = r.start(two)
	for id, c := range map[string]struct{ key, text, want string }{
		"2": {"new", "a", "v2: a after "},
		"3": {"old", "b", "v1: b after a"},
	} {
		if got := texts(turn(t, run, say(c.key, id, c.text))); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s says %q, want %q", c.key, got, c.want)
		}
	}
	kept := func(want ...*loader.Verified) {
		t.Helper()
		list, err := r.store.List(t.Context())
		if err != nil || len(list) != len(want) {
			t.Fatalf("kept %v, %v", list, err)
		}
		for _, v := range want {
			if !slices.Contains(list, v.Digest()) {
				t.Fatalf("%s is not kept", v.Digest().Short())
			}
		}
	}
	kept(one, two)
	if result := turn(t, run, say("old", "4", "bye")); result.Status != greentic.TurnDone {
		t.Fatalf("the old conversation ends with %+v", result)
	}
	if got := texts(turn(t, run, say("old", "5", "x"))); !slices.Equal(got, []string{"v2: x after bye"}) {
		t.Errorf("after its end the conversation begins with %q", got)
	}
	stop()
	r.reopen()
	_, stop = r.start(two)
	kept(two)
	stop()
}

func TestAPinnedPackThatMayNoLongerRunIsRefused(t *testing.T) {
	r := newRig(t)
	one := makePack(t, "t.pinned", map[string]string{"main": chain}, nil)
	run, stop := r.start(one)
	turn(t, run, say("k", "1", "a"))
	stop()
	r.policy = loader.Policy{} // from now on only signed packs
	run, _ = r.start(makePack(t, "t.pinned", map[string]string{"main": echo}, nil))
	result := turn(t, run, say("k", "2", "b"))
	if result.Status != greentic.TurnFailed || !fault.Is(result.Err, fault.Unverified) {
		t.Fatalf("resumed on an unsigned pack: %+v", result)
	}
	if got := texts(turn(t, run, say("k", "3", "c"))); !slices.Equal(got, []string{"you said c"}) {
		t.Fatalf("the next conversation says %q", got)
	}
}

func TestAFailingFlowIsAnsweredInTheUsersLanguageWithoutInternals(t *testing.T) {
	for locale, sentence := range map[string]string{"": "Something went wrong", "en-GB": "Something went wrong", "de": "Bei uns ist etwas schiefgegangen", "de-AT": "Bei uns ist etwas schiefgegangen", "xx": "Something went wrong"} {
		r := newRig(t)
		var log bytes.Buffer
		r.log = &log
		run, stop := r.start(makePack(t, "t.endless", map[string]string{"main": endless}, nil))
		trigger := say("k", "1", "a")
		trigger.Tenant.Locale = locale
		result := turn(t, run, trigger)
		if result.Status != greentic.TurnFailed || len(result.Replies) != 1 || result.Err == nil {
			t.Fatalf("%+v", result)
		}
		text := result.Replies[0].Text
		if !strings.Contains(text, sentence) || !strings.Contains(text, result.Turn) {
			t.Errorf("locale %q reads %q", locale, text)
		}
		for _, internal := range []string{"step", "limit", "node", "flow", "half"} {
			if strings.Contains(text, internal) {
				t.Errorf("the user reads about internals: %q", text)
			}
		}
		if got := r.channel.replies(t, "k", 1); got[0] != text {
			t.Errorf("delivered %q", got)
		}
		stop()
		if !strings.Contains(log.String(), "turn failed") || !strings.Contains(log.String(), result.Turn) {
			t.Errorf("the log does not explain reference %s: %s", result.Turn, log.String())
		}
		if s := stored(t, r.db, "k"); s.Revision != 0 {
			t.Errorf("the session goes on: %+v", s)
		}
		err := r.db.View(t.Context(), trigger.Tenant, func(x kv.Reader) error {
			from, to := kv.Prefix("state/")
			return x.Scan(from, to, 0, func(key string, _ []byte) bool { t.Errorf("a failed turn left state %q", key); return true })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPoisonedMessageDoesNotBlockTheNext(t *testing.T) {
	for name, body := range map[string]string{
		"no message":  `[1, 2]`,
		"null":        `null`,
		"other types": `{"text": 7}`,
		"deep":        strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			run, _ := r.start(makePack(t, "t.chain", map[string]string{"main": chain}, nil))
			trigger := say("k", "1", "")
			trigger.Body = []byte(body)
			if _, err := run.Accept(t.Context(), trigger); err != nil && !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			result := turn(t, run, say("k", "2", "b"))
			if result.Status != greentic.TurnWaiting || len(result.Replies) != 1 || !strings.HasPrefix(result.Replies[0].Text, "b after ") {
				t.Fatalf("the next message: %+v", result)
			}
		})
	}
}

func TestATurnThatCannotBeStoredIsAnswered(t *testing.T) {
	r := newRig(t)
	waits := "nodes:\n  pause:\n    session.wait: { reason: next }\n    routing: [{ to: say }]\n  say:\n    emit.response: { text: hello }\n    routing: out\n"
	run, _ := r.start(makePack(t, "t.waits", map[string]string{"main": waits}, nil))
	result := turn(t, run, say("k", "1", strings.Repeat("x", 5<<20)))
	if result.Status != greentic.TurnFailed || !fault.Is(result.Err, fault.Invalid) || len(result.Replies) != 1 {
		t.Fatalf("%s %v %d", result.Status, result.Err, len(result.Replies))
	}
	if result := turn(t, run, say("k", "2", "b")); result.Status != greentic.TurnWaiting {
		t.Fatalf("the next message: %+v", result)
	}
}

func TestAMessageThatEndsEveryProcessIsGivenUp(t *testing.T) {
	r := newSQLiteRig(t)
	pack := makePack(t, "t.chain", map[string]string{"main": chain}, nil)
	messages := []greentic.Trigger{say("k", "1", "a"), say("k", "2", "b")}
	for restart := range 10 {
		d := &dying{DB: r.db, dead: make(chan struct{})}
		r.options.Crash = func(point string) {
			if point == "before_commit" && len(r.channel.replies(t, "k", 0)) == 0 && restart < 9 {
				d.die()
			}
		}
		run := r.newRunner(d, pack)
		if err := run.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for len(messages) > 0 {
			if _, err := run.Accept(t.Context(), messages[0]); err != nil {
				break // dead already: sent again after the restart
			}
			messages = messages[1:]
		}
		if restart < 9 {
			<-d.dead
		} else {
			got := r.channel.replies(t, "k", 2)
			if !strings.Contains(got[0], "Something went wrong") || got[1] != "b after " {
				t.Fatalf("replies %q", got)
			}
		}
		now, cancel := context.WithCancel(t.Context())
		cancel()
		_ = run.Drain(now)
		r.reopen()
	}
}

func TestTextsAreLocalisedForTheUser(t *testing.T) {
	r := newRig(t)
	greet := "nodes:\n  say:\n    emit.response: { text: \"{{i18n:greeting}}, {{response.text}}\" }\n    routing: out\n"
	run, _ := r.start(makePack(t, "t.texts", map[string]string{"main": greet}, map[string]string{
		"assets/i18n/en.json": `{"greeting": "Good morning"}`, "assets/i18n/de.json": `{"greeting": "Guten Morgen"}`,
	}))
	for locale, want := range map[string]string{"de": "Guten Morgen, Anna", "de-AT": "Guten Morgen, Anna", "en": "Good morning, Anna", "fr": "Good morning, Anna", "": "Good morning, Anna"} {
		trigger := say("k-"+locale, "1", "Anna")
		trigger.Tenant.Locale = locale
		if got := texts(turn(t, run, trigger)); !slices.Equal(got, []string{want}) {
			t.Errorf("locale %q reads %q, want %q", locale, got, want)
		}
	}
	trigger := say("k", "1", "Anna")
	trigger.Tenant.Locale = ""
	trigger.Body, _ = json.Marshal(greentic.Message{Text: "Anna", Metadata: map[string]string{"locale": "de"}})
	if got := texts(turn(t, run, trigger)); !slices.Equal(got, []string{"Guten Morgen, Anna"}) {
		t.Errorf("the locale of the message: %q", got)
	}
}

func TestConversationsAndTenantsDoNotShareState(t *testing.T) {
	r := newRig(t)
	run, _ := r.start(makePack(t, "t.chain", map[string]string{"main": chain}, nil))
	turn(t, run, say("k", "1", "secret"))
	other := say("k", "2", "b")
	other.Tenant.Tenant = "other"
	for _, trigger := range []greentic.Trigger{say("l", "1", "b"), other} {
		if got := texts(turn(t, run, trigger)); !slices.Equal(got, []string{"b after "}) {
			t.Errorf("%s %s reads %q", trigger.Tenant.Tenant, trigger.Key, got)
		}
	}
}

func TestWithoutAPackTheUserIsToldSo(t *testing.T) {
	r := newRig(t)
	run, _ := r.start()
	if result := turn(t, run, say("k", "1", "a")); result.Status != greentic.TurnFailed || !fault.Is(result.Err, fault.NotFound) {
		t.Fatalf("%+v", result)
	}
}
