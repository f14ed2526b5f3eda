package operate_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/kv/memory"
	"greentic.dev/greentic"
)

type outcome struct {
	Turn, Status, Flow, Session string
	Release                     greentic.Digest
	Replies                     []greentic.Reply
	Output                      any
	Steps                       int
	DurationMS                  *int64 `json:"duration_ms"`
	Duplicate                   bool
	Error                       struct{ Kind, Code, Message, Fix string }
}

func TestAnInvocationAnswersWithWhatTheFlowDid(t *testing.T) {
	pack := makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet"), "count": job,
		"hook": strings.Replace(job, "type: job", "type: http", 1), "happened": strings.Replace(job, "type: job", "type: event", 1)})
	d := openMemory(t, pack)
	for _, c := range []struct{ name, path, body, status, reply string }{
		{"a text", "/v1/flows/desk/main/invoke", `{"input":"hello","user":"ann"}`, "waiting", "one hello"},
		{"a message", "/v1/flows/desk/main/invoke", `{"input":{"text":"bye"}}`, "done", "one bye"},
		{"a job takes any value", "/v1/flows/desk/count/invoke", `{"input":{"n":7}}`, "done", "job 7"},
		{"so does a request", "/v1/flows/desk/hook/invoke", `{"input":{"n":8}}`, "done", "job 8"},
		{"and an event", "/v1/flows/desk/happened/invoke", `{"input":{"n":9}}`, "done", "job 9"},
	} {
		var got outcome
		w := d.call("POST", c.path, c.body, &got)
		if w.Code != 200 || got.Status != c.status || len(got.Replies) != 1 || got.Replies[0].Text != c.reply || got.Release != pack.Digest() ||
			got.Turn == "" || got.Steps == 0 || got.DurationMS == nil || w.Header().Get("Greentic-Digest") != string(pack.Digest()) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

func TestAnInvocationCanGoOnWithAConversation(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet"), "other": chat("two", "greet")}))
	for i, text := range []string{"a", "b", "bye"} {
		var got outcome
		d.call("POST", "/v1/flows/desk/main/invoke", `{"input":"`+text+`","session":"team/ann"}`, &got)
		if len(got.Replies) != 1 || got.Replies[0].Text != "one "+text || got.Session != "team/ann" {
			t.Fatalf("turn %d: %+v", i, got)
		}
		if i == 0 {
			var refused outcome
			if w := d.call("POST", "/v1/flows/desk/other/invoke", `{"input":"x","session":"team/ann"}`, &refused); w.Code != 409 || refused.Error.Code != "other_flow" {
				t.Fatalf("another flow in the same conversation: %d %s", w.Code, w.Body)
			}
		}
	}
}

func TestADigestThatIsNotTheOneIsRefusedAndNothingIsStored(t *testing.T) {
	v1 := makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")})
	v2 := makePack(t, "2.0.0", map[string]string{"main": chat("two", "hello")})
	d := openMemory(t, v1)
	d.header["Greentic-Expect-Digest"] = string(v1.Digest())
	var got outcome
	if d.call("POST", "/v1/flows/desk/main/invoke", `{"input":"a","session":"open"}`, &got); got.Release != v1.Digest() {
		t.Fatalf("the digest that is served: %+v", got)
	}
	d.serve(v2)
	before := strings.Join(d.keys(), "\n")
	w := d.call("POST", "/v1/flows/desk/main/invoke", `{"input":"a"}`, &got)
	if w.Code != 409 || got.Error.Code != "digest_mismatch" || !strings.Contains(got.Error.Message, string(v2.Digest())) || w.Header().Get("Greentic-Digest") != string(v2.Digest()) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	d.header["Idempotency-Key"] = "once"
	if w := d.call("POST", "/v1/flows/desk/main/invoke", `{"input":"a"}`, nil); w.Code != 409 {
		t.Fatalf("with a key: %d %s", w.Code, w.Body)
	}
	if after := strings.Join(d.keys(), "\n"); after != before {
		t.Fatalf("a refused invocation left something:\n%s\nbefore:\n%s", after, before)
	}
	delete(d.header, "Idempotency-Key")
	// An open conversation is on its own release, which is the one to expect there.
	if w := d.call("POST", "/v1/flows/desk/main/invoke", `{"input":"b","session":"open"}`, &got); w.Code != 200 || got.Release != v1.Digest() || got.Replies[0].Text != "one b" {
		t.Fatalf("the open conversation: %d %s", w.Code, w.Body)
	}
	d.header["Greentic-Expect-Digest"] = string(v2.Digest())
	if w := d.call("POST", "/v1/flows/desk/main/invoke", `{"input":"b","session":"open"}`, &got); w.Code != 409 || w.Header().Get("Greentic-Digest") != string(v1.Digest()) {
		t.Fatalf("the newest digest in an open conversation: %d %s", w.Code, w.Body)
	}
}

func TestARepeatedInvocationGetsTheFirstOutcome(t *testing.T) {
	v1 := makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet"), "count": job})
	d := openMemory(t, v1)
	d.header["Idempotency-Key"] = "order-1"
	var first, again, got outcome
	d.call("POST", "/v1/flows/desk/count/invoke", `{"input":{"n":1}}`, &first)
	d.serve(makePack(t, "2.0.0", map[string]string{"main": chat("two", "hello"), "count": job}))
	w := d.call("POST", "/v1/flows/desk/count/invoke", `{"input":{"n":1}}`, &again)
	if w.Code != 200 || !again.Duplicate || again.Turn != first.Turn || again.Release != v1.Digest() || again.Replies[0].Text != "job 1" || again.Steps != first.Steps ||
		again.Status != "done" || w.Header().Get("Greentic-Digest") != string(v1.Digest()) {
		t.Fatalf("%d %s, first %+v", w.Code, w.Body, first)
	}
	if a, b := first.Output.(map[string]any), again.Output.(map[string]any); a["text"] != "job 1" || b["text"] != "job 1" {
		t.Errorf("output %v, again %v", a, b)
	}
	for name, c := range map[string][2]string{
		"another input": {"/v1/flows/desk/count/invoke", `{"input":{"n":2}}`},
		"another flow":  {"/v1/flows/desk/main/invoke", `{"input":"x","session":"invoke:order-1"}`},
	} {
		if w := d.call("POST", c[0], c[1], &got); w.Code != 409 || got.Error.Code != "idempotency_key_reused" {
			t.Errorf("%s under the same key: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestAnInvocationThatTakesLongIsAnsweredWithItsReceipt(t *testing.T) {
	reached, goOn := make(chan struct{}, 9), make(chan struct{})
	d := open(t, memory.New(time.Now), func(point string) {
		if point == "before_commit" {
			reached <- struct{}{}
			<-goOn
		}
	}, makePack(t, "1.0.0", map[string]string{"count": job}))
	invoke := func(prefer, key string) (w *httptest.ResponseRecorder, got outcome) {
		d.header = map[string]string{"Prefer": prefer, "Idempotency-Key": key}
		return d.call("POST", "/v1/flows/desk/count/invoke", `{"input":{"n":1}}`, &got), got
	}
	patient := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		w, _ := invoke("wait=20", "first")
		patient <- w
	}()
	<-reached
	if w, got := invoke("wait=0", "first"); w.Code != 202 || !got.Duplicate {
		t.Errorf("a repeat while the first runs: %d %s", w.Code, w.Body)
	}
	w, got := invoke("respond-async, wait=0", "second")
	if w.Code != 202 || got.Status != "accepted" || got.Turn == "" || w.Header().Get("Location") != "/v1/turns/"+got.Turn {
		t.Errorf("one that does not wait: %d %s", w.Code, w.Body)
	}
	<-reached
	close(goOn)
	if w := <-patient; w.Code != 200 {
		t.Errorf("who waits, though a repeat has gone: %d %s", w.Code, w.Body)
	}
	if w, got := invoke("wait=20", "second"); w.Code != 200 || !got.Duplicate || got.Replies[0].Text != "job 1" {
		t.Errorf("a repeat that waits for the first: %d %s", w.Code, w.Body)
	}
}

func TestWrongInvocationsAreRefusedByName(t *testing.T) {
	d := openMemory(t, makePack(t, "1.0.0", map[string]string{"main": chat("one", "greet")}))
	for _, c := range []struct {
		name, path, body string
		header           [2]string
		status           int
		says             string
	}{
		{"a pack that is not served", "/v1/flows/none/main/invoke", `{}`, [2]string{}, 404, "pack none"},
		{"a flow it has not", "/v1/flows/desk/none/invoke", `{}`, [2]string{}, 404, `"none`},
		{"no JSON", "/v1/flows/desk/main/invoke", `{`, [2]string{}, 400, ""},
		{"a field nobody knows", "/v1/flows/desk/main/invoke", `{"inptu":1}`, [2]string{}, 400, "inptu"},
		{"a number for a chat", "/v1/flows/desk/main/invoke", `{"input":1}`, [2]string{}, 400, "a messaging flow takes a text"},
		{"no digest", "/v1/flows/desk/main/invoke", `{}`, [2]string{"Greentic-Expect-Digest", "latest"}, 400, "Greentic-Expect-Digest"},
		{"no number of seconds", "/v1/flows/desk/main/invoke", `{}`, [2]string{"Prefer", "wait=long"}, 400, "number of seconds"},
		{"a long key", "/v1/flows/desk/main/invoke", `{}`, [2]string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, "Idempotency-Key"},
		{"a long conversation", "/v1/flows/desk/main/invoke", `{"session":"` + strings.Repeat("k", 700) + `"}`, [2]string{}, 400, "ordering key"},
		{"a user with a space", "/v1/flows/desk/main/invoke", `{"user":"a b"}`, [2]string{}, 400, "user"},
		{"a body over the limit", "/v1/flows/desk/main/invoke", `{"input":"` + strings.Repeat("k", 2<<20) + `"}`, [2]string{}, 413, "larger"},
	} {
		clear(d.header)
		if c.header[0] != "" {
			d.header[c.header[0]] = c.header[1]
		}
		if w := d.call("POST", c.path, c.body, nil); w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	if left := d.keys(); len(left) > 0 {
		t.Errorf("refused invocations left %q", left)
	}
}
