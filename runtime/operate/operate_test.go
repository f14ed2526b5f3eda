package operate_test

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/operate"
)

type list struct {
	Sessions []operate.Session
	Releases []operate.Release
	Turns    []struct {
		Turn, Status, Pack, Flow string
		Seq                      uint64
		Steps, Replies           int
	}
	Letters []struct {
		ID, Kind, Key, Code, Reason string
	} `json:"dead_letters"`
	Next string
}

type failure struct {
	Error struct{ Kind, Code, Message, Fix string }
}

func TestASessionSaysWhereItWaitsAndOnWhat(t *testing.T) {
	pack := makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")})
	d := openMemory(t, pack)
	for _, key := range []string{"demo:chat:ann", "a/b//c", "..", ".", "ä ?#%2F&", "demo/"} {
		d.say(key, "1", "hello")
		var s operate.Session
		path := "/v1/sessions/" + strings.ReplaceAll(url.PathEscape(key), ".", "%2E")
		if w := d.call("GET", path, "", &s); w.Code != 200 {
			t.Errorf("%q: %d %s", key, w.Code, w.Body)
		}
		if s.Key != key || s.Pack != "desk" || s.Version != "1.0.0" || s.Release != pack.Digest() || s.Flow != "main" || s.Node != "greet" ||
			s.File != "flows/main.ygtc" || s.Line != 6 || s.Reason != "next" || s.User != "ann" || s.Route != "test" || s.Revision != 1 {
			t.Errorf("%q: %+v", key, s)
		}
		if w := d.call("DELETE", path, "", nil); w.Code != 204 {
			t.Errorf("end of %q: %d %s", key, w.Code, w.Body)
		}
	}
}

func TestListsAreReadPageByPage(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	for i := range 5 {
		d.say(fmt.Sprintf("k%d", i), "1", "hello")
		d.say("k0", fmt.Sprint("more", i), "again")
	}
	for path, want := range map[string]string{"/v1/sessions": "k0 k1 k2 k3 k4 ", "/v1/turns?session=k0": "1 2 3 4 5 6 "} {
		got, next, pages := "", "", 0
		for more := true; more; more = next != "" {
			var page list
			ask, _ := url.Parse(path)
			q := ask.Query()
			q.Set("limit", "2")
			q.Set("after", next)
			ask.RawQuery = q.Encode()
			if w := d.call("GET", ask.String(), "", &page); w.Code != 200 {
				t.Fatalf("%s: %d %s", ask, w.Code, w.Body)
			}
			for _, s := range page.Sessions {
				got += s.Key + " "
			}
			for _, s := range page.Turns {
				got += fmt.Sprint(s.Seq, " ")
			}
			next = page.Next
			pages++
		}
		if got != want || pages != 3 {
			t.Errorf("%s: %q in %d pages", path, got, pages)
		}
	}
	for _, wrong := range []string{"/v1/sessions?limit=0", "/v1/sessions?limit=1001", "/v1/deadletters?limit=x", "/v1/turns", "/v1/turns?session=k&after=x", "/v1/sessions?tenant=a/b"} {
		if w := d.call("GET", wrong, "", nil); w.Code != 400 {
			t.Errorf("%s: %d %s", wrong, w.Code, w.Body)
		}
	}
}

// What is another tenant's and what does not exist look the same, byte for byte.
func TestForeignAndUnknownResourcesLookTheSame(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	turn := d.say("k", "1", "hello").Turn
	d.refuse.Store(true)
	d.say("k", "2", "hello")
	var letters list
	for len(letters.Letters) == 0 {
		d.call("GET", "/v1/deadletters", "", &letters)
	}
	for _, c := range [][3]string{
		{"GET", "/v1/sessions/%s", "k"}, {"DELETE", "/v1/sessions/%s", "k"}, {"POST", "/v1/sessions/%s/migrate", "k"},
		{"GET", "/v1/deadletters/%s", letters.Letters[0].ID}, {"DELETE", "/v1/deadletters/%s", letters.Letters[0].ID}, {"POST", "/v1/deadletters/%s/retry", letters.Letters[0].ID},
		{"GET", "/v1/turns/%s", turn}, {"GET", "/v1/turns/%s/why", turn},
	} {
		foreign := d.call(c[0], fmt.Sprintf(c[1], c[2])+"?tenant=other", "", nil)
		unknown := d.call(c[0], fmt.Sprintf(c[1], "nothing"), "", nil)
		if foreign.Code != 404 || unknown.Code != 404 || foreign.Body.String() != unknown.Body.String() || fmt.Sprint(foreign.Header()) != fmt.Sprint(unknown.Header()) {
			t.Errorf("%s %s: foreign %d %s, unknown %d %s", c[0], c[1], foreign.Code, foreign.Body, unknown.Code, unknown.Body)
		}
	}
	var page list
	if d.call("GET", "/v1/sessions?tenant=other", "", &page); len(page.Sessions) != 0 {
		t.Errorf("another tenant sees %+v", page.Sessions)
	}
}

