package messaging

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func (d *desk) dial(t *testing.T, s session, watermark string) *websocket.Conn {
	t.Helper()
	url := strings.Replace(s.StreamURL, "watermark=", "watermark="+watermark, 1)
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: d.client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

func frame(t *testing.T, conn *websocket.Conn) page {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, raw, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var p page
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (d *desk) deliver(t *testing.T, s session, id, text string) {
	t.Helper()
	if err := d.chat.Deliver(t.Context(), demo, map[string]string{"conversation": s.ConversationID}, id, greentic.Reply{Kind: "message", Text: text}); err != nil {
		t.Fatal(err)
	}
}

func TestAConversationFromTokenToStream(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	id := d.post(t, s, message("hello"))
	taken := d.inbox.taken()
	if len(taken) != 1 || taken[0].Route != Route || taken[0].Header["reply_to"] != id || taken[0].Key != "demo:webchat:"+s.ConversationID+":ada" {
		t.Fatalf("%+v", taken)
	}
	d.deliver(t, s, "r1", "good day")
	var p page
	if got := d.call(t, "GET", activitiesPath(s), s.Token, "", &p); got != 200 || texts(p) != "hello,good day" || p.Watermark != "2" {
		t.Fatalf("%d %+v", got, p)
	}
	var rest page
	d.call(t, "GET", activitiesPath(s)+"?watermark=1", s.Token, "", &rest)
	if texts(rest) != "good day" || rest.Activities[0].From.Role != "bot" {
		t.Errorf("%+v", rest)
	}
	conn := d.dial(t, s, "")
	if p := frame(t, conn); texts(p) != "hello,good day" || p.Watermark != "2" {
		t.Errorf("first frame %+v", p)
	}
	d.deliver(t, s, "r2", "anything else?")
	if p := frame(t, conn); texts(p) != "anything else?" || p.Watermark != "3" {
		t.Errorf("next frame %+v", p)
	}
}

func TestAReconnectingStreamMissesNothing(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	d.deliver(t, s, "1", "one")
	first := d.dial(t, s, "")
	seen := frame(t, first)
	first.CloseNow()
	d.deliver(t, s, "2", "two")
	d.deliver(t, s, "3", "three")
	var again session
	if got := d.call(t, "GET", "/v3/directline/conversations/"+s.ConversationID+"?watermark="+seen.Watermark, s.Token, "", &again); got != 200 || again.StreamURL == "" {
		t.Fatalf("%d %+v", got, again)
	}
	if p := frame(t, d.dial(t, again, seen.Watermark)); texts(p) != "two,three" {
		t.Errorf("%+v", p)
	}
}

func TestCloseEndsStreams(t *testing.T) {
	d := open(t)
	conn := d.dial(t, d.begin(t), "")
	d.close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("%v", err)
	}
}

func TestARepeatedActivityIsStoredAndAcceptedOnce(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	body := `{"type":"message","from":{"id":"ada"},"text":"pay","channelData":{"clientActivityID":"c-1"}}`
	if a, b := d.post(t, s, body), d.post(t, s, body); a != b {
		t.Errorf("%s and %s", a, b)
	}
	var p page
	d.call(t, "GET", activitiesPath(s), s.Token, "", &p)
	if texts(p) != "pay" || len(d.inbox.taken()) != 1 {
		t.Errorf("%+v %+v", p, d.inbox.taken())
	}
}

func TestARepeatIsAcceptedWhenTheFirstAttemptWasNot(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	body := `{"type":"message","from":{"id":"ada"},"text":"pay","channelData":{"clientActivityID":"c-1"}}`
	d.inbox.refuse = fault.New(fault.Unavailable, "runner", "is draining")
	if got := d.call(t, "POST", activitiesPath(s), s.Token, body, nil); got != http.StatusServiceUnavailable {
		t.Fatalf("%d", got)
	}
	d.inbox.refuse = nil
	d.post(t, s, body)
	if n := len(d.inbox.taken()); n != 1 {
		t.Errorf("%d triggers", n)
	}
}

func TestDeliverIsIdempotentAndKeepsOrder(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	for _, i := range []int{1, 2, 1, 3, 2} {
		d.deliver(t, s, fmt.Sprint(i), fmt.Sprint("m", i))
	}
	var p page
	d.call(t, "GET", activitiesPath(s), s.Token, "", &p)
	if texts(p) != "m1,m2,m3" {
		t.Errorf("%s", texts(p))
	}
	err := d.chat.Deliver(t.Context(), demo, map[string]string{"conversation": "nowhere"}, "1", greentic.Reply{Text: "x"})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	other := demo
	other.Tenant = "other"
	if err := d.chat.Deliver(t.Context(), other, map[string]string{"conversation": s.ConversationID}, "9", greentic.Reply{Text: "x"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant: %v", err)
	}
}

func TestTokensThatAreNotOursAreRefused(t *testing.T) {
	d := open(t)
	s, elsewhere := d.begin(t), d.begin(t)
	g := grant{Env: demo.Env, Tenant: demo.Tenant, Conversation: s.ConversationID}
	forged, err := tokens{key: key(8), ttl: time.Hour, now: d.clock}.sign(g)
	if err != nil {
		t.Fatal(err)
	}
	g.Tenant = "other"
	foreign, err := d.chat.tokens.sign(g)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(s.Token, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	for _, c := range []struct {
		name, token, code string
		status            int
	}{
		{"no token", "", codeInvalid, 401},
		{"no JWT", "abc", codeInvalid, 401},
		{"forged", forged, codeInvalid, 401},
		{"alg none", none, codeInvalid, 401},
		{"changed", parts[0] + "." + strings.Split(elsewhere.Token, ".")[1] + "." + parts[2], codeInvalid, 401},
		{"of another tenant", foreign, codeInvalid, 401},
		{"of another conversation", elsewhere.Token, codeConversation, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []struct{ method, path string }{
				{"GET", activitiesPath(s)}, {"POST", activitiesPath(s)},
				{"GET", strings.Replace(activitiesPath(s), "activities", "stream", 1)},
				{"GET", strings.TrimSuffix(activitiesPath(s), "/activities")},
			} {
				var e directLineError
				if got := d.call(t, r.method, r.path, c.token, message("x"), &e); got != c.status || e.Error.Code != c.code {
					t.Errorf("%s %s: %d %+v", r.method, r.path, got, e)
				}
			}
		})
	}
	if n := len(d.inbox.taken()); n != 0 {
		t.Errorf("%d triggers", n)
	}
}

func TestATokenExpiresAndARefreshedOneLives(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	d.advance(20 * time.Minute)
	var fresh session
	if got := d.call(t, "POST", "/v3/directline/tokens/refresh", s.Token, "", &fresh); got != 200 || fresh.ExpiresIn != 1800 {
		t.Fatalf("%d %+v", got, fresh)
	}
	d.advance(11 * time.Minute)
	var e directLineError
	if got := d.call(t, "GET", activitiesPath(s), s.Token, "", &e); got != 403 || e.Error.Code != codeExpired {
		t.Errorf("%d %+v", got, e)
	}
	if got := d.call(t, "GET", activitiesPath(s), fresh.Token, "", nil); got != 200 {
		t.Errorf("refreshed: %d", got)
	}
}

func TestBadRequestsAreRefusedAndStoreNothing(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"malformed", "POST", activitiesPath(s), `{"type":`, 400, "BadArgument"},
		{"empty", "POST", activitiesPath(s), ``, 400, "BadArgument"},
		{"not an object", "POST", activitiesPath(s), `[1]`, 400, "BadArgument"},
		{"null", "POST", activitiesPath(s), `null`, 400, "BadArgument"},
		{"no type", "POST", activitiesPath(s), `{"from":{"id":"a"}}`, 400, "BadArgument"},
		{"no from", "POST", activitiesPath(s), `{"type":"message"}`, 400, "BadArgument"},
		{"oversized", "POST", activitiesPath(s), message(strings.Repeat("x", 5000)), 413, "MessageSizeTooBig"},
		{"watermark", "GET", activitiesPath(s) + "?watermark=-1", "", 400, "BadArgument"},
		{"watermark text", "GET", activitiesPath(s) + "?watermark=abc", "", 400, "BadArgument"},
		{"unknown tenant", "POST", "/v1/messaging/webchat/nobody/token", "", 404, ""},
		{"bad team", "POST", "/v3/directline/tokens/generate", `{"team":"a/b"}`, 400, ""},
	} {
		var e directLineError
		if got := d.call(t, c.method, c.path, s.Token, c.body, &e); got != c.status || c.code != "" && e.Error.Code != c.code {
			t.Errorf("%s: %d %+v", c.name, got, e)
		}
	}
	var p page
	if d.call(t, "GET", activitiesPath(s), s.Token, "", &p); len(p.Activities) != 0 || len(d.inbox.taken()) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestAnUnknownConversationIsNotFound(t *testing.T) {
	d := open(t)
	var s session // its token is good, but nobody started the conversation
	d.call(t, "POST", "/v3/directline/tokens/generate", "", "", &s)
	var e directLineError
	if got := d.call(t, "GET", activitiesPath(s), s.Token, "", &e); got != 404 || e.Error.Code != "ConversationNotFound" {
		t.Errorf("%d %+v", got, e)
	}
	if got := d.call(t, "POST", activitiesPath(s), s.Token, message("x"), nil); got != 404 {
		t.Errorf("post: %d", got)
	}
}

func TestTheTokenSaysWhoSpeaks(t *testing.T) {
	d := open(t)
	var s session
	d.call(t, "POST", "/v1/messaging/webchat/demo/token", "", `{"user":{"id":"dl_grace"}}`, &s)
	d.call(t, "POST", "/v3/directline/conversations", s.Token, "", &s)
	d.post(t, s, message("hi"))
	var m greentic.Message
	if err := json.Unmarshal(d.inbox.taken()[0].Body, &m); err != nil || m.From.ID != "dl_grace" {
		t.Errorf("%+v %v", m.From, err)
	}
}

func TestAFailureOfOursIsNotShown(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	d.inbox.refuse = errors.New("disk /var/secret is on fire")
	var e directLineError
	if got := d.call(t, "POST", activitiesPath(s), s.Token, message("x"), &e); got != 500 || strings.Contains(e.Error.Message, "secret") {
		t.Errorf("%d %+v", got, e)
	}
}
