package messaging

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestAConversationOpensABoundedNumberOfStreams(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	var last *websocket.Conn
	for range streamsOfOne {
		last = d.dial(t, s, "")
	}
	if _, response, err := websocket.Dial(t.Context(), s.StreamURL, &websocket.DialOptions{HTTPClient: d.client}); err == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("one stream too many was opened: %v", err)
	}
	d.dial(t, d.begin(t), "") // others are not affected
	last.CloseNow()
	for deadline := time.Now().Add(5 * time.Second); ; { // the server notices on its own time
		conn, _, err := websocket.Dial(t.Context(), s.StreamURL, &websocket.DialOptions{HTTPClient: d.client})
		if err == nil {
			conn.CloseNow()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the place of a closed stream stays taken: %v", err)
		}
	}
}

func TestAConversationNobodyFollowsCostsNoMemory(t *testing.T) {
	d := open(t)
	conn := d.dial(t, d.begin(t), "")
	conn.CloseNow()
	for deadline := time.Now().Add(5 * time.Second); ; {
		d.chat.transcript.mu.Lock()
		left := len(d.chat.transcript.changed) + len(d.chat.transcript.streams) + d.chat.transcript.all
		d.chat.transcript.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d entries are left", left)
		}
	}
}

func TestANameWithControlCharactersIsRefusedBeforeItIsStored(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	for _, body := range []string{
		`{"type":"message","from":{"id":"a\u0000b"},"text":"x"}`,
		`{"type":"message","from":{"id":"a"},"text":"x","channelData":{"clientActivityID":"a\nb"}}`,
	} {
		if got := d.call(t, "POST", activitiesPath(s), s.Token, body, nil); got != 400 {
			t.Errorf("%s: %d", body, got)
		}
	}
	if got := d.call(t, "POST", "/v3/directline/tokens/generate", "", `{"user":{"id":"a\u0007"}}`, nil); got != 400 {
		t.Errorf("token: %d", got)
	}
	var p page
	if d.call(t, "GET", activitiesPath(s), s.Token, "", &p); len(p.Activities) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestATenantNamedInTheQueryIsNotMistakenForTheDefault(t *testing.T) {
	d := open(t)
	for query, want := range map[string]int{"?tenant=demo": 200, "?tenant=nobody": 404, "?env=mars": 404, "?tenant=demo&env=" + string(demo.Env): 200} {
		if got := d.call(t, "POST", "/v3/directline/tokens/generate"+query, "", "", nil); got != want {
			t.Errorf("%s: %d", query, got)
		}
	}
}

func TestRefusalsDoNotNameOurTypes(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	for _, body := range []string{`[1]`, `{"type":5}`, `{"from":"me"}`, `{"attachments":{}}`} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", d.server.URL+activitiesPath(s), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.Token)
		response, err := d.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 400 || strings.Contains(string(raw), "lainActivity") || strings.Contains(string(raw), "messaging.") || strings.Contains(string(raw), "Go ") {
			t.Errorf("%s: %d %s %v", body, response.StatusCode, raw, err)
		}
	}
}