func TestAMigratedSessionGoesOnInTheOtherReleaseWithItsWait(t *testing.T) {
	wait := `type: messaging
tags: [default]
start: greet
nodes:
  greet:
    emit.response: { text: "%s {{response.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next, timeout: 1s, on_timeout: late }
    routing: [{ to: greet }]
  late:
    emit.response: { text: "%s is late" }
    routing: out
`
	v1 := makePack(t, "1.0.0", map[string]string{"main": fmt.Sprintf(wait, "one", "one")})
	v2 := makePack(t, "2.0.0", map[string]string{"main": fmt.Sprintf(wait, "two", "two")})
	renamed := makePack(t, "3.0.0", map[string]string{"main": chat("three", "hello")})
	gone := makePack(t, "4.0.0", map[string]string{"other": chat("four", "greet")})
	d := openMemory(t, v1)
	began := time.Now()
	d.say("k", "1", "a")
	for _, target := range []struct{ body, says string }{
		{`{"release":"` + string(renamed.Digest()) + `"}`, "neither served nor kept"},
		{`{"pack":"none"}`, "no release of pack none"},
	} {
		var f failure
		if w := d.call("POST", "/v1/sessions/k/migrate", target.body, &f); w.Code != 409 || !strings.Contains(f.Error.Message, target.says) || f.Error.Fix == "" {
			t.Errorf("%s: %d %s", target.body, w.Code, w.Body)
		}
	}
	for what, says := range map[string][]string{"renamed": {"node greet, late in flow main", "desk@3.0.0"}, "gone": {"flow main", "desk@4.0.0"}} {
		d.serve(map[string]*loader.Verified{"renamed": renamed, "gone": gone}[what])
		var f failure
		w := d.call("POST", "/v1/sessions/k/migrate", "", &f)
		if w.Code != 409 || f.Error.Code != "cannot_migrate" || !strings.Contains(f.Error.Message, says[0]) || !strings.Contains(f.Error.Message, says[1]) {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	d.serve(v2)
	var s operate.Session
	if w := d.call("POST", "/v1/sessions/k/migrate", `{"pack":"desk"}`, &s); w.Code != 200 || s.Version != "2.0.0" || s.Due.IsZero() || s.Due.Sub(began) > 2*time.Second {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := d.answer(); got != "one a" {
		t.Fatalf("before: %q", got)
	}
	if got := d.answer(); got != "two is late" {
		t.Fatalf("the wait that ended after the migration: %q", got)
	}
	if since := time.Since(began); since < time.Second {
		t.Errorf("it ended after %v", since)
	}
}

// What a caller says in somebody's conversation is answered to the caller; the conversation stays on
// its channel.
func TestAnInvocationDoesNotTakeAConversationAway(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	d.say("k", "1", "a")
	var got outcome
	if d.call("POST", "/v1/flows/desk/main/invoke", `{"input":"b","session":"k","user":"caller"}`, &got); got.Replies[0].Text != "one b" {
		t.Fatalf("%+v", got)
	}
	var s operate.Session
	if d.call("GET", "/v1/sessions/k", "", &s); s.Route != "test" || s.User != "ann" || s.Revision != 2 {
		t.Errorf("afterwards: %+v", s)
	}
}

// An operator changes a session that this process has cached and whose next message is on its way.
func TestAChangeByAnOperatorIsSeenByTheNextTurn(t *testing.T) {
	v1 := makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")})
	v2 := makePack(t, "2.0.0", map[string]string{"main": chat("two", "greet")})
	reached, goOn := make(chan struct{}), make(chan struct{})
	var block bool
	var mu sync.Mutex
	d := open(t, memory.New(time.Now), func(point string) {
		mu.Lock()
		stop := block && point == "before_commit"
		block = block && !stop
		mu.Unlock()
		if stop {
			close(reached)
			<-goOn
		}
	}, v1)
	d.say("k", "1", "a")
	d.serve(v2)
	mu.Lock()
	block = true
	mu.Unlock()
	if _, err := d.runner.Accept(t.Context(), message("k", "2", "b")); err != nil {
		t.Fatal(err)
	}
	<-reached // the turn has run on the old release
	var s operate.Session
	if w := d.call("POST", "/v1/sessions/k/migrate", "", &s); w.Code != 200 || s.Version != "2.0.0" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	close(goOn)
	got := []string{d.answer(), d.answer()}
	if w := d.call("DELETE", "/v1/sessions/k", "", nil); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	d.say("k", "3", "c")
	if got = append(got, d.answer()); strings.Join(got, ", ") != "one a, two b, two c" {
		t.Fatalf("answers %q", got)
	}
	if d.call("GET", "/v1/sessions/k", "", &s); s.Revision != 1 {
		t.Errorf("the session after its end: %+v", s)
	}
}

func TestASessionInTheMiddleOfATurnIsNotTouched(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	d.say("k", "1", "a")
	d.stop()
	err := d.db.Update(t.Context(), greentic.DefaultTenant(), func(x kv.Txn) error {
		e, _, err := queue.Accept(x, message("k", "2", "b"), "turn", time.Now())
		if err != nil {
			return err
		}
		e.Progress = []byte(`{}`)
		return queue.Checkpoint(x, e)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"DELETE", "/v1/sessions/k"}, {"POST", "/v1/sessions/k/migrate"}} {
		var f failure
		if w := d.call(c[0], c[1], "", &f); w.Code != 409 || f.Error.Code != "turn_under_way" {
			t.Errorf("%s %s: %d %s", c[0], c[1], w.Code, w.Body)
		}
	}
}

func TestDeadLettersAreTriedAgainAndDropped(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	d.refuse.Store(true)
	letters := func(n int) (page list) {
		for deadline := time.Now().Add(20 * time.Second); ; {
			if d.call("GET", "/v1/deadletters", "", &page); len(page.Letters) == n {
				return page
			}
			if page = (list{}); time.Now().After(deadline) {
				t.Fatal("no dead letters")
			}
		}
	}
	d.say("k/1", "1", "a")
	d.say("k/1", "2", "b")
	page := letters(2)
	first := page.Letters[0]
	if first.Kind != "reply" || first.Key != "k/1" || !strings.Contains(first.Reason, "broken") {
		t.Fatalf("%+v", first)
	}
	d.refuse.Store(false)
	if w := d.call("POST", "/v1/deadletters/"+page.Letters[1].ID+"/retry", "", nil); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := d.answer(); got != "one b" {
		t.Fatalf("the item that is sent again: %q", got)
	}
	if w := d.call("DELETE", "/v1/deadletters/"+first.ID, "", nil); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	letters(0)
}

// A turn that failed and is tried again is heard: its replies do not pass for its apology.
func TestATurnThatIsTriedAgainIsHeard(t *testing.T) {
	db := memory.New(time.Now)
	broken := "type: messaging\ntags: [default]\nnodes:\n  go:\n    emit.log: { x: 1 }\n    routing: [{ to: go }]\n"
	d := open(t, db, nil, makePack(t, "1.0.0", map[string]string{"main": broken}))
	failed := d.say("k", "1", "a")
	if failed.Status != greentic.TurnFailed || failed.Err == nil {
		t.Fatalf("%+v", failed)
	}
	apology := d.answer()
	d.serve(makePack(t, "1.0.1", map[string]string{"main": chat("mended", "greet")}))
	var why operate.Why
	if d.call("GET", "/v1/turns/"+failed.Turn+"/why", "", &why); why.Status != "failed" || why.Error == nil || why.Error.Code == "" {
		t.Fatalf("%+v", why)
	}
	var l struct {
		Entry struct {
			Trigger struct{ Body greentic.Message }
		}
	}
	if d.call("GET", "/v1/deadletters/"+failed.Turn, "", &l); l.Entry.Trigger.Body.Text != "a" {
		t.Fatalf("the letter %+v", l)
	}
	if w := d.call("POST", "/v1/deadletters/"+failed.Turn+"/retry", "", nil); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := d.answer(); got != "mended a" || got == apology {
		t.Fatalf("the turn that is tried again says %q", got)
	}
	if d.call("GET", "/v1/turns/"+failed.Turn+"/why", "", &why); why.Status != "waiting" {
		t.Errorf("its newest record: %+v", why)
	}
}

func TestWhySaysRuleFileAndLineOfEachStepAndWhichRelease(t *testing.T) {
	v1 := makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")})
	d := openMemory(t, v1)
	first, second := d.say("k", "1", "a"), d.say("k", "2", "b")
	for turn, rule := range map[string]string{first.Turn: "newest", second.Turn: "pinned"} {
		var why operate.Why
		if w := d.call("GET", "/v1/turns/"+turn+"/why", "", &why); w.Code != 200 || why.Session != "k" || len(why.Steps) != 2 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		release := why.Decisions[0]
		if release.About != "release" || release.Rule != rule || release.Value != string(v1.Digest()) || release.Why == "" {
			t.Errorf("%s: %+v", rule, release)
		}
		if s := why.Steps[0]; s.Node != "greet" || s.Do != "emit" || s.Rule == "" || s.Why == "" || s.File != "flows/main.ygtc" || s.Line == 0 {
			t.Errorf("%s: %+v", rule, s)
		}
	}
	var rec struct {
		Turn    string
		Trigger struct{ Body greentic.Message }
		Steps   []struct{ Node string }
	}
	if d.call("GET", "/v1/turns/"+second.Turn, "", &rec); rec.Turn != second.Turn || rec.Trigger.Body.Text != "b" || len(rec.Steps) != 2 {
		t.Errorf("the record %+v", rec)
	}
}

func TestStatusCountsWhatWaits(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	var s struct {
		Draining      bool
		Shards        int
		Owned         int `json:"shards_owned"`
		Inbox, Outbox struct {
			Count int
			More  bool
		}
	}
	if d.call("GET", "/v1/status", "", &s); s.Draining || s.Shards == 0 || s.Owned != s.Shards || s.Inbox.Count != 0 {
		t.Fatalf("%+v", s)
	}
	d.stop()
	for i := range 3 {
		err := d.db.Update(t.Context(), greentic.TenantCtx{Env: "local", Tenant: "other"}, func(x kv.Txn) error {
			trigger := message("k", fmt.Sprint(i), "a")
			trigger.Tenant.Tenant = "other"
			_, _, err := queue.Accept(x, trigger, fmt.Sprint(i), time.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if d.call("GET", "/v1/status", "", &s); !s.Draining || s.Inbox.Count != 3 || s.Inbox.More || s.Outbox.Count != 0 {
		t.Fatalf("%+v", s)
	}
}

// Product bar 2: a version with renamed nodes is deployed while 1 000 conversations are open.
func TestAVersionWithRenamedNodesIsDeployedDuringOpenConversations(t *testing.T) {
	for name, db := range map[string]kv.DB{"memory": memory.New(time.Now), "sqlite": openSQLite(t)} {
		t.Run(name, func(t *testing.T) {
			deployDuring(t, open(t, db, nil, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")})))
		})
	}
}

func deployDuring(t *testing.T, d *desk) {
	sessions := 1000
	if testing.Short() {
		sessions = 100
	}
	each := func(prefix, text, want string) {
		t.Helper()
		var all sync.WaitGroup
		for w := range 20 {
			all.Go(func() {
				for i := w; i < sessions; i += 20 {
					result, err := d.runner.Turn(t.Context(), message(fmt.Sprintf("%s%04d", prefix, i), text, text))
					if err != nil || result.Err != nil || len(result.Replies) != 1 || result.Replies[0].Text != want {
						t.Errorf("%s%d says %q to %q: %+v, %v", prefix, i, want, text, result, err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	counts := func() (text string) {
		var page list
		d.call("GET", "/v1/releases", "", &page)
		for _, r := range page.Releases {
			text += fmt.Sprintf("%s: %d, served %v; ", r.Version.Version, r.Sessions, r.Served)
		}
		return text
	}
	each("old", "hello", "one hello")
	d.serve(makePack(t, "2.0.0", map[string]string{"main": chat("two", "salute")}))
	each("old", "again", "one again")
	each("new", "hello", "two hello")
	if got, want := counts(), fmt.Sprintf("2.0.0: %d, served true; 1.0.0: %d, served false; ", sessions, sessions); got != want {
		t.Errorf("in the middle: %s", got)
	}
	d.serve(makePack(t, "2.0.1", map[string]string{"main": strings.Replace(chat("two", "greet"), "two", "compatible", 1)}))
	var s operate.Session
	if w := d.call("POST", "/v1/sessions/old0007/migrate", "", &s); w.Code != 200 || s.Version != "2.0.1" || s.Node != "greet" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := d.say("old0007", "migrated", "x").Replies[0].Text; got != "compatible x" {
		t.Errorf("the migrated one says %q", got)
	}
	d.say("old0007", "bye", "bye")
	each("new", "bye", "two bye")
	for i := range sessions {
		if i != 7 {
			if got := d.say(fmt.Sprintf("old%04d", i), "bye", "bye").Replies[0].Text; got != "one bye" {
				t.Fatalf("old%04d ends with %q", i, got)
			}
		}
	}
	if got := counts(); strings.Count(got, ": 0, ") != 3 {
		t.Errorf("at the end: %s", got)
	}
	pins, err := session.Pinned(t.Context(), d.db)
	if err != nil || len(pins) != 0 {
		t.Errorf("pinned at the end: %v, %v", pins, err)
	}
}

func openSQLite(t *testing.T) kv.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "kv.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
